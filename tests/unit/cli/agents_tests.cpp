#include "fake_server.hpp"
#include "protocol/methods/agent_recovery.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;

BOOST_FIXTURE_TEST_SUITE(agents_tests, Rekeyctl)

BOOST_AUTO_TEST_CASE(a_list_is_read_to_its_last_page) {
    std::vector<protocol::AgentSummary> agents;
    for (unsigned i = 1; i <= 1201; ++i) agents.push_back(agent(i, fmt::format("web-{}", i)));
    server.hold(agents);
    BOOST_TEST((run({"agents", "list"}) == ExitCode::ok));
    BOOST_TEST(server.count("agents.list") == 3U);
    BOOST_TEST(out.str().find("web-1201 ") != std::string::npos);
    BOOST_TEST(out.str().starts_with("NAME"));

    out.str({});
    BOOST_TEST((run({"agents", "list", "-o", "json"}) == ExitCode::ok));
    const boost::json::value json = boost::json::parse(out.str());
    BOOST_TEST(json.at("agents").as_array().size() == 1201U);
    BOOST_TEST(!json.as_object().contains("next_cursor"));
}

BOOST_AUTO_TEST_CASE(filters_become_params) {
    server.hold({});
    BOOST_TEST((run({"agents", "list", "--status", "suspended", "--type", "daemon", "--offline"}) ==
                ExitCode::ok));
    BOOST_TEST(boost::json::serialize(server.calls().back().params) ==
               R"({"status":"suspended","type":"daemon","connected":false,"limit":500})");
    BOOST_TEST((run({"agents", "list", "--status", "asleep"}) == ExitCode::usage));
    BOOST_TEST(err.str().find("active, suspended, revoked") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(json_is_the_result_exactly) {
    server.hold({agent(1, "web-1")});
    // What this rekeyctl does not know is no reason to hide it.
    server.answer("agents.get",
                  R"({"new_member":[1,2.5],"agent_id":")" + id_of(1) +
                      R"(","name":"web-1","type":"agent","status":"active","enrolled":true,)"
                      R"("connected":true,"labels":{},"created_at":"2026-11-21T07:36:10.000Z",)"
                      R"("generation":1,"activated_generation":1,"metadata":{},)"
                      R"("rotation_count":0})");
    BOOST_TEST((run({"agents", "get", "web-1", "-o", "json"}) == ExitCode::ok));
    BOOST_TEST(out.str().starts_with("{\n  \"new_member\": [\n    1,\n    2.5\n  ],"));
}

BOOST_AUTO_TEST_CASE(an_agent_is_named_by_name_or_id) {
    server.hold({agent(1, "web-1"), agent(2, "web-2")});
    BOOST_TEST((run({"agents", "get", "web-2"}) == ExitCode::ok));
    BOOST_TEST(out.str().find(id_of(2)) != std::string::npos);
    BOOST_TEST(server.count("agents.list") == 1U);
    BOOST_TEST((run({"agents", "get", id_of(1)}) == ExitCode::ok));
    BOOST_TEST(server.count("agents.list") == 1U);
}

BOOST_AUTO_TEST_CASE(a_connected_agent_is_seen_now_and_an_admin_is_not_waited_for) {
    protocol::AgentSummary there = agent(1, "web-1");
    there.connected = true;
    there.last_seen_at.reset();
    protocol::AgentSummary admin = agent(2, "admin");
    admin.type = "admin";
    admin.enrolled = false;
    admin.connected = false;
    server.hold({there, admin});
    BOOST_TEST((run({"agents", "list"}) == ExitCode::ok));
    const std::string text = out.str();
    const std::string first = text.substr(text.find("web-1"), text.find('\n', text.find("web-1")));
    BOOST_TEST(first.find("  now  ") != std::string::npos);
    BOOST_TEST(text.find("not enrolled") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unknown_name_gets_suggestions) {
    server.hold({agent(1, "web-1"), agent(2, "database"), agent(3, "web-2")});
    BOOST_TEST((run({"agents", "get", "web-3"}) == ExitCode::failure));
    BOOST_TEST(err.str() ==
               "rekeyctl: not_found: no agent is called web-3. Did you mean web-1 or web-2?\n");
    err.str({});
    BOOST_TEST((run({"agents", "get", "data"}) == ExitCode::failure));
    BOOST_TEST(err.str().find("Did you mean database?") != std::string::npos);
    err.str({});
    BOOST_TEST((run({"agents", "get", "databsae"}) == ExitCode::failure));
    BOOST_TEST(err.str().find("Did you mean database?") != std::string::npos);
    err.str({});
    BOOST_TEST((run({"agents", "get", "wbe-1"}) == ExitCode::failure));
    BOOST_TEST(err.str().find("Did you mean web-1") != std::string::npos);
    err.str({});
    // No agent can have this name at all.
    BOOST_TEST((run({"agents", "get", "Web 1!"}) == ExitCode::failure));
    BOOST_TEST(err.str().find("not_found: no agent is called Web 1!") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(create_sends_all_that_was_given) {
    protocol::AgentsCreate::Params got;
    server.on<protocol::AgentsCreate>([&](const protocol::AgentsCreate::Params& params) {
        got = params;
        return agent(1, params.name);
    });
    BOOST_TEST((run({"agents", "create", "web-1", "--type", "daemon", "--owner", "ops", "--label",
                     "site=berlin", "--label", "tier=a=b", "--metadata", R"({"rack":7})"}) ==
                ExitCode::ok));
    BOOST_TEST(got.name == "web-1");
    BOOST_TEST(got.type == "daemon");
    BOOST_TEST(got.owner.value_or("") == "ops");
    BOOST_TEST(got.labels.at("site") == "berlin");
    BOOST_TEST(got.labels.at("tier") == "a=b");
    BOOST_TEST(got.metadata.at("rack").as_int64() == 7);
    BOOST_TEST((run({"agents", "create", "web-1", "--label", "x"}) == ExitCode::usage));
    BOOST_TEST((run({"agents", "create", "web-1", "--metadata", "[1]"}) == ExitCode::usage));
    BOOST_TEST(server.count("agents.create") == 1U);
}

BOOST_AUTO_TEST_CASE(changes_name_the_agent_by_id_and_give_the_reason) {
    server.hold({agent(1, "web-1")});
    std::string reason;
    const auto change = [&](const protocol::AgentChangeParams& params) {
        BOOST_TEST(params.agent_id == id_of(1));
        reason = params.reason.value_or("");
        return agent(1, "web-1");
    };
    server.on<protocol::AgentsSuspend>(change);
    server.on<protocol::AgentsReactivate>(change);
    server.on<protocol::AgentsRevoke>(change);
    for (const std::string verb : {"suspend", "reactivate", "revoke"}) {
        BOOST_TEST((run({"agents", verb, "web-1", "--reason", "because " + verb}) == ExitCode::ok));
        BOOST_TEST(reason == "because " + verb);
        BOOST_TEST(server.calls().back().method == "agents." + verb);
    }
}

BOOST_AUTO_TEST_CASE(a_recovery_is_granted_and_tokens_are_barred_only_when_asked) {
    server.hold({agent(1, "web-1")});
    protocol::AgentsRecover::Params got;
    server.on<protocol::AgentsRecover>([&](const protocol::AgentsRecover::Params& params) {
        got = params;
        protocol::AgentsRecover::Result result;
        result.summary = agent(1, "web-1");
        result.recoveries_left = 2;
        result.recoveries_granted = 1;
        return result;
    });
    BOOST_TEST((run({"agents", "recover", "web-1"}) == ExitCode::ok));
    BOOST_TEST(got.agent_id == id_of(1));
    BOOST_TEST(!got.bar_tokens);
    BOOST_TEST(out.str().find("recoveries left") != std::string::npos);
    BOOST_TEST((run({"agents", "recover", "web-1", "--bar-tokens", "--reason", "copied"}) ==
                ExitCode::ok));
    BOOST_TEST(got.bar_tokens);
    BOOST_TEST(got.reason.value_or("") == "copied");
}

BOOST_AUTO_TEST_CASE(a_quiet_enrollment_code_is_the_join_string_alone) {
    server.hold({agent(1, "web-1")});
    server.on<protocol::AgentsEnrollmentCode>([&](const protocol::AgentIdParams&) {
        protocol::AgentsEnrollmentCode::Result result;
        result.code = Secret("rke_1_abc");
        result.join_string = Secret("rekey://h:1/?code=rke_1_abc&ca=system");
        result.expires_at = clock.now() + std::chrono::minutes{10};
        return result;
    });
    BOOST_TEST((run({"enroll-code", "web-1", "-q"}) == ExitCode::ok));
    BOOST_TEST(out.str() == "rekey://h:1/?code=rke_1_abc&ca=system\n");
    out.str({});
    BOOST_TEST((run({"enroll-code", "web-1"}) == ExitCode::ok));
    BOOST_TEST(out.str().find("(in 10m)") != std::string::npos);
    BOOST_TEST(err.str().empty());
    out.str({});
    BOOST_TEST((run({"enroll-code", "web-1", "-o", "json"}) == ExitCode::ok));
    BOOST_TEST(boost::json::parse(out.str()).at("code").as_string() == "rke_1_abc");
}

BOOST_AUTO_TEST_CASE(a_list_fits_the_terminal_it_is_shown_on) {
    protocol::AgentSummary one = agent(1, "a-rather-long-name-for-an-agent.example.com");
    one.connected = false;
    one.last_seen_at = clock.now() - std::chrono::hours{2};
    one.token_expires_at = clock.now() + std::chrono::days{3};
    server.hold({one});
    kind = Screen::Kind::terminal;
    columns = 80;
    BOOST_TEST((run({"agents", "list"}) == ExitCode::ok));
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) BOOST_TEST(display_width(line) <= 80U, line);
    BOOST_TEST(out.str().find("in 3d") != std::string::npos);
    BOOST_TEST(out.str().find("2h ago") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_agents_own_words_cannot_command_the_terminal) {
    protocol::AgentSummary one = agent(1, "web-1");
    one.owner = "\x1b]0;owned\x07";
    server.hold({one});
    BOOST_TEST((run({"agents", "get", "web-1"}) == ExitCode::ok));
    BOOST_TEST(out.str().find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
