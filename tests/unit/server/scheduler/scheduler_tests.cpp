#include "base/limits.hpp"
#include "server/scheduler/scheduler.hpp"
#include "tests/unit/server/support/fake_agents.hpp"

#include <map>

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::testing;
using namespace std::chrono_literals;

namespace {

// Timers that fire when the test says that time has passed.
class ManualTimers final : public Timers {
  public:
    explicit ManualTimers(ManualClock& clock) : clock_(clock) {}

    std::unique_ptr<Handle> after(Milliseconds delay, std::function<void()> callback) override {
        const auto at = waiting_.emplace(clock_.steady_now() + delay, std::move(callback));
        return std::make_unique<Cancel>(*this, at);
    }
    void run_until(Milliseconds from_now, Queue& queue) {
        const SteadyTime end = clock_.steady_now() + from_now;
        while (!waiting_.empty() && waiting_.begin()->first <= end) {
            const auto first = waiting_.begin();
            clock_.advance(first->first - clock_.steady_now());
            const auto callback = std::move(first->second);
            callback();
            queue.run();
        }
        clock_.advance(end - clock_.steady_now());
    }
    [[nodiscard]] bool empty() const { return waiting_.empty(); }

  private:
    using Waiting = std::multimap<SteadyTime, std::function<void()>>;
    struct Cancel final : Handle {
        Cancel(ManualTimers& timers, Waiting::iterator at) : owner(timers), place(at) {}
        ~Cancel() override { owner.waiting_.erase(place); }
        Cancel(const Cancel&) = delete;
        Cancel& operator=(const Cancel&) = delete;
        ManualTimers& owner;
        Waiting::iterator place;
    };

    ManualClock& clock_;
    Waiting waiting_;
};

struct Fixture : RotationWorld {
    Fixture() {
        enrolled_agent("a");
        enrolled_agent("b");
        change_row("a", [this](auto& row) { row.rotate_at = clock.now() + 10min; });
        link = &agents.connect("a", 1);
        ready(*link);
        scheduler.start();
    }
    ManualTimers timers{clock};
    Scheduler scheduler{Scheduler::Parts{.clock = clock,
                                         .timers = timers,
                                         .agents = agents,
                                         .coordinator = coordinator,
                                         .settings = settings}};
    FakeLink* link = nullptr;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(scheduler_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_connected_agent_is_rotated_before_its_token_expires) {
    timers.run_until(9min, queue);
    BOOST_TEST(link->calls.empty());
    timers.run_until(2min, queue);
    BOOST_TEST(link->count("agent.rotate") == 1U);
    BOOST_TEST((clock.now() < *credentials("a").current->expires_at));
}

BOOST_AUTO_TEST_CASE(an_agent_that_is_offline_is_never_minted_for) {
    timers.run_until(30 * 24h, queue);
    BOOST_TEST(!credentials("b").pending);
    BOOST_TEST(credentials("b").next_generation == 2U);
    FakeLink& b = agents.connect("b", 1);
    ready(b);
    BOOST_TEST(b.count("agent.rotate") == 1U);
}

BOOST_AUTO_TEST_CASE(a_disconnect_in_the_middle_does_not_end_it) {
    timers.run_until(11min, queue);
    BOOST_REQUIRE(link->count("agent.rotate") == 1U);
    agents.disconnect("a");
    timers.run_until(5min, queue);
    FakeLink& back = agents.connect("a", 1);
    ready(back);
    BOOST_TEST(back.count("agent.rotate") == 1U);
    time_out(back.offer());
    timers.run_until(4min, queue);
    BOOST_TEST(back.count("agent.rotate") == 2U);
    finish(back);
    BOOST_TEST(credentials("a").activated_generation == 2U);
}

BOOST_AUTO_TEST_CASE(a_silent_peer_is_offered_again_with_growing_pauses) {
    timers.run_until(11min, queue);
    for (int round = 0; round < 6; ++round) {
        const auto before = link->count("agent.rotate");
        time_out(link->offer());
        timers.run_until(2h, queue);
        BOOST_TEST(link->count("agent.rotate") == before + 1);
    }
    BOOST_TEST(logged("rotation.alarm"));
}

BOOST_AUTO_TEST_CASE(a_shorter_interval_counts_at_once) {
    change_settings([](SettingValues& values) { values.scheduler_interval_seconds = 3600; });
    timers.run_until(59min, queue);
    BOOST_TEST(link->calls.empty());
    change_settings([](SettingValues& values) { values.scheduler_interval_seconds = 1; });
    timers.run_until(3s, queue);
    BOOST_TEST(link->count("agent.rotate") == 1U);
}

BOOST_AUTO_TEST_CASE(it_retires_what_is_due_of_agents_that_are_offline) {
    timers.run_until(11min, queue);
    finish(*link);
    agents.disconnect("a");
    BOOST_TEST(credentials("a").previous.has_value());
    timers.run_until(7min, queue);
    BOOST_TEST(!credentials("a").previous);
}

BOOST_AUTO_TEST_CASE(each_sweep_forgets_the_tombstones_that_are_too_old) {
    timers.run_until(11min, queue);
    finish(*link);
    const Time retired_from = clock.now();
    timers.run_until(7min, queue);
    BOOST_REQUIRE(database->tombstones.size() == 1U);
    const Time retired_at = database->tombstones.begin()->second.retired_at;
    BOOST_TEST((retired_at >= retired_from));
    agents.disconnect("a");
    const Milliseconds left = retired_at + limits::kTombstoneLife - clock.now();
    // With nothing to retire, so that it is the sweep and not a retirement that looks.
    change_settings([](SettingValues& values) { values.scheduler_interval_seconds = 3600; });
    timers.run_until(left - 1min, queue);
    BOOST_TEST(database->tombstones.size() == 1U);
    timers.run_until(2h, queue);
    BOOST_TEST(database->tombstones.empty());
}

BOOST_AUTO_TEST_CASE(a_sweep_that_retires_forgets_old_tombstones_too) {
    store.write(
        [this](storage::Transaction& transaction) {
            return transaction.tombstones().insert(
                {.agent_id = "b", .generation = 1, .retired_at = clock.now() - 91 * 24h});
        },
        [](const Result<>& result) { BOOST_REQUIRE(result.has_value()); });
    change_row("a", [this](auto& row) {
        row.previous = storage::PreviousToken{.generation = 0, .retire_after = clock.now()};
    });
    BOOST_REQUIRE(database->tombstones.size() == 1U);
    coordinator.sweep();
    queue.run();
    BOOST_TEST(!credentials("a").previous);
    BOOST_REQUIRE(database->tombstones.size() == 1U);
    BOOST_TEST(database->tombstones.begin()->second.agent_id == "a");
}

BOOST_AUTO_TEST_CASE(after_stop_nothing_begins) {
    scheduler.stop();
    BOOST_TEST(timers.empty());
    timers.run_until(24h, queue);
    BOOST_TEST(link->calls.empty());
}

BOOST_AUTO_TEST_SUITE_END()
