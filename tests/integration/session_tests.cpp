// The agent's socket: what the first frame must be, which frames are refused with which close code,
// who supersedes whom.
#include "base/limits.hpp"
#include "tests/support/agent_stage.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <signal.h>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

Rekeyd::Options plain() {
    Rekeyd::Options options;
    options.transport = Transport::plain;
    options.environment = {{"REKEY_HEARTBEAT_SECONDS", "5"}};
    return options;
}

struct OneSession {
    Rekeyd server{plain()};
    AgentStage stage;

    ScriptedAgent& play(Script script = {}) {
        ScriptedAgent& agent = stage.enroll_and_connect(server, "one", std::move(script));
        if (stage.with([&] { return agent.script().send_hello; }))
            stage.wait("hello is answered", [&] { return !agent.seen().answers.empty(); });
        return agent;
    }
    void expect_close(ScriptedAgent& agent, std::uint16_t code) {
        stage.wait("it is closed", [&] { return agent.seen().close_code != 0; });
        BOOST_TEST(stage.with([&] { return agent.seen().close_code; }) == code);
        BOOST_TEST(server.http({.target = "/healthz"}).status == 200U, "the process still serves");
    }
    // Sends a frame and returns the newest answer.
    json::object answer_to(ScriptedAgent& agent, std::string text) {
        const std::size_t before = stage.with([&] { return agent.seen().answers.size(); });
        stage.with([&] { agent.send_text(std::move(text)); });
        stage.wait("it is answered", [&] { return agent.seen().answers.size() > before; });
        return stage.with([&] { return agent.seen().answers.back(); });
    }
};

std::string error_name(const json::object& answer) {
    return std::string(answer.at("error").at("data").at("name").as_string());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(session_tests, OneSession)

BOOST_AUTO_TEST_CASE(without_hello_the_session_ends) {
    ScriptedAgent& agent = play({.send_hello = false});
    expect_close(agent, 4503);
}

BOOST_AUTO_TEST_CASE(another_first_frame_than_hello_ends_the_session) {
    ScriptedAgent& agent = play({.send_hello = false});
    stage.with([&] { agent.heartbeat(); });
    expect_close(agent, 4503);
}

BOOST_AUTO_TEST_CASE(a_hello_with_wrong_params_is_answered_and_may_be_repeated) {
    ScriptedAgent& agent = play({.send_hello = false});
    const json::object refused = answer_to(
        agent, R"({"jsonrpc":"2.0","id":1,"method":"agent.hello","params":{"version":7}})");
    BOOST_TEST(error_name(refused) == "invalid_params");
    BOOST_TEST(refused.at("error").at("data").at("details").at("path").as_string() == "version");
    const json::object accepted = answer_to(
        agent,
        R"({"jsonrpc":"2.0","id":2,"method":"agent.hello","params":{"version":"1","hostname":"h","os":"o",)"
        R"("boot_id":"b","tokens_held":[],"methods":[],"from_the_future":true}})");
    BOOST_TEST(accepted.at("result").at("status").as_string() == "ok");
}

BOOST_AUTO_TEST_CASE(failure_23_heartbeats_are_answered_and_silence_ends_the_session) {
    ScriptedAgent& agent = play();
    const json::object beat = answer_to(
        agent,
        R"({"jsonrpc":"2.0","id":9,"method":"agent.heartbeat","params":{"status":"ok","uptime_seconds":1,"generation":1}})");
    BOOST_TEST(beat.at("result").as_object().contains("server_time"));
    expect_close(agent, 4003);
}

BOOST_AUTO_TEST_CASE(requests_that_are_wrong_get_the_documented_error_and_the_session_stays) {
    ScriptedAgent& agent = play();
    const std::pair<const char*, const char*> cases[] = {
        {R"({"jsonrpc":"2.0","id":1,"method":"agent.nothing"})", "method_not_found"},
        {R"({"jsonrpc":"2.0","id":1,"method":"agents.list"})", "method_not_found"},
        {R"({"jsonrpc":"2.0","id":1,"method":"agent.heartbeat","params":[1]})", "invalid_params"},
        {R"({"jsonrpc":"2.0","id":1,"method":"agent.heartbeat","params":{"status":"ok","uptime_seconds":1,"generation":1,"x":1}})",
         "invalid_params"},
        {R"({"jsonrpc":"2.0","id":1,"method":"agent.rotation_complete","params":{"rotation_id":"00000000-0000-7000-8000-000000000000","generation":1,"proof":"0000000000000000000000000000000000000000000000000000000000000000"}})",
         "wrong_state"},
        {R"({"jsonrpc":"1.0","id":1,"method":"agent.heartbeat"})", "invalid_request"},
        {R"([{"jsonrpc":"2.0","id":1,"method":"agent.heartbeat"}])", "invalid_request"},
        {R"({"jsonrpc":"2.0","id":1,"method":)", "parse_error"},
        {R"("text")", "invalid_request"},
    };
    for (const auto& [text, expected] : cases) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(error_name(answer_to(agent, text)) == expected); }
    }
    BOOST_TEST(stage.with([&] { return agent.connected(); }));
}

BOOST_AUTO_TEST_CASE(the_tenth_text_that_is_no_json_in_a_minute_ends_the_session) {
    ScriptedAgent& agent = play();
    for (std::size_t i = 1; i < limits::kParseErrorsAMinute; ++i)
        BOOST_TEST(error_name(answer_to(agent, "{")) == "parse_error");
    stage.with([&] { agent.send_text("{"); });
    expect_close(agent, 4503);
}

BOOST_AUTO_TEST_CASE(a_message_over_the_limit_ends_the_session_as_too_large) {
    ScriptedAgent& agent = play();
    stage.with([&] { agent.send_text(std::string(limits::kMessageBytes + 1, ' ')); });
    expect_close(agent, 1009);
}

BOOST_AUTO_TEST_CASE(failure_13_the_end_of_an_old_socket_does_not_evict_the_new_one) {
    ScriptedAgent& agent = play({.answer_pings = false});
    const ScriptedIdentity same = stage.with([&] {
        return ScriptedIdentity{server.host(), server.port(), server.tls(), agent.agent_id(),
                                agent.held()};
    });
    // The old connection is dead but the server cannot know: it is cut without a close frame, and
    // the agent is back.
    ScriptedAgent& newer = stage.add(same, {});
    stage.with([&] {
        agent.cut();
        newer.connect();
    });
    stage.wait("the newer one is in", [&] { return newer.seen().welcomes == 1; });
    server.wait_settled(agent.agent_id(), 1);
    static_cast<void>(server.call("rotations.start", {{"agent_id", agent.agent_id()}}));
    server.wait_settled(agent.agent_id(), 2);
    BOOST_TEST(stage.with([&] { return newer.newest_generation(); }) == 2U);
}

BOOST_AUTO_TEST_CASE(suspend_closes_refuses_and_keeps_and_reactivate_lets_in_again) {
    ScriptedAgent& agent = play();
    static_cast<void>(
        server.call("agents.suspend", {{"agent_id", agent.agent_id()}, {"reason", "a test"}}));
    expect_close(agent, 4010);
    stage.with([&] { agent.connect(); });
    stage.wait("it is refused", [&] { return !agent.seen().refusal.empty(); });
    BOOST_TEST(stage.with([&] { return agent.seen().refusal; }) == "agent_suspended");
    static_cast<void>(server.call("agents.reactivate", {{"agent_id", agent.agent_id()}}));
    stage.with([&] { agent.connect(); });
    server.wait_settled(agent.agent_id(), 1);
}

BOOST_AUTO_TEST_CASE(failure_11_revoke_closes_and_nothing_lets_the_agent_in_again) {
    ScriptedAgent& agent = play();
    static_cast<void>(server.call("agents.revoke", {{"agent_id", agent.agent_id()}}));
    expect_close(agent, 4500);
    stage.with([&] { agent.connect(); });
    stage.wait("it is refused", [&] { return !agent.seen().refusal.empty(); });
    BOOST_TEST(stage.with([&] { return agent.seen().refusal; }) == "agent_revoked");
    server.kill();
    server.start();
    stage.with([&] { agent.connect(); });
    stage.wait("it is refused after a crash as well",
               [&] { return agent.seen().connects == 3 && !agent.seen().refusal.empty(); });
    BOOST_TEST(stage.with([&] { return agent.seen().refusal; }) == "agent_revoked");
    BOOST_CHECK(server.try_call("agents.reactivate", {{"agent_id", agent.agent_id()}}).has_error());
}

BOOST_AUTO_TEST_CASE(a_wrong_secret_hears_unknown_credential_whatever_the_agents_status) {
    ScriptedAgent& agent = play();
    const std::string id = agent.agent_id();
    static_cast<void>(server.call("agents.suspend", {{"agent_id", id}}));
    expect_close(agent, 4010);
    SystemRandom random;
    for (const std::string& wrong :
         {std::string("nonsense"), "rka_" + id + "_" + std::string(49, '0')}) {
        stage.with([&] { agent.connect_with(Secret(wrong)); });
        stage.wait("it is refused",
                   [&] { return !agent.seen().refusal.empty() && !agent.connected(); });
        BOOST_TEST(stage.with([&] { return agent.seen().refusal; }) == "unknown_credential");
    }
}

BOOST_AUTO_TEST_CASE(a_drain_tells_the_agents_and_closes_with_4000) {
    Rekeyd::Options options = plain();
    options.environment["REKEY_DRAIN_SECONDS"] = "1";
    Rekeyd draining(options);
    ScriptedAgent& agent = stage.enroll_and_connect(draining, "one");
    stage.wait("hello is answered", [&] { return !agent.seen().answers.empty(); });
    draining.process().signal(SIGTERM);
    stage.wait("it was told", [&] { return agent.seen().reconnect_hints == 1; });
    stage.wait("it is closed", [&] { return agent.seen().close_code != 0; });
    BOOST_TEST(stage.with([&] { return agent.seen().close_code; }) == 4000U);
    BOOST_TEST(draining.process().wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
