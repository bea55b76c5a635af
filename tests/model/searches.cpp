#include "tests/model/searches.hpp"

#include "tests/model/alarms.hpp"
#include "tests/model/enrollment.hpp"
#include "tests/model/left_out.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>

namespace rekey::model {

namespace {

using enum Misfortune;

// Of one agent's rotations, within these bounds.
NamedSearch over(std::string name, std::string bounds, const Budget& budget) {
    return {std::move(name), std::move(bounds), [budget](std::string_view watched) {
                const Rules production;
                const RotationModel model(production, budget);
                return Search(model, watched).run();
            }};
}

struct Trouble {
    std::string_view words;
    Misfortune kind;
    // That is nothing without it, or that it is little without: a snapshot that nobody goes back to
    // changes nothing.
    std::optional<Misfortune> goes_with = std::nullopt;
    std::string_view its_words = {};
    // What the worst course of events takes of the recovery budget. A restored database also meets
    // answers that were given before it went back, and mints twice.
    std::uint8_t recoveries = 0;
    // The first recovery after it costs nothing (a bar gives a unit of its own), so that there are
    // many states ...
    bool recovers_freely = false;
    // ... and many more if things are slow.
    bool slow = false;
};

constexpr std::array kTroubles{
    Trouble{"an emergency", emergency},
    Trouble{"a manual rotation", wish},
    Trouble{"a suspension", suspension},
    Trouble{"a revoke", revoke},
    Trouble{"a power loss", power_loss},
    Trouble{.words = "a slow connect",
            .kind = slow_connect,
            .goes_with = suspension,
            .its_words = ", a suspension",
            .slow = true},
    Trouble{.words = "a slow transaction", .kind = slow_transaction, .slow = true},
    Trouble{.words = "tokens barred", .kind = bar, .recovers_freely = true},
    Trouble{"an expiry", expiry, clock_back, ", a clock set back", 0, true},
    Trouble{"a machine rolled back", rollback, snapshot, ", a snapshot taken", 1},
    Trouble{"a database restored", restore, backup, ", a backup taken", 2},
};

bool recovers(const Trouble& trouble) { return trouble.recovers_freely || trouble.recoveries > 0; }

NamedSearch pair_of(const Trouble& one, const Trouble& other, unsigned depth) {
    const bool freely = one.recovers_freely || other.recovers_freely;
    const bool both_recover = recovers(one) && recovers(other);
    // A recovery is a rotation as well.
    const unsigned least = freely && (both_recover || one.slow) ? 0 : 1;
    const auto rotations = static_cast<std::uint8_t>(std::max(least, depth));
    // ... but a request that comes late, when it is free no more or the unit of the bar is spent,
    // takes one from those that have to be paid for.
    const int paid = one.recoveries + other.recoveries;
    const auto units = static_cast<std::uint8_t>(paid + (paid > 0 && freely ? 1 : 0));
    Budget budget = Budget().rotations(rotations).recoveries(units);
    std::string bounds = fmt::format("{} rotation{}", rotations, rotations == 1 ? "" : "s");
    for (const Trouble& trouble : {one, other}) {
        budget = budget.with(trouble.kind);
        if (!trouble.goes_with || (depth < 2 && both_recover)) continue;
        budget = budget.with(*trouble.goes_with);
        bounds += trouble.its_words;
    }
    if (units > 0) bounds += fmt::format(", recovery budget {}", units);
    // The searches of one of them alone have the disk's troubles in full.
    const bool needs_the_disk = one.kind == power_loss || other.kind == power_loss;
    if (depth < 2 && (freely || both_recover) && !needs_the_disk) {
        budget = budget.sound_disk();
        bounds += ", a sound disk";
    }
    return over(fmt::format("{} and {}", one.words, other.words), std::move(bounds), budget);
}

// What a restored database forgot is stale to the agent when it is minted again, in the second
// rotation.
NamedSearch minted_again(const Trouble& trouble) {
    return over(fmt::format("{}, and a generation minted again", trouble.words),
                "2 rotations, a restore, recovery budget 2, a sound disk",
                Budget().rotations(2).recoveries(2).with(restore).with(trouble.kind).sound_disk());
}

std::vector<NamedSearch> all_searches(unsigned depth) {
    std::vector<NamedSearch> all = searches(depth);
    std::ranges::move(small_searches(), std::back_inserter(all));
    std::ranges::move(searches_of_pairs(depth), std::back_inserter(all));
    return all;
}

// The searches know nothing of each other: each core runs one, and the reports come in their order.
// Every other core begins at the end, where the large ones are.
class SideBySide {
  public:
    explicit SideBySide(const std::vector<NamedSearch>& searches)
        : searches_(searches), reports_(searches.size()), end_(searches.size()) {
        const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
        workers_.reserve(cores);
        for (unsigned core = 0; core < cores; ++core)
            workers_.emplace_back([this, side = core % 2 == 0 ? Side::front : Side::back](
                                      const std::stop_token& stop) { work(side, stop); });
    }

    [[nodiscard]] Report next() { return reports_.at(read_++).get_future().get(); }

  private:
    enum class Side : std::uint8_t { front, back };

    void work(Side side, const std::stop_token& stop) {
        while (const auto at = take(side)) {
            if (stop.stop_requested()) return;
            reports_[*at].set_value(searches_[*at].run({}));
        }
    }
    std::optional<std::size_t> take(Side side) {
        const std::lock_guard lock(mutex_);
        if (begin_ == end_) return std::nullopt;
        return side == Side::front ? begin_++ : --end_;
    }

    const std::vector<NamedSearch>& searches_;
    std::vector<std::promise<Report>> reports_;
    std::mutex mutex_;
    std::size_t begin_ = 0;  // of those that nobody has taken yet
    std::size_t end_;
    std::size_t read_ = 0;
    std::vector<std::jthread> workers_;  // the last: they stop and end before the rest goes
};

void print_report(const NamedSearch& search, const Report& report, const Print& print) {
    print(line_about(search, report));
    for (const std::string& line : report.story) print("    " + line);
}

bool print_pairs(const EventPairs& pairs, unsigned depth, const Print& print) {
    print(
        "Pairs of events that were executed in one story: # in both orders, > the line's first, "
        "< the column's first, . in none");
    for (const std::string& line : pairs.matrix()) print(line);
    const auto missing = pairs.missing();
    bool good = true;
    for (const auto& [one, other] : missing) {
        const auto known = std::ranges::find_if(kLeftOut, [one, other](const LeftOut& pair) {
            return pair.one == one && pair.other == other;
        });
        const bool meant = known != kLeftOut.end();
        print(fmt::format("{}: {}, and {}{}{}", meant ? "left out" : "MISSING", name_of(one),
                          name_of(other), meant ? ": " : "", meant ? known->why : ""));
        good = good && meant;
    }
    for (const LeftOut& pair : kLeftOut) {
        if (!pairs.happened_together(pair.one, pair.other)) continue;
        print(fmt::format("executed, {} left out: {}, and {}",
                          depth == 0 ? "BUT CALLED" : "elsewhere", name_of(pair.one),
                          name_of(pair.other)));
        good = good && depth > 0;
    }
    const std::size_t all = kEvents * (kEvents - 1) / 2;
    print(fmt::format("{} of {} pairs were executed, {} are left out", all - missing.size(), all,
                      missing.size()));
    return good;
}

}  // namespace

std::vector<NamedSearch> searches(unsigned depth) {
    const auto more = [depth](unsigned at_least) {
        return static_cast<std::uint8_t>(at_least + depth);
    };
    const auto three = static_cast<std::uint8_t>(depth == 0 ? 3 : 4);
    return {
        over("messages and administrators",
             fmt::format("{} rotations, {} emergencies, a suspension, a revoke", three, more(2)),
             Budget()
                 .rotations(three)
                 .with(emergency, more(2))
                 .with(suspension, more(1))
                 .with(revoke)),
        over("manual against scheduled",
             fmt::format("3 rotations, {} asked for, an emergency", more(2)),
             Budget().rotations(3).with(wish, more(2)).with(emergency)),
        over("disks", fmt::format("{} rotations, {} power losses", three, more(2)),
             Budget().rotations(three).with(power_loss, more(2))),
        over("slow connects",
             fmt::format("3 rotations, slow connects {}, a suspension, a revoke", more(1)),
             Budget().rotations(3).with(slow_connect, more(1)).with(suspension).with(revoke)),
        over("races",
             fmt::format("2 rotations, slow transactions {}, an emergency, a revoke", more(1)),
             Budget().rotations(2).with(slow_transaction, more(1)).with(emergency).with(revoke)),
        over("expiry", fmt::format("3 rotations, expiries {}, a clock set back", more(1)),
             Budget().rotations(3).with(expiry, more(1)).with(clock_back)),
        over("snapshots",
             fmt::format("2 rotations, snapshots {}, rollbacks {}, recovery budget {}", more(1),
                         more(1), more(1)),
             Budget()
                 .rotations(2)
                 .recoveries(more(1))
                 .with(snapshot, more(1))
                 .with(rollback, more(1))),
        over(
            "backups",
            fmt::format("{} rotations, a backup, a restore, recovery budget 2", depth == 0 ? 2 : 3),
            Budget().rotations(depth == 0 ? 2 : 3).recoveries(2).with(backup).with(restore)),
    };
}

std::vector<NamedSearch> searches_of_pairs(unsigned depth) {
    std::vector<NamedSearch> all;
    for (auto one = kTroubles.begin(); one != kTroubles.end(); ++one)
        for (auto other = one + 1; other != kTroubles.end(); ++other)
            all.push_back(pair_of(*one, *other, depth));
    for (const Trouble& trouble : kTroubles)
        if (!recovers(trouble) && trouble.kind != power_loss &&
            (depth > 0 || trouble.kind != slow_transaction))
            all.push_back(minted_again(trouble));
    return all;
}

std::vector<NamedSearch> small_searches() {
    const auto enrolling = [](std::uint8_t racers) {
        return [racers](std::string_view watched) {
            const EnrollmentModel model({}, Row(), racers);
            return Search(model, watched).run();
        };
    };
    const auto failing = [](std::string_view watched) {
        const AlarmModel model({}, kMostLies);
        return Search(model, watched).run();
    };
    return {{"enrollment", "one code, replies lost, either side killed", enrolling(0)},
            {"enrollment against a racer", "the same code with another key", enrolling(1)},
            {"offers that fail", fmt::format("one rotation, {} lies, a suspension", kMostLies),
             failing}};
}

std::string line_about(const NamedSearch& search, const Report& report) {
    return fmt::format("{}: {} states, {} transitions, {} in the calm; {} ms ({}){}", search.name,
                       report.states, report.transitions, report.calm_states, report.took.count(),
                       search.bounds, report.broken.empty() ? "" : "; BROKEN " + report.broken);
}

bool run_some(unsigned depth, std::string_view name, std::string_view watched, const Print& print) {
    bool any = false;
    for (const NamedSearch& search : all_searches(depth)) {
        if (search.name.find(name) == std::string::npos) continue;
        any = true;
        const Report report = search.run(watched);
        print_report(search, report, print);
        if (!report.broken.empty()) return false;
    }
    return any;
}

bool run_all(unsigned depth, const Print& print) {
    EventPairs pairs;
    Report total;
    const auto began = std::chrono::steady_clock::now();
    const std::vector<NamedSearch> all = all_searches(depth);
    SideBySide reports(all);
    for (const NamedSearch& search : all) {
        const Report report = reports.next();
        print_report(search, report, print);
        if (!report.broken.empty()) return false;
        pairs.add(report.pairs);
        total.states += report.states;
        total.transitions += report.transitions;
        total.took += report.took;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    print(fmt::format("together {} states, {} transitions, {:.1f} s of work in {:.1f} s",
                      total.states, total.transitions,
                      std::chrono::duration<double>(total.took).count(), took.count()));
    return print_pairs(pairs, depth, print);
}

}  // namespace rekey::model
