// Rotation over the wire, against the real rekeyd on real SQLite: honest agents and each way of
// going wrong that docs/rotation.md lists under "Failures". Time-outs and ticks are set to one
// second; nothing waits for a fixed time.
#include "tests/support/agent_stage.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

Rekeyd::Options quick_retries() {
    Rekeyd::Options options;
    options.transport = Transport::plain;
    options.environment = {{"REKEY_ROTATION_TIMEOUT_SECONDS", "1"},
                           {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"}};
    return options;
}

struct OneAgent {
    Rekeyd server{quick_retries()};
    AgentStage stage;

    ScriptedAgent& play(Script script) {
        ScriptedAgent& agent = stage.enroll_and_connect(server, "one", std::move(script));
        stage.wait("the first token is committed", [&] { return agent.seen().commits > 0; });
        id = agent.agent_id();
        server.wait_settled(id, 1);
        return agent;
    }
    json::value rotate(bool force = false) const {
        return server.call("rotations.start", {{"agent_id", id}, {"force", force}});
    }
    std::string id;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rotation_tests, OneAgent)

BOOST_AUTO_TEST_CASE(an_honest_agent_is_rotated_and_its_row_says_so) {
    ScriptedAgent& agent = play({});
    const json::value started = rotate();
    BOOST_TEST(started.at("status").as_string() == "offered");
    BOOST_TEST(started.at("generation").to_number<std::uint64_t>() == 2U);
    server.wait_settled(id, 2);
    BOOST_TEST(stage.with([&] { return agent.newest_generation(); }) == 2U);
    const json::value rotation =
        server.call("rotations.get", {{"rotation_id", started.at("rotation_id")}});
    BOOST_TEST(rotation.at("status").as_string() == "activated");
}

BOOST_AUTO_TEST_CASE(failure_01_saved_but_the_acknowledgement_was_lost) {
    ScriptedAgent& agent = play({.offers = {OnOffer::save_never_answer}});
    static_cast<void>(rotate());
    // The retry tick offers the same bytes, which are held by then.
    server.wait_settled(id, 2);
    const Seen seen = stage.with([&] { return agent.seen(); });
    BOOST_TEST(seen.offers == 2U);
    BOOST_TEST(seen.offered_tokens.at(0) == seen.offered_tokens.at(1),
               "an offer is repeated with the same token");
}

BOOST_AUTO_TEST_CASE(failure_01_the_acknowledgement_came_after_its_time_out) {
    ScriptedAgent& agent =
        play({.offers = {OnOffer::answer_when_told, OnOffer::never_answer, OnOffer::never_answer,
                         OnOffer::never_answer, OnOffer::never_answer}});
    static_cast<void>(rotate());
    stage.wait("it is offered again", [&] { return agent.seen().offers >= 2; });
    stage.with([&] { agent.send_held_replies(); });
    server.wait_settled(id, 2);
}

BOOST_AUTO_TEST_CASE(failure_02_a_time_out_withdraws_nothing_that_was_delivered) {
    ScriptedAgent& agent = play(
        {.offers = {OnOffer::save_never_answer, OnOffer::never_answer, OnOffer::never_answer}});
    static_cast<void>(rotate());
    stage.wait("the offer timed out twice", [&] { return agent.seen().offers >= 3; });
    stage.with([&] {
        agent.cut();
        agent.connect();  // with the candidate, as A4 says
    });
    server.wait_settled(id, 2);
    BOOST_TEST(stage.with([&] { return agent.seen().generation; }) == 2U);
}

BOOST_AUTO_TEST_CASE(failure_07_a_socket_on_a_retired_token_is_closed) {
    Script never;
    ScriptedAgent& agent = play(never);
    const ScriptedIdentity old_identity = stage.with([&] {
        return ScriptedIdentity{server.host(), server.port(), server.tls(), id, agent.held()};
    });
    static_cast<void>(rotate());
    server.wait_settled(id, 2);
    static_cast<void>(rotate(true));
    server.wait_settled(id, 3);
    // Two rotations later generation 1 is retired: it opens nothing any more.
    ScriptedAgent& old_holder = stage.add(old_identity, {});
    stage.with([&] { old_holder.connect(); });
    stage.wait("the retired token is refused", [&] { return !old_holder.seen().refusal.empty(); });
    BOOST_TEST(stage.with([&] { return old_holder.seen().refusal; }) == "unknown_credential");
}

BOOST_AUTO_TEST_CASE(failure_08_a_second_rotation_waits_for_the_grace_of_the_first_unless_forced) {
    static_cast<void>(play({}));
    static_cast<void>(rotate());
    server.wait_settled(id, 2);
    const auto refused = server.try_call("rotations.start", {{"agent_id", id}});
    BOOST_REQUIRE(refused.has_error());
    BOOST_CHECK(refused.error().code() == Code::wrong_state);
    BOOST_REQUIRE(refused.error().details() != nullptr);
    BOOST_TEST(refused.error().details()->contains("not_before"));
    static_cast<void>(rotate(true));
    server.wait_settled(id, 3);
}

BOOST_AUTO_TEST_CASE(
    failure_09_a_pending_token_is_offered_until_it_is_saved_and_blocks_nothing_after) {
    static_cast<void>(play({.offers = {OnOffer::fail_disk_full, OnOffer::never_answer}}));
    const json::value first = rotate();
    const json::value again = rotate(true);
    BOOST_TEST(again.at("already_pending").as_bool());
    BOOST_TEST(again.at("rotation_id").as_string() == first.at("rotation_id").as_string());
    server.wait_settled(id, 2);
    static_cast<void>(rotate(true));
    server.wait_settled(id, 3);
}

BOOST_AUTO_TEST_CASE(
    failure_12_a_disconnect_in_the_middle_of_a_rotation_leaves_everybody_rotating) {
    ScriptedAgent& agent =
        play({.offers = {OnOffer::disconnect_before_save, OnOffer::disconnect_after_save}});
    ScriptedAgent& other = stage.enroll_and_connect(server, "two");
    static_cast<void>(rotate());
    stage.wait("it hung up", [&] { return !agent.connected() && agent.seen().offers == 1; });
    stage.with([&] { agent.connect(); });
    stage.wait("it hung up again", [&] { return !agent.connected() && agent.seen().offers == 2; });
    stage.with([&] { agent.connect(); });
    server.wait_settled(id, 2);
    static_cast<void>(server.call("rotations.start", {{"all", true}, {"force", true}}));
    server.wait_settled(id, 3);
    stage.wait("the other one is rotated as well",
               [&] { return other.newest_generation() == 2 && other.settled(); });
}

BOOST_AUTO_TEST_CASE(failure_14_a_duplicate_reply_promotes_once_and_gets_the_same_answer) {
    ScriptedAgent& agent = play({.offers = {OnOffer::complete_twice}});
    static_cast<void>(rotate());
    server.wait_settled(id, 2);
    stage.wait("the duplicate is answered", [&] { return agent.seen().answers.size() >= 2; });
    const json::object answer = stage.with([&] { return agent.seen().answers.back(); });
    BOOST_TEST(answer.at("result").at("status").as_string() == "committed");
    const json::value audit =
        server.call("audit.query", {{"agent_id", id}, {"action", "rotation.promoted"}});
    BOOST_TEST(audit.at("entries").as_array().size() == 2U,
               "one for the first connect, one for the rotation");
}

BOOST_AUTO_TEST_CASE(failure_14_a_reply_about_another_rotation_or_generation_changes_nothing) {
    ScriptedAgent& agent = play(
        {.offers = {OnOffer::wrong_rotation_id, OnOffer::wrong_generation, OnOffer::wrong_proof}});
    static_cast<void>(rotate());
    server.wait_settled(id, 2);
    BOOST_TEST(stage.with([&] { return agent.seen().offers; }) == 4U);
}

BOOST_AUTO_TEST_CASE(a_completion_may_come_as_a_request_of_the_agent) {
    static_cast<void>(play({.offers = {OnOffer::complete_by_request}}));
    static_cast<void>(rotate());
    server.wait_settled(id, 2);
}

BOOST_AUTO_TEST_CASE(failure_15_manual_and_reconnect_rotations_race_for_one_pending_token) {
    ScriptedAgent& agent = play({.offers = {OnOffer::save_never_answer}});
    const json::value first = rotate();
    const json::value second = rotate();
    stage.with([&] {
        agent.cut();
        agent.connect();
    });
    BOOST_TEST(second.at("rotation_id").as_string() == first.at("rotation_id").as_string());
    const json::object settled = server.wait_settled(id, 2);
    BOOST_TEST(settled.at("generation").to_number<std::uint64_t>() == 2U,
               "one minting, whoever asked");
}

BOOST_AUTO_TEST_CASE(failure_16_nothing_is_minted_for_an_offline_agent) {
    ScriptedAgent& agent = play({});
    stage.with([&] { agent.cut(); });
    server.wait_until(id, [](const json::object& seen) { return !seen.at("connected").as_bool(); });
    const json::value started = rotate();
    BOOST_TEST(started.at("status").as_string() == "at_next_connect");
    BOOST_TEST(!started.as_object().contains("rotation_id"));
    BOOST_TEST(!started.as_object().contains("generation"));
    BOOST_TEST(!server.agent(id).contains("pending"));
    stage.with([&] { agent.connect(); });
    server.wait_settled(id, 2);
}

BOOST_AUTO_TEST_CASE(a_rotation_that_waits_for_its_agent_can_be_cancelled_an_offered_one_cannot) {
    ScriptedAgent& agent = play({.offers = {OnOffer::never_answer}});
    const json::value offered = rotate();
    const auto refused =
        server.try_call("rotations.cancel", {{"rotation_id", offered.at("rotation_id")}});
    BOOST_REQUIRE(refused.has_error());
    BOOST_CHECK(refused.error().code() == Code::wrong_state);
    server.wait_settled(id, 2);
    stage.with([&] { agent.cut(); });
    server.wait_until(id, [](const json::object& seen) { return !seen.at("connected").as_bool(); });
    static_cast<void>(rotate(true));
    static_cast<void>(server.call("rotations.cancel", {{"agent_id", id}}));
    stage.with([&] { agent.connect(); });
    server.wait_settled(id, 2);
    BOOST_TEST(stage.with([&] { return agent.newest_generation(); }) == 2U);
}

BOOST_AUTO_TEST_CASE(failure_17_an_error_inside_a_result_is_no_success) {
    for (const OnOffer wrong : {OnOffer::error_inside_result, OnOffer::wrong_shape,
                                OnOffer::error_object, OnOffer::garbage}) {
        BOOST_TEST_CONTEXT("script " << static_cast<int>(wrong)) {
            OneAgent alone;
            ScriptedAgent& agent = alone.play({.offers = {wrong}});
            static_cast<void>(alone.rotate());
            alone.server.wait_settled(alone.id, 2);
            BOOST_TEST(alone.stage.with([&] { return agent.seen().offers; }) == 2U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_commit_is_sent_until_it_is_answered) {
    ScriptedAgent& agent = play({.commits = {OnCommit::confirm_and_answer, OnCommit::never_answer,
                                             OnCommit::error_object, OnCommit::disconnect}});
    static_cast<void>(rotate());
    stage.wait("three commits went unanswered",
               [&] { return agent.seen().commits >= 4 && !agent.connected(); });
    stage.with([&] { agent.connect(); });
    server.wait_settled(id, 2);
}

BOOST_AUTO_TEST_CASE(a_stale_generation_is_answered_with_a_higher_one) {
    ScriptedAgent& agent = play({.offers = {OnOffer::fail_stale}, .newest_held = 40});
    static_cast<void>(rotate());
    server.wait_settled(id, 41);
    BOOST_TEST(stage.with([&] { return agent.newest_generation(); }) == 41U);
}

BOOST_AUTO_TEST_CASE(an_offer_that_never_succeeds_raises_an_alarm) {
    std::deque<OnOffer> never(6, OnOffer::fail_disk_full);
    static_cast<void>(play({.offers = never}));
    const json::value started = rotate();
    server.process().wait_for({"event=rotation.alarm", id});
    const json::value seen =
        server.call("rotations.get", {{"rotation_id", started.at("rotation_id")}});
    BOOST_TEST(seen.at("status").as_string() == "failing");
    BOOST_TEST(seen.at("last_reason").as_string() == "disk_full");
}

BOOST_AUTO_TEST_CASE(an_agent_that_calls_every_offer_stale_raises_the_alarm) {
    static_cast<void>(play({.offers = std::deque<OnOffer>(5, OnOffer::fail_stale)}));
    static_cast<void>(rotate());
    server.process().wait_for({"event=rotation.alarm", id, "reason=stale_generation"});
    // The token that it holds is accepted as before.
    BOOST_TEST(server.call("agents.get", {{"agent_id", id}}).at("generation").to_number<int>() ==
               1);
}

BOOST_AUTO_TEST_SUITE_END()
