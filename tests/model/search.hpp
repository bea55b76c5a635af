#pragma once

#include "base/contract.hpp"
#include "tests/model/events.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Breadth-first search through every state of a small world, so that the first violation found has
// the shortest story; then liveness: from each state, once the network is emptied and nothing more
// goes wrong, a settled state must be reachable. Whole states are stored and compared: there is no
// hash compaction, no partial-order reduction and no bound on depth, so a search that ends has seen
// every state that its bounds allow. A model provides
//   World: plain bytes, its own canonical form
//   initial() -> World
//   steps(World, Weather, emit): all that may happen next
//   broken(World) -> name of the invariant that does not hold, or empty
//   calm(World) -> the same with the network emptied
//   settled(World)
//   verdict(World, broken) -> the last line of a story
namespace rekey::model {

// In a storm everything may fail; in the calm only what helps happens.
enum class Weather : std::uint8_t { storm, calm };

template <class World>
struct Step {
    Event event = Event::kCount;  // kCount: of no kind that is counted
    std::string_view words;       // with {} for the token
    std::string token;
    World after;
    std::string_view tail = {};    // how it ended, if that can differ
    std::string_view broken = {};  // what the step itself breaks, if anything
    std::string_view before = {};  // what it is part of

    [[nodiscard]] std::string story_line() const {
        return std::string(before) + fmt::format(fmt::runtime(words), token) + std::string(tail);
    }
};

template <class World>
using Emit = std::function<void(Step<World>&&)>;

struct Report {
    std::size_t states = 0;
    std::size_t transitions = 0;
    std::size_t calm_states = 0;
    std::chrono::milliseconds took{};
    EventPairs pairs;
    std::string broken;              // empty: no violation
    std::vector<std::string> story;  // the shortest way there, and the verdict
};

// The states seen so far in the order of discovery, and an open-addressing index over them.
template <class World>
class SeenStates {
    static_assert(std::has_unique_object_representations_v<World>);

  public:
    static constexpr std::uint32_t kNobody = 0xffffffff;

    // The state's number, and whether it is new.
    std::pair<std::uint32_t, bool> insert(const World& world, std::uint32_t parent) {
        if (worlds_.size() * 2 >= index_.size()) grow();
        const std::size_t hash = hash_of(world);
        const auto tag = static_cast<std::uint32_t>(hash >> 32U);
        std::size_t slot = hash & (index_.size() - 1);
        while (index_[slot].number != kNobody) {
            if (index_[slot].tag == tag &&
                std::memcmp(&worlds_[index_[slot].number], &world, sizeof(World)) == 0)
                return {index_[slot].number, false};
            slot = (slot + 1) & (index_.size() - 1);
        }
        const std::uint32_t number = size();
        index_[slot] = {number, tag};
        worlds_.push_back(world);
        parents_.push_back(parent);
        return {number, true};
    }

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(worlds_.size()); }
    [[nodiscard]] World world(std::uint32_t number) const { return worlds_[number]; }
    [[nodiscard]] std::uint32_t parent(std::uint32_t number) const { return parents_[number]; }

  private:
    // The tag spares a look at most worlds that are another one.
    struct Place {
        std::uint32_t number = kNobody;
        std::uint32_t tag = 0;
    };
    static std::size_t hash_of(const World& world) {
        const std::string_view bytes(reinterpret_cast<const char*>(&world), sizeof(World));
        return std::hash<std::string_view>{}(bytes);
    }
    void grow() {
        const std::vector<Place> before = std::move(index_);
        index_.assign(before.empty() ? 1024 : before.size() * 2, {});
        for (const Place& place : before) {
            if (place.number == kNobody) continue;
            std::size_t slot = hash_of(worlds_[place.number]) & (index_.size() - 1);
            while (index_[slot].number != kNobody) slot = (slot + 1) & (index_.size() - 1);
            index_[slot] = place;
        }
    }

    std::vector<World> worlds_;
    std::vector<std::uint32_t> parents_;
    std::vector<Place> index_;
};

template <class Model>
class Search {
  public:
    using World = typename Model::World;

    // `watched` is how the names of the invariants begin that are looked at; all by default.
    explicit Search(const Model& model, std::string_view watched = {})
        : model_(model), watched_(watched) {}

    Report run() {
        const auto start = std::chrono::steady_clock::now();
        Report report;
        find_violation(report);
        report.states = seen_.size();
        if (report.broken.empty()) find_stuck(report);
        report.took = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - start);
        return report;
    }

  private:
    // A guard against a model that grew by mistake, not a bound of the search.
    static constexpr std::uint32_t kMostStates = 200'000'000;

    void find_violation(Report& report) {
        add(model_.initial(), SeenStates<World>::kNobody);
        for (std::uint32_t at = 0; at < seen_.size() && report.broken.empty(); ++at) {
            const World world = seen_.world(at);
            if (const std::string_view broken = model_.broken(world); counts(broken)) {
                report.broken = broken;
                report.story = story_of(at);
                report.story.push_back(model_.verdict(world, broken));
                return;
            }
            EventSet here;
            EventSet without_effect;
            std::vector<std::uint32_t> next;
            model_.steps(world, Weather::storm, [&](Step<World>&& step) {
                if (!report.broken.empty()) return;
                ++report.transitions;
                if (counts(step.broken)) {
                    report.broken = step.broken;
                    report.story = story_of(at);
                    report.story.push_back(step.story_line());
                    report.story.push_back(model_.verdict(step.after, step.broken));
                    return;
                }
                const std::uint32_t to = step.after == world ? at : add(step.after, at);
                if (step.event == Event::kCount) return;
                here.add(step.event);
                if (to == at) return without_effect.add(step.event);
                stories_[to].add(step.event);
                next.push_back(to);
            });
            tell_on(report, at, here, without_effect, next);
        }
    }

    // What may have happened on some way to each state, and thus before what happens in it. A way
    // that leads back to a state which was left already is not followed, so that no pair is
    // counted that was not executed.
    void tell_on(Report& report, std::uint32_t at, EventSet here, EventSet without_effect,
                 const std::vector<std::uint32_t>& next) {
        EventSet before = stories_[at];
        before.add(without_effect);
        report.pairs.add(before, here);
        for (const std::uint32_t to : next)
            if (to > at) stories_[to].add(before);
    }

    [[nodiscard]] bool counts(std::string_view broken) const {
        return !broken.empty() && broken.starts_with(watched_);
    }

    std::uint32_t add(const World& world, std::uint32_t parent) {
        const auto [number, is_new] = seen_.insert(world, parent);
        if (is_new) stories_.emplace_back();
        REKEY_ASSERT(seen_.size() < kMostStates);
        return number;
    }

    [[nodiscard]] std::vector<std::string> story_of(std::uint32_t state) const {
        std::vector<std::string> story;
        for (; seen_.parent(state) != SeenStates<World>::kNobody; state = seen_.parent(state)) {
            std::string line;
            model_.steps(seen_.world(seen_.parent(state)), Weather::storm, [&](Step<World>&& step) {
                if (line.empty() && step.after == seen_.world(state)) line = step.story_line();
            });
            story.insert(story.begin(), line);
        }
        return story;
    }

    // Walks on from every state in the calm, then backwards from the settled ones; what is not
    // reached that way is stuck. The first such state has the shortest story.
    void find_stuck(Report& report) {
        SeenStates<World> calm;
        std::vector<std::uint32_t> calm_of(seen_.size());
        for (std::uint32_t at = 0; at < seen_.size(); ++at)
            calm_of[at] = calm.insert(model_.calm(seen_.world(at)), at).first;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> came_from;  // (state, predecessor)
        std::vector<std::uint32_t> reached;
        for (std::uint32_t at = 0; at < calm.size(); ++at) {
            const World world = calm.world(at);
            if (model_.settled(world)) reached.push_back(at);
            model_.steps(world, Weather::calm, [&](Step<World>&& step) {
                came_from.emplace_back(calm.insert(step.after, at).first, at);
            });
        }
        report.calm_states = calm.size();
        const std::vector<bool> leads_home = backwards(calm.size(), came_from, std::move(reached));
        for (std::uint32_t at = 0; at < seen_.size(); ++at) {
            if (leads_home[calm_of[at]]) continue;
            report.broken = "I7: no settled state can be reached any more";
            if (!counts(report.broken)) return report.broken.clear();
            report.story = story_of(at);
            report.story.emplace_back("the network is emptied, and nothing else goes wrong");
            report.story.push_back(model_.verdict(seen_.world(at), report.broken));
            return;
        }
    }

    static std::vector<bool> backwards(
        std::size_t states, std::vector<std::pair<std::uint32_t, std::uint32_t>>& came_from,
        std::vector<std::uint32_t> open) {
        std::vector<std::size_t> first(states + 1, 0);
        for (const auto& edge : came_from) ++first[edge.first + 1];
        for (std::size_t state = 0; state < states; ++state) first[state + 1] += first[state];
        std::vector<std::uint32_t> predecessors(came_from.size());
        std::vector<std::size_t> next(first.begin(), first.end() - 1);
        for (const auto& [state, predecessor] : came_from)
            predecessors[next[state]++] = predecessor;

        std::vector<bool> reached(states, false);
        for (const std::uint32_t state : open) reached[state] = true;
        while (!open.empty()) {
            const std::uint32_t state = open.back();
            open.pop_back();
            for (std::size_t edge = first[state]; edge < first[state + 1]; ++edge) {
                const std::uint32_t predecessor = predecessors[edge];
                if (reached[predecessor]) continue;
                reached[predecessor] = true;
                open.push_back(predecessor);
            }
        }
        return reached;
    }

    const Model& model_;
    std::string_view watched_;
    SeenStates<World> seen_;
    std::vector<EventSet> stories_;  // what happened on the way to each state
};

}  // namespace rekey::model
