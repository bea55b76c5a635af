// A token in the wrong hands, with the real programs: shown after it was retired, or beside the
// session of its holder. And an honest agent in bad weather, which is never taken for a thief.
#include "tests/support/agent_stage.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <signal.h>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

Rekeyd::Options quick(const std::string& reuse_policy = "alert") {
    Rekeyd::Options options;
    options.transport = Transport::plain;
    options.environment = {{"REKEY_ROTATION_TIMEOUT_SECONDS", "1"},
                           {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"},
                           {"REKEY_REUSE_POLICY", reuse_policy}};
    return options;
}

json::array audited(const Rekeyd& server, const std::string& agent_id, const std::string& action) {
    return server.call("audit.query", {{"agent_id", agent_id}, {"action", action}})
        .at("entries")
        .as_array();
}

// The name of each finding, and the text of one.
json::array findings(const Rekeyd& server, const std::string& agent_id) {
    return server.call("agents.why", {{"agent_id", agent_id}}).at("findings").as_array();
}

std::string text_of(const json::array& all, std::string_view name) {
    for (const json::value& one : all)
        if (one.at("name").as_string() == json::string_view(name.data(), name.size()))
            return std::string(one.at("text").as_string());
    return {};
}

bool contains(const std::string& text, std::string_view words) {
    return text.find(words) != std::string::npos;
}

struct Stolen {
    explicit Stolen(const std::string& policy = "alert") : server(quick(policy)) {}

    // An agent whose first token was copied, and that has left it behind two rotations ago.
    ScriptedAgent& agent_with_stolen_token() {
        ScriptedAgent& agent = stage.enroll_and_connect(server, "one");
        id = agent.agent_id();
        server.wait_settled(id, 1);
        stolen = copy_of(agent);
        rotate_to(2);
        rotate_to(3);
        return agent;
    }
    ScriptedIdentity copy_of(ScriptedAgent& agent) {
        return stage.with([&] {
            return ScriptedIdentity{server.host(), server.port(), server.tls(), agent.agent_id(),
                                    agent.held()};
        });
    }
    void rotate_to(std::uint64_t generation) {
        static_cast<void>(server.call("rotations.start", {{"agent_id", id}, {"force", true}}));
        server.wait_settled(id, generation);
    }
    // What the thief hears.
    std::string show_stolen() {
        ScriptedAgent& thief = stage.add(stolen, {});
        stage.with([&] { thief.connect(); });
        stage.wait("the thief is refused", [&] { return !thief.seen().refusal.empty(); });
        return stage.with([&] { return thief.seen().refusal; });
    }

    Rekeyd server;
    AgentStage stage;
    ScriptedIdentity stolen;
    std::string id;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(reuse_tests)

BOOST_AUTO_TEST_CASE(failure_20_a_stolen_token_is_audited_with_both_addresses) {
    Stolen world;
    ScriptedAgent& agent = world.agent_with_stolen_token();
    for (int i = 0; i < 3; ++i) BOOST_TEST(world.show_stolen() == "unknown_credential");

    const json::array rows = audited(world.server, world.id, "token.reuse_detected");
    BOOST_REQUIRE(rows.size() == 1U);
    const json::object& details = rows[0].at("details").as_object();
    BOOST_TEST(details.at("generation").to_number<std::uint64_t>() == 1U);
    BOOST_TEST(details.at("address").as_string() == "127.0.0.1");
    BOOST_TEST(std::string(details.at("holder_address").as_string()).starts_with("127.0.0.1:"));
    BOOST_TEST(!details.at("suspended").as_bool());
    BOOST_TEST(world.stage.with([&] { return agent.connected(); }), "its holder goes on");
    const json::array why = findings(world.server, world.id);
    BOOST_TEST(why[0].at("name").as_string() == "reuse_detected");
    BOOST_TEST(why[0].at("level").as_string() == "alarm");

    // An emergency that only the holder follows closes it, and says so.
    world.rotate_to(4);
    BOOST_TEST(text_of(findings(world.server, world.id), "reuse_detected").empty());
    const json::array closed = audited(world.server, world.id, "token.reuse_closed");
    BOOST_REQUIRE(closed.size() == 1U);
    BOOST_TEST(closed[0].at("details").at("closed_by").as_string() == "emergency");
}

BOOST_AUTO_TEST_CASE(with_the_policy_suspend_the_agent_is_suspended_and_its_session_closed) {
    Stolen world("suspend");
    ScriptedAgent& agent = world.agent_with_stolen_token();
    BOOST_TEST(world.show_stolen() == "unknown_credential");
    world.stage.wait("its session is closed", [&] { return agent.seen().close_code != 0; });
    BOOST_TEST(world.stage.with([&] { return agent.seen().close_code; }) == 4010U);
    BOOST_TEST(world.server.agent(world.id).at("status").as_string() == "suspended");
    const json::array why = findings(world.server, world.id);
    BOOST_TEST(contains(text_of(why, "suspended"), "reuse_policy = suspend"));
    BOOST_TEST(!text_of(why, "reuse_detected").empty());
    BOOST_TEST(audited(world.server, world.id, "token.reuse_detected").size() == 1U);

    // An admin has looked: the alarm is closed, and the stolen token raises no second one.
    static_cast<void>(world.server.call("agents.reactivate", {{"agent_id", world.id}}));
    BOOST_TEST(world.show_stolen() == "unknown_credential");
    world.stage.with([&] { agent.connect(); });
    world.server.wait_settled(world.id, 3);
    BOOST_TEST(audited(world.server, world.id, "token.reuse_detected").size() == 1U);
}

BOOST_AUTO_TEST_CASE(of_two_live_holders_the_first_keeps_its_session_and_why_says_so) {
    Stolen world;
    ScriptedAgent& first = world.agent_with_stolen_token();
    ScriptedAgent& second = world.stage.add(world.copy_of(first), {});
    world.stage.with([&] { second.connect(); });
    world.stage.wait("the second is refused", [&] { return second.seen().close_code != 0; });
    BOOST_TEST(world.stage.with([&] { return second.seen().close_code; }) == 4011U);
    BOOST_TEST(world.stage.with([&] { return second.seen().welcomes; }) == 0U);
    BOOST_TEST(world.stage.with([&] { return first.connected(); }));

    // It is written down while the second one is already being closed.
    static_cast<void>(world.server.wait_until(world.id, [&](const json::object&) {
        return !text_of(findings(world.server, world.id), "contested").empty();
    }));
    const json::array why = findings(world.server, world.id);
    BOOST_TEST(contains(text_of(why, "contested"), "127.0.0.1"));
    const json::array rows = audited(world.server, world.id, "agent.contested");
    BOOST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0].at("details").at("generation").to_number<std::uint64_t>() == 3U);
    const Finished told = run({ctl_program(), "agents", "why", "one", "--data-dir",
                               world.server.directory(), "--plain-http"});
    BOOST_TEST(told.exit_code == 0, told.output);
    BOOST_TEST(contains(told.output, "contested  ALARM"), told.output);
    BOOST_TEST(contains(told.output, "two live holders"), told.output);

    // A rotation that only the first one follows ends it.
    world.rotate_to(4);
    BOOST_TEST(text_of(findings(world.server, world.id), "contested").empty());
}

// The old connection of a single holder is dead, and what it had sent is still on its way.
BOOST_AUTO_TEST_CASE(i18_an_agent_that_gave_its_connection_up_is_not_contested) {
    Stolen world;
    ScriptedAgent& agent =
        world.stage.enroll_and_connect(world.server, "one", {.answer_pings = false});
    world.id = agent.agent_id();
    world.server.wait_settled(world.id, 1);
    ScriptedAgent& back = world.stage.add(world.copy_of(agent), {});
    world.stage.with([&] {
        back.connect();
        agent.heartbeat();
    });
    world.stage.wait("the newer one is in", [&] { return back.seen().welcomes == 1; });
    BOOST_TEST(world.stage.with([&] { return agent.seen().close_code; }) == 4002U);
    BOOST_TEST(audited(world.server, world.id, "agent.contested").empty());
}

BOOST_AUTO_TEST_CASE(i18_an_honest_agent_that_crashes_thirty_times_raises_nothing) {
    Rekeyd server(quick("suspend"));
    const Rekeyd::NewAgent created = server.new_agent("one");
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    const json::object emergency{{"agent_id", created.agent_id}, {"force", true}};
    agent.start();
    for (int round = 0; round < 30; ++round) {
        // Whatever comes of it: sometimes one is under way, sometimes the agent is not there.
        static_cast<void>(server.try_call("rotations.start", emergency));
        if (round % 5 == 4) {
            // Stopped while it is offered a token, and going on as if nothing had been.
            agent.process().signal(SIGSTOP);
            static_cast<void>(server.try_call("rotations.start", emergency));
            agent.process().signal(SIGCONT);
        }
        if (round % 7 == 6) {
            server.kill();
            server.start();
        }
        // Each time a little later in what the offer sets going.
        if (round % 3 == 2) server.wait_settled(created.agent_id, 1);
        agent.kill();
        agent.start();
    }
    server.wait_settled(created.agent_id, 1);
    BOOST_TEST(audited(server, created.agent_id, "token.reuse_detected").empty());
    BOOST_TEST(audited(server, created.agent_id, "agent.contested").empty());
    BOOST_TEST(audited(server, created.agent_id, "rotation.promoted").size() > 5U,
               "tokens were retired");
    const json::array why = findings(server, created.agent_id);
    BOOST_TEST(why[0].at("level").as_string() != "alarm");
}

BOOST_AUTO_TEST_SUITE_END()
