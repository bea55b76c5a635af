#include "base/random.hpp"
#include "net/io_timers.hpp"
#include "net/timing_wheel.hpp"
#include "net_fixture.hpp"

using namespace rekey;
using namespace rekey::net;
using namespace std::chrono_literals;

namespace {

struct Counter final : TimingWheel::Entry {
    void on_deadline() override {
        ++fired;
        if (then) then();
    }
    int fired = 0;
    SteadyTime due{};
    std::function<void()> then;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(timing_wheel_tests)

BOOST_AUTO_TEST_CASE(never_early_and_at_most_one_tick_late) {
    const SteadyTime start{1000ms};
    SeededRandom random(7);
    TimingWheel wheel(start, 100ms, 16);
    std::vector<std::unique_ptr<Counter>> entries;
    for (int i = 0; i < 500; ++i) {
        auto entry = std::make_unique<Counter>();
        // Up to six turns of the wheel.
        const Milliseconds delay(random.between(0, 10'000));
        entry->due = start + delay;
        wheel.arm(*entry, start, delay);
        entries.push_back(std::move(entry));
    }
    for (SteadyTime now = start; now <= start + 10'200ms; now += 37ms) {
        wheel.advance(now);
        for (const auto& entry : entries) {
            if (entry->fired != 0) BOOST_REQUIRE(entry->due <= now);
            if (entry->due + 137ms <= now) BOOST_REQUIRE(entry->fired == 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(arming_again_moves_the_deadline_both_ways) {
    const SteadyTime start{};
    TimingWheel wheel(start, 100ms, 8);
    Counter later;
    Counter sooner;
    Counter never;
    wheel.arm(later, start, 300ms);
    wheel.arm(later, start, 5000ms);
    wheel.arm(sooner, start, 5000ms);
    wheel.arm(sooner, start, 300ms);
    wheel.arm(never, start, 300ms);
    TimingWheel::disarm(never);
    wheel.advance(start + 400ms);
    BOOST_TEST(later.fired == 0);
    BOOST_TEST(sooner.fired == 1);
    BOOST_TEST(!sooner.is_armed());
    wheel.advance(start + 5100ms);
    BOOST_TEST(later.fired == 1);
    BOOST_TEST(sooner.fired == 1);
    BOOST_TEST(never.fired == 0);
}

BOOST_AUTO_TEST_CASE(a_deadline_may_arm_itself_and_destroy_others) {
    const SteadyTime start{};
    TimingWheel wheel(start, 100ms, 8);
    Counter again;
    auto doomed = std::make_unique<Counter>();
    again.then = [&] {
        doomed.reset();
        if (again.fired < 3) wheel.arm(again, start + 100ms * again.fired, 100ms);
    };
    wheel.arm(again, start, 100ms);
    wheel.arm(*doomed, start, 100ms);
    wheel.advance(start + 1000ms);
    BOOST_TEST(again.fired == 3);
    BOOST_TEST(!doomed);
}

BOOST_AUTO_TEST_CASE(io_timers_fire_once_and_not_after_their_handle) {
    boost::asio::io_context io(1);
    IoTimers timers(io);
    int fired = 0;
    bool cancelled_fired = false;
    std::unique_ptr<Timers::Handle> handle;
    std::unique_ptr<Timers::Handle> cancelled = timers.after(0ms, [&] { cancelled_fired = true; });
    cancelled.reset();
    handle = timers.after(1ms, [&] {
        ++fired;
        handle.reset();
    });
    run_until(io, [&] { return fired == 1; });
    io.restart();
    io.run();
    BOOST_TEST(fired == 1);
    BOOST_TEST(!cancelled_fired);
}

BOOST_AUTO_TEST_SUITE_END()
