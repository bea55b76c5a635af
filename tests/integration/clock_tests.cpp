// Wrong clocks and long times, with the real programs under Debian's faketime: the wall clock is
// moved or runs fast, the monotonic one stays true.
#include "tests/support/agent_stage.hpp"
#include "tests/support/by_hand.hpp"
#include "tests/support/daemons.hpp"
#include "tests/support/movable_clock.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

// A wall clock that is wrong from the start, by so much.
std::map<std::string, std::string> wall_clock(const std::string& shift) {
    return {{"LD_PRELOAD", faketime_library()},
            {"FAKETIME", shift},
            {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(clock_tests)

BOOST_AUTO_TEST_CASE(failure_25_an_agent_whose_clock_is_years_off_enrolls_and_is_rotated) {
    for (const char* shift : {"+30y", "-10y"}) {
        BOOST_TEST_CONTEXT(shift) {
            Rekeyd server;
            const Rekeyd::NewAgent created = server.new_agent("one");
            TemporaryDirectory home;
            const std::string state = home.file("state.json");
            const Finished enrolled = run({agent_program(), "enroll", "--state", state},
                                          created.join_string + "\n", wall_clock(shift));
            BOOST_REQUIRE_EQUAL(enrolled.exit_code, 0);
            Process agent({.command = {agent_program(), "run", "--state", state},
                           .environment = wall_clock(shift)});
            server.wait_settled(created.agent_id, 1);
            static_cast<void>(server.call("rotations.start", {{"agent_id", created.agent_id}}));
            server.wait_settled(created.agent_id, 2);
        }
    }
}

// The grace really passes here, and the clock jumps over it.
BOOST_AUTO_TEST_CASE(failure_20_a_stolen_token_shown_after_the_grace_raises_the_alarm) {
    MovableClock clock;
    Rekeyd::Options options;
    options.transport = Transport::plain;
    options.environment = clock.environment();
    options.environment.emplace("REKEY_SCHEDULER_INTERVAL_SECONDS", "1");
    Rekeyd server(options);
    AgentStage stage;
    ScriptedAgent& agent = stage.enroll_and_connect(server, "one");
    const json::object subject{{"agent_id", agent.agent_id()}};
    server.wait_settled(agent.agent_id(), 1);
    const ScriptedIdentity stolen = stage.with([&] {
        return ScriptedIdentity{server.host(), server.port(), server.tls(), agent.agent_id(),
                                agent.held()};
    });
    static_cast<void>(server.call("rotations.start", subject));
    server.wait_settled(agent.agent_id(), 2);
    clock.move("+6m");
    server.wait_until(agent.agent_id(),
                      [](const json::object& row) { return !row.contains("previous_generation"); });
    ScriptedAgent& thief = stage.add(stolen, {});
    stage.with([&] { thief.connect(); });
    stage.wait("the thief is refused", [&] { return !thief.seen().refusal.empty(); });
    json::object query = subject;
    query["action"] = "token.reuse_detected";
    BOOST_TEST(server.call("audit.query", query).at("entries").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_scheduler_rotates_before_expiry_at_the_stored_moment) {
    MovableClock clock;
    Rekeyd::Options options;
    options.transport = Transport::plain;
    options.environment = clock.environment();
    options.environment.insert({{"REKEY_AGENT_TOKEN_ROTATION_DAYS", "10"},
                                {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"},
                                {"REKEY_ROTATE_AT_FRACTION_MIN", "0.5"},
                                {"REKEY_ROTATE_AT_FRACTION_MAX", "0.6"}});
    Rekeyd server(options);
    const Rekeyd::NewAgent created = server.new_agent("one");
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    agent.start();
    server.wait_settled(created.agent_id, 1);
    clock.move("+4d");
    // Two ticks pass, as the process itself shows, before "not yet" says anything.
    static_cast<void>(server.call("settings.set", {{"settings", {{"heartbeat_seconds", 29}}}}));
    server.wait_until(created.agent_id,
                      [ticks = 0](const json::object&) mutable { return ++ticks > 100; });
    BOOST_TEST(server.agent(created.agent_id).at("generation").to_number<std::uint64_t>() == 1U,
               "it is not due yet");
    clock.move("+7d");
    server.wait_settled(created.agent_id, 2);
    clock.move("+14d");
    server.wait_settled(created.agent_id, 3);
    const json::value audit = server.call(
        "audit.query", {{"agent_id", created.agent_id}, {"action", "rotation.started"}});
    BOOST_TEST(audit.at("entries").as_array().size() == 3U, "enrollment and two by schedule");
    BOOST_TEST(agent.process().count("token_expired") == 0U);
}

BOOST_AUTO_TEST_CASE(failure_10_an_expired_token_is_refused_and_the_agent_deletes_nothing) {
    Rekeyd server;
    const Rekeyd::NewAgent created = server.new_agent("one");
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    agent.start();
    server.wait_settled(created.agent_id, 1);
    agent.kill();
    server.kill();
    server.options().environment = wall_clock("+60d");
    server.start();
    agent.start();
    agent.process().wait_for({"token_expired"});
    BOOST_TEST(std::filesystem::exists(agent.state_path()));
    agent.process().wait_for({"event=recovery.started"});
    BOOST_TEST(agent.process().running());
}

BOOST_AUTO_TEST_CASE(an_agent_that_slept_through_its_tokens_life_recovers_without_budget) {
    MovableClock clock;
    Rekeyd::Options options;
    options.transport = Transport::plain;
    options.environment = clock.environment();
    options.environment["REKEY_RECOVERY_BUDGET"] = "0";
    Rekeyd server(options);
    AgentStage stage;
    const Ed25519Key key = Ed25519Key::generate();
    ScriptedIdentity identity = enroll_by_hand(server, "one", key);
    const Secret token = identity.held.front().token;
    const auto visit = [&](std::uint64_t generation) {
        ScriptedAgent& agent = stage.add(identity, {});
        stage.with([&] { agent.connect(); });
        server.wait_settled(identity.agent_id, generation);
        stage.with([&] { agent.disconnect(); });
        stage.wait("it has gone", [&] { return agent.hung_up(); });
    };
    visit(1);
    clock.move("+60d");
    ScriptedAgent& late = stage.add(identity, {});
    stage.with([&] { late.connect(); });
    stage.wait("it is refused", [&] { return !late.seen().refusal.empty(); });
    BOOST_TEST(stage.with([&] { return late.seen().refusal; }) == "token_expired");

    static_cast<void>(server.call(
        "settings.set", {{"settings", json::object{{"expired_token_policy", "reject"}}}}));
    BOOST_TEST(refusal_name(recover_by_hand(server, identity.agent_id, 1, key, token)) ==
               "token_expired");
    static_cast<void>(server.call(
        "settings.set", {{"settings", json::object{{"expired_token_policy", "recover"}}}}));
    BOOST_TEST(refusal_name(recover_by_hand(server, identity.agent_id, 1, key)) == "rate_limited",
               "without the token that is merely expired it costs a unit");
    take_recovered(identity, recover_by_hand(server, identity.agent_id, 1, key, token));
    visit(2);
}

BOOST_AUTO_TEST_CASE(failure_25_the_server_certificate_is_renewed_in_the_running_process) {
    MovableClock clock;
    Rekeyd::Options options;
    options.environment = clock.environment();
    Rekeyd server(options);
    const Rekeyd::NewAgent created = server.new_agent("one");
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    clock.move("+61d");  // two thirds of 90 days are over
    server.process().wait_for({"event=certificate.renewed"});
    // The pin is the CA's, so the agent believes the new certificate; and a token's life begins at
    // its first connect.
    agent.start();
    agent.process().wait_for({"event=session.connected"});
}

// Days pass while it stands still: a clock that jumps under a running server removes nothing.
BOOST_AUTO_TEST_CASE(audit_rows_that_are_too_old_go_and_the_rest_is_verified) {
    MovableClock clock;
    Rekeyd::Options options;
    options.transport = Transport::plain;
    options.environment = clock.environment();
    options.environment.emplace("REKEY_AUDIT_RETENTION_DAYS", "30");
    Rekeyd server(options);
    static_cast<void>(server.new_agent("one"));
    BOOST_REQUIRE_EQUAL(server.stop(), 0);
    clock.move("+31d");
    server.start();
    server.process().wait_for({"event=audit.removed"});
    static_cast<void>(server.new_agent("two"));
    const json::value verified = server.call("audit.verify");
    BOOST_TEST(verified.at("verified").as_bool());
    BOOST_TEST(verified.at("first_seq").to_number<int>() > 1);
    const json::value removed = server.call("audit.query", {{"action", "audit.removed"}});
    BOOST_REQUIRE(!removed.at("entries").as_array().empty());
    BOOST_TEST(removed.at("entries").at(0).at("details").at("first_seq").to_number<int>() == 1);
    TemporaryDirectory home;
    const std::string exported = home.file("audit.jsonl");
    const Finished written =
        run({ctl_program(), "--data-dir", server.directory(), "--plain-http", "audit", "export"});
    std::ofstream(exported) << written.output;
    const Finished checked = run({ctl_program(), "audit", "verify", exported});
    BOOST_TEST(checked.exit_code == 0, checked.output);
}

BOOST_AUTO_TEST_SUITE_END()
