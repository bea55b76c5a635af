#include "tests/unit/server/support/fake_agents.hpp"

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::testing;
using namespace std::chrono_literals;

namespace {

struct Fixture : OfferedWorld {
    void fail_four_times() {
        for (int failure = 1; failure <= 4; ++failure) {
            time_out(link->offer());
            clock.advance(2h);
            tick(*link);
        }
    }
    void say_stale(std::uint64_t newest_held) {
        auto said = link->failed(link->offer(), "stale_generation");
        said.as_object()["newest_held"] = newest_held;
        answer(link->offer(), over_the_wire(said));
    }
    // The agent holds exactly what it is offered, it says.
    void lie() { say_stale(link->offer().params.at("generation").to_number<std::uint64_t>()); }
};

}  // namespace

// S5: what is counted, what is replaced, and when somebody is told (I8).
BOOST_FIXTURE_TEST_SUITE(refusal_tests, Fixture)

BOOST_AUTO_TEST_CASE(what_the_agent_has_passed_is_replaced_and_offered_at_once) {
    say_stale(9);
    BOOST_REQUIRE(credentials("a").pending.has_value());
    BOOST_TEST(credentials("a").pending->generation == 10U);
    BOOST_TEST(database->rotations.at(rotation_id).ended_at.has_value());
    BOOST_TEST(link->count("agent.rotate") == 2U);
    BOOST_TEST(link->offer().params.at("token").as_string() != token);
    finish(*link);
    BOOST_TEST(credentials("a").activated_generation == 10U);
}

// Each lie would have been answered with another token at once, for ever, and none counted.
BOOST_AUTO_TEST_CASE(an_agent_that_calls_every_offer_stale_ends_in_the_back_off_and_the_alarm) {
    lie();
    BOOST_TEST(link->count("agent.rotate") == 2U);
    for (std::size_t offers = 2; offers < 5; ++offers) {
        BOOST_TEST(credentials("a").pending->attempts == offers);
        lie();
        tick(*link);
        BOOST_TEST(link->count("agent.rotate") == offers);
        BOOST_TEST((link->progress().attend_at >= clock.now() + 30s));
        BOOST_TEST(audited("rotation.alarm") == 0U);
        clock.advance(2h);
        tick(*link);
        BOOST_REQUIRE(link->count("agent.rotate") == offers + 1);
    }
    lie();
    BOOST_TEST(audited("rotation.alarm") == 1U);
    BOOST_TEST(logged("rotation.alarm"));
    clock.advance(2h);
    tick(*link);
    finish(*link);
    BOOST_TEST(!credentials("a").pending);
}

BOOST_AUTO_TEST_CASE(a_raise_beyond_the_limit_is_refused) {
    say_stale(1'000'000);
    BOOST_TEST(credentials("a").pending->rotation_id == rotation_id);
    BOOST_TEST(audited("rotation.raise_refused") == 1U);
}

BOOST_AUTO_TEST_CASE(the_fifth_failure_raises_the_alarm) {
    fail_four_times();
    BOOST_TEST(!logged("rotation.alarm"));
    BOOST_TEST(audited("rotation.alarm") == 0U);
    // What takes back the count takes back the alarm: one row for one failure.
    commits_to_lose = 1;
    time_out(link->offer());
    BOOST_TEST(logged("rotation.alarm"));
    BOOST_REQUIRE(audited("rotation.alarm") == 1U);
    const auto& alarm = database->audit.back().event;
    BOOST_TEST(alarm.action == "rotation.alarm");
    BOOST_TEST(alarm.subject == "a");
    BOOST_TEST(alarm.actor == "system");
    BOOST_TEST(alarm.details.at("rotation_id").as_string() == rotation_id);
    BOOST_TEST(alarm.details.at("attempts").to_number<int>() == 5);
    BOOST_TEST(alarm.details.at("reason").as_string() == "timeout");
}

BOOST_AUTO_TEST_CASE(an_alarm_is_due_for_the_rotation_that_failed_and_for_no_other) {
    storage::Credentials row = credentials("a");
    row.pending->attempts = 4;
    BOOST_TEST((rotation::alarm_due(row, rotation_id) == nullptr));
    row.pending->attempts = 5;
    BOOST_REQUIRE((rotation::alarm_due(row, rotation_id) != nullptr));
    BOOST_TEST(rotation::alarm_due(row, rotation_id)->attempts == 5U);
    // The end of a session that a replaced offer was made in comes late.
    BOOST_TEST((rotation::alarm_due(row, "another") == nullptr));
    row.pending.reset();
    BOOST_TEST((rotation::alarm_due(row, rotation_id) == nullptr));
}

BOOST_AUTO_TEST_CASE(a_failure_that_is_not_counted_raises_no_alarm) {
    fail_four_times();
    commits_to_lose = 1000;
    time_out(link->offer());
    commits_to_lose = 0;
    BOOST_TEST(!logged("rotation.alarm"));
    BOOST_TEST(audited("rotation.alarm") == 0U);
}

BOOST_AUTO_TEST_CASE(a_deliverable_offer_that_only_meets_disconnects_raises_the_alarm) {
    for (int connection = 1; connection <= 4; ++connection) {
        agents.disconnect("a");
        ready(agents.connect("a", 1));
    }
    BOOST_TEST(!logged("rotation.alarm"));
    agents.disconnect("a");
    queue.run();
    BOOST_TEST(logged("rotation.alarm"));
    BOOST_TEST(audited("rotation.alarm") == 1U);
    BOOST_TEST(database->audit.back().event.details.at("reason").as_string() == "disconnected");
}

// It was counted when it was decided; the session was gone when it should have been sent.
BOOST_AUTO_TEST_CASE(an_offer_that_comes_too_late_for_its_session_has_failed_as_well) {
    for (int connection = 1; connection <= 3; ++connection) {
        agents.disconnect("a");
        ready(agents.connect("a", 1));
    }
    agents.disconnect("a");
    coordinator.on_ready(agents.connect("a", 1));
    while (credentials("a").pending->attempts < 5) queue.run_one();
    agents.disconnect("a");
    BOOST_TEST(audited("rotation.alarm") == 0U);
    queue.run();
    BOOST_TEST(audited("rotation.alarm") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
