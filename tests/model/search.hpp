#pragma once

#include "base/contract.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Breadth-first search through every state of a small world, so that the first violation found has
// the shortest story; then liveness: from each state, once the network is emptied and nothing more
// goes wrong, a settled state must be reachable. A model provides
//   World, encode(World) -> Key, decode(Key) -> World: lossless, which the search checks
//   initial() -> World
//   steps(World, Weather, emit): all that may happen next
//   broken(World) -> name of the invariant that does not hold, or empty
//   calm(World) -> the same with the network emptied
//   settled(World)
namespace rekey::model {

// The canonical bytes of a world.
using Key = std::array<std::uint8_t, 32>;

// In a storm everything may fail; in the calm only what helps happens.
enum class Weather : std::uint8_t { storm, calm };

template <class World>
struct Step {
    std::string_view words;  // with {} for the generation
    std::uint64_t generation = 0;
    World after;
    std::string_view tail;    // how it ended, if that can differ
    std::string_view broken;  // what the step itself breaks, if anything

    [[nodiscard]] std::string story_line() const {
        return fmt::format(fmt::runtime(words), generation) + std::string(tail);
    }
};

template <class World>
using Emit = std::function<void(Step<World>&&)>;

struct Report {
    std::size_t states = 0;
    std::size_t calm_states = 0;
    std::string broken;              // empty: no violation
    std::vector<std::string> story;  // the shortest way there
};

// The states seen so far: their keys in the order of discovery, and an open-addressing index over
// them. 36 bytes a state and 4 to 8 for the index.
class SeenStates {
  public:
    static constexpr std::uint32_t kNobody = 0xffffffff;

    // The state's number, and whether it is new.
    std::pair<std::uint32_t, bool> insert(const Key& key, std::uint32_t parent) {
        if (keys_.size() * 2 >= index_.size()) grow();
        std::size_t slot = slot_of(key);
        while (index_[slot] != kNobody) {
            if (keys_[index_[slot]] == key) return {index_[slot], false};
            slot = (slot + 1) & (index_.size() - 1);
        }
        const auto number = static_cast<std::uint32_t>(keys_.size());
        index_[slot] = number;
        keys_.push_back(key);
        parents_.push_back(parent);
        return {number, true};
    }

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(keys_.size()); }
    [[nodiscard]] const Key& key(std::uint32_t number) const { return keys_[number]; }
    [[nodiscard]] std::uint32_t parent(std::uint32_t number) const { return parents_[number]; }

  private:
    [[nodiscard]] std::size_t slot_of(const Key& key) const {
        const std::string_view text(reinterpret_cast<const char*>(key.data()), key.size());
        return std::hash<std::string_view>{}(text) & (index_.size() - 1);
    }
    void grow() {
        index_.assign(index_.empty() ? 1024 : index_.size() * 2, kNobody);
        for (std::uint32_t number = 0; number < size(); ++number) {
            std::size_t slot = slot_of(keys_[number]);
            while (index_[slot] != kNobody) slot = (slot + 1) & (index_.size() - 1);
            index_[slot] = number;
        }
    }

    std::vector<Key> keys_;
    std::vector<std::uint32_t> parents_;
    std::vector<std::uint32_t> index_;
};

template <class Model>
class Search {
  public:
    using World = typename Model::World;

    // `watched` is how the names of the invariants begin that are looked at; all by default.
    explicit Search(const Model& model, std::string_view watched = {})
        : model_(model), watched_(watched) {}

    Report run() {
        Report report;
        find_violation(report);
        report.states = seen_.size();
        if (report.broken.empty()) find_stuck(report);
        return report;
    }

  private:
    // A guard against a model that grew by mistake, not a bound of the search.
    static constexpr std::uint32_t kMostStates = 4'000'000;

    void find_violation(Report& report) {
        seen_.insert(model_.encode(model_.initial()), SeenStates::kNobody);
        for (std::uint32_t at = 0; at < seen_.size() && report.broken.empty(); ++at) {
            const World world = model_.decode(seen_.key(at));
            if (const std::string_view broken = model_.broken(world); counts(broken)) {
                report.broken = broken;
                report.story = story_of(at);
                return;
            }
            model_.steps(world, Weather::storm, [&](Step<World>&& step) {
                if (!report.broken.empty()) return;
                if (counts(step.broken)) {
                    report.broken = step.broken;
                    report.story = story_of(at);
                    report.story.push_back(step.story_line());
                    return;
                }
                add(step.after, at);
            });
        }
    }

    [[nodiscard]] bool counts(std::string_view broken) const {
        return !broken.empty() && broken.starts_with(watched_);
    }

    void add(const World& world, std::uint32_t parent) {
        const Key key = model_.encode(world);
        if (!seen_.insert(key, parent).second) return;
        // A field that the key forgets would quietly cut the search short.
        REKEY_ASSERT(model_.decode(key) == world);
        REKEY_ASSERT(seen_.size() < kMostStates);
    }

    [[nodiscard]] std::vector<std::string> story_of(std::uint32_t state) const {
        std::vector<std::string> story;
        for (; seen_.parent(state) != SeenStates::kNobody; state = seen_.parent(state)) {
            std::string line;
            model_.steps(model_.decode(seen_.key(seen_.parent(state))), Weather::storm,
                         [&](Step<World>&& step) {
                             if (line.empty() && model_.encode(step.after) == seen_.key(state))
                                 line = step.story_line();
                         });
            story.insert(story.begin(), line);
        }
        return story;
    }

    // Walks on from every state in the calm, then backwards from the settled ones; what is not
    // reached that way is stuck. The first such state has the shortest story.
    void find_stuck(Report& report) {
        SeenStates calm;
        std::vector<std::uint32_t> calm_of(seen_.size());
        for (std::uint32_t at = 0; at < seen_.size(); ++at)
            calm_of[at] =
                calm.insert(model_.encode(model_.calm(model_.decode(seen_.key(at)))), at).first;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> came_from;  // (state, predecessor)
        std::vector<std::uint32_t> reached;
        for (std::uint32_t at = 0; at < calm.size(); ++at) {
            const World world = model_.decode(calm.key(at));
            if (model_.settled(world)) reached.push_back(at);
            model_.steps(world, Weather::calm, [&](Step<World>&& step) {
                came_from.emplace_back(calm.insert(model_.encode(step.after), at).first, at);
            });
        }
        report.calm_states = calm.size();
        const std::vector<bool> leads_home = backwards(calm.size(), came_from, std::move(reached));
        for (std::uint32_t at = 0; at < seen_.size(); ++at) {
            if (leads_home[calm_of[at]]) continue;
            report.broken = "I7: no settled state can be reached any more";
            report.story = story_of(at);
            report.story.emplace_back("the network is emptied, and nothing else goes wrong");
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
    SeenStates seen_;
};

}  // namespace rekey::model
