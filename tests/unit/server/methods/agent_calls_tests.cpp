#include "protocol/methods/agent_verify.hpp"
#include "server/sessions/agent_requests.hpp"
#include "tests/unit/server/support/door_world.hpp"

// agents.call, .ping and .configure; agent.verify.
using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;
using rekey::server::testing::FakeSession;
using rekey::server::testing::SentCall;

namespace {

std::string text(const boost::json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

struct Fixture : DoorWorld {
    Fixture() { methods::bind_agent_requests(requests, parts); }

    std::string path_of(std::string_view method, const boost::json::object& params) {
        const auto answer = call(caller, method, params);
        BOOST_REQUIRE_MESSAGE(answer.has_error(), method << " succeeded");
        BOOST_TEST((answer.error().code() == Code::invalid_params));
        return text(*answer.error().details(), "path");
    }
    boost::json::object named(boost::json::object more = {}) const {
        more["agent_id"] = agent_id;
        return more;
    }
    std::vector<storage::AuditRow> trail(const std::string& action) {
        return read<std::vector<storage::AuditRow>>(
            [&](storage::Transaction& t) { return t.audit().query({.action = action}, 100); });
    }
    // What the agent asks on its socket.
    Result<boost::json::value> asks(const boost::json::object& params) {
        const boost::json::value value = params;
        const sessions::AgentCaller asker{
            .agent_id = agent_id, .address = "192.0.2.1", .epoch = row(agent_id).credentials.epoch};
        std::optional<Result<std::string>> heard;
        requests.call(shards.at(0), asker, "agent.verify", &value,
                      [&](Result<std::string> answer) { heard = std::move(answer); });
        for (int i = 0; i < 100 && !heard; ++i) poll();
        BOOST_REQUIRE(heard.has_value());
        if (heard->has_error()) return heard->error();
        return rekey::server::testing::parse(**heard);
    }
    std::string reason(std::string_view capability) {
        const auto answer = asks({{"capability", capability}});
        BOOST_REQUIRE(answer.has_value());
        const auto& object = answer->as_object();
        BOOST_TEST(object.at("allowed").as_bool() == (text(object, "reason") == "granted"));
        return text(object, "reason");
    }
    void grant(std::string_view capability) {
        static_cast<void>(ok(admin, "capabilities.grant", named({{"capability", capability}})));
    }

    const rpc::Caller caller = identity("caller", {"agents:call", "agents:read"});
    const std::string agent_id = create_agent("a");
    std::shared_ptr<FakeSession> session = connect(agent_id, 1);
    sessions::AgentRequests requests;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(agent_calls_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_call_reaches_the_agent_and_its_answer_comes_back) {
    session->on_call = [](SentCall& sent) {
        sent.answer(boost::json::value{{"dropped", 3}, {"of", sent.params.at("days")}});
    };
    const auto answer =
        ok(caller, "agents.call",
           named({{"method", "cache.drop"}, {"params", {{"days", 7}}}, {"timeout_seconds", 5}}));
    BOOST_TEST(answer.at("result").at("dropped").as_int64() == 3);
    BOOST_TEST(answer.at("result").at("of").as_int64() == 7);
    BOOST_TEST_REQUIRE(session->calls().size() == 1U);
    BOOST_TEST(session->calls().front().method == "cache.drop");
    BOOST_TEST((session->calls().front().timeout == std::chrono::seconds{5}));
    const auto rows = trail("agent.called");
    BOOST_TEST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows.front().event.actor == caller.agent_id);
    BOOST_TEST(rows.front().event.subject == agent_id);
    BOOST_TEST(text(rows.front().event.details, "method") == "cache.drop");
    BOOST_TEST(!rows.front().event.details.contains("params"));
    // Without params none are made up, and an array is as good as an object.
    session->on_call = [](SentCall& sent) { sent.answer(boost::json::value(nullptr)); };
    const boost::json::array positional{1, 2};
    BOOST_TEST(ok(caller, "agents.call", named({{"method", "sum"}, {"params", positional}}))
                   .at("result")
                   .is_null());
    BOOST_TEST((session->calls().back().params == boost::json::value(positional)));
}

BOOST_AUTO_TEST_CASE(the_agents_own_error_is_passed_on_as_it_came) {
    session->on_call = [](SentCall& sent) {
        boost::json::object own{{"code", 4711}, {"message", "no"}, {"data", {{"why", "full"}}}};
        sent.answer(Error(Code::internal, "no").with_verbatim(std::move(own)));
    };
    const auto answer = call(caller, "agents.call", named({{"method", "x"}}));
    BOOST_REQUIRE(answer.has_error());
    const auto error = protocol::json_rpc_error(answer.error());
    BOOST_TEST(boost::json::serialize(error) ==
               R"({"code":4711,"message":"no","data":{"why":"full"}})");
    BOOST_TEST(audited("agents.call", "internal") == 0U, "it was let through");
}

// A door takes such a code for a word about the caller's own credential, and closes his socket.
BOOST_AUTO_TEST_CASE(an_agent_says_nothing_about_its_callers_credential) {
    for (const Code claimed : {Code::agent_revoked, Code::agent_suspended, Code::token_expired,
                               Code::unknown_credential, Code::permission_denied}) {
        const auto own = protocol::json_rpc_error(Error(claimed, "so it says"));
        session->on_call = [&](SentCall& sent) {
            sent.answer(Error(claimed, "so it says").with_verbatim(own));
        };
        const auto answer = call(caller, "agents.call", named({{"method", "x"}}));
        BOOST_REQUIRE(answer.has_error());
        BOOST_TEST((answer.error().code() == Code::internal));
        BOOST_TEST((protocol::json_rpc_error(answer.error()) == own));

        session->on_call = [&](SentCall& sent) { sent.answer(Error(claimed, "so it says")); };
        BOOST_TEST((refused(caller, "agents.ping", named()) == Code::internal));
    }
}

BOOST_AUTO_TEST_CASE(what_the_protocol_keeps_for_itself_is_not_called) {
    for (const char* reserved : {"agent.rotate", "agent.commit", "agent.", "rpc.discover", "rpc.",
                                 "agent.configure", "agent.x", ""})
        BOOST_TEST(path_of("agents.call", named({{"method", reserved}})) == "method", reserved);
    BOOST_TEST(path_of("agents.call", named({{"method", std::string(129, 'a')}})) == "method");
    BOOST_TEST(path_of("agents.call", named({{"method", "x"}, {"params", 7}})) == "params");
    BOOST_TEST(path_of("agents.call", named({{"method", "x"}, {"timeout_seconds", 601}})) ==
               "timeout_seconds");
    BOOST_TEST(session->calls().empty());
    BOOST_TEST(trail("agent.called").empty());
}

BOOST_AUTO_TEST_CASE(an_agent_that_is_away_or_slow_is_said_to_be) {
    session->on_call = [](SentCall& sent) { sent.answer(Error(Code::agent_timeout, "late")); };
    BOOST_TEST((refused(caller, "agents.call", named({{"method", "x"}})) == Code::agent_timeout));
    BOOST_TEST((refused(caller, "agents.ping", named()) == Code::agent_timeout));
    sessions.set_ready(agent_id, session->connection_generation(), false);
    BOOST_TEST((refused(caller, "agents.call", named({{"method", "x"}})) == Code::agent_offline));
    BOOST_TEST((refused(caller, "agents.ping", named()) == Code::agent_offline));
    BOOST_TEST((refused(caller, "agents.configure",
                        named({{"settings", {{"log_level", "debug"}}}})) == Code::agent_offline));
    BOOST_TEST(trail("agent.called").size() == 1U, "nothing was said to it");
}

BOOST_AUTO_TEST_CASE(who_may_not_call_hears_the_same_of_everybody) {
    const auto reader = identity("reader", {"agents:read"});
    const std::string nobody = make_uuid_v7(clock, random);
    for (const auto& id : {agent_id, nobody}) {
        const boost::json::object params{{"agent_id", id}, {"method", "x"}};
        BOOST_TEST((refused(reader, "agents.call", params) == Code::permission_denied));
    }
    BOOST_TEST((refused(caller, "agents.call", {{"agent_id", nobody}, {"method", "x"}}) ==
                Code::not_found));
    BOOST_TEST((refused(caller, "agents.ping", {{"agent_id", nobody}}) == Code::not_found));
    BOOST_TEST(session->calls().empty());
}

BOOST_AUTO_TEST_CASE(ping_measures_the_way_there_and_back) {
    session->on_call = [this](SentCall& sent) {
        clock.advance(Milliseconds{42});
        sent.answer(boost::json::value{{"status", "ok"}, {"uptime_seconds", 60}});
    };
    const auto answer = ok(caller, "agents.ping", named());
    BOOST_TEST(answer.at("round_trip_ms").as_int64() == 42);
    BOOST_TEST(answer.at("uptime_seconds").as_int64() == 60);
    BOOST_TEST(session->calls().front().method == "agent.ping");
    session->on_call = [](SentCall& sent) { sent.answer(boost::json::value("what?")); };
    BOOST_TEST((refused(caller, "agents.ping", named()) == Code::internal));
}

BOOST_AUTO_TEST_CASE(configure_keeps_an_agent_from_being_taken_for_silent) {
    session->on_call = [](SentCall& sent) {
        sent.answer(boost::json::value{{"status", "applied"}});
    };
    const boost::json::object wanted{{"heartbeat_seconds", 30}, {"log_level", "debug"}};
    const auto answer = ok(caller, "agents.configure", named({{"settings", wanted}}));
    BOOST_TEST(text(answer, "status") == "applied");
    BOOST_TEST((session->calls().front().params.at("settings") == boost::json::value(wanted)));
    BOOST_TEST_REQUIRE(trail("agent.configured").size() == 1U);
    BOOST_TEST(text(trail("agent.configured").front().event.details, "log_level") == "debug");
    const auto path = [&](const boost::json::object& settings_wanted) {
        return path_of("agents.configure", named({{"settings", settings_wanted}}));
    };
    BOOST_TEST(path({{"heartbeat_seconds", 31}}) == "settings.heartbeat_seconds");
    BOOST_TEST(path({{"state_file", "/tmp/x"}}) == "settings.state_file");
    BOOST_TEST(path({}) == "settings");
}

BOOST_AUTO_TEST_CASE(verify_judges_as_the_dispatcher_does_and_leaves_a_trail) {
    static_cast<void>(ok(admin, "capabilities.create", {{"name", "files:read"}}));
    BOOST_TEST(reason("files:read") == "not_granted");
    BOOST_TEST(reason("files:raed") == "unknown_capability");
    grant("files:read");
    BOOST_TEST(reason("files:read") == "granted");
    BOOST_TEST(reason("files:*") == "not_granted");
    grant("files:*");
    BOOST_TEST(reason("files:*") == "granted");
    BOOST_TEST(reason("files:write") == "granted");
    BOOST_TEST(reason("admin:*") == "not_granted");
    const auto answer = asks({{"capability", "files:read"},
                              {"resource", "/var/log"},
                              {"context", {{"task", "nightly"}}}});
    const auto rows = trail("capability.verified");
    const auto& event = rows.back().event;
    BOOST_TEST(event.actor == agent_id);
    BOOST_TEST(event.subject == text(answer->as_object(), "verification_id"));
    BOOST_TEST(text(event.details, "capability") == "files:read");
    BOOST_TEST(text(event.details, "resource") == "/var/log");
    BOOST_TEST(event.details.at("allowed").as_bool());
    BOOST_TEST(event.details.at("context").at("task").as_string() == "nightly");
    BOOST_TEST(text(event.details, "address") == "192.0.2.1");
    BOOST_TEST(rows.size() == 8U);
}

BOOST_AUTO_TEST_CASE(what_is_long_stays_out_of_the_trail) {
    const std::string much(limits::kVerifyContextBytes, 'x');
    static_cast<void>(asks({{"capability", "files:read"}, {"context", {{"much", much}}}}));
    const auto details = trail("capability.verified").back().event.details;
    BOOST_TEST(!details.contains("context"));
    BOOST_TEST(details.at("context_bytes_left_out").to_number<std::size_t>() > much.size());
    const auto answer = asks({{"capability", "files"}});
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST((answer.error().code() == Code::invalid_params));
    BOOST_TEST(trail("capability.verified").size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_suspended_agent_may_nothing_until_its_socket_is_closed) {
    grant("agents:read");
    BOOST_TEST(reason("agents:read") == "granted");
    static_cast<void>(ok(admin, "agents.suspend", named()));
    BOOST_TEST(reason("agents:read") == "suspended");
    static_cast<void>(ok(admin, "agents.revoke", named()));
    BOOST_TEST(reason("agents:read") == "revoked");
}

BOOST_AUTO_TEST_SUITE_END()
