#include "base/time_format.hpp"
#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

std::string text(const boost::json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

struct Fixture : DoorWorld {
    std::vector<std::string> names(boost::json::object params) {
        std::vector<std::string> found;
        const auto page = ok(admin, "agents.list", std::move(params));
        for (const auto& agent : page.at("agents").as_array())
            found.push_back(text(agent.as_object(), "name"));
        return found;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(agents_tests, Fixture)

BOOST_AUTO_TEST_CASE(create_then_get) {
    const boost::json::object params{{"name", "worker-1"},
                                     {"type", "daemon"},
                                     {"owner", "ops"},
                                     {"labels", {{"zone", "a"}}},
                                     {"metadata", {{"any", {1, "thing"}}}}};
    const auto created = ok(admin, "agents.create", params);
    BOOST_TEST(text(created, "status") == "active");
    BOOST_TEST(!created.at("enrolled").as_bool());
    const auto got = ok(admin, "agents.get", {{"agent_id", text(created, "agent_id")}});
    BOOST_TEST(text(got, "owner") == "ops");
    BOOST_TEST(got.at("labels").at("zone").as_string() == "a");
    BOOST_TEST(got.at("metadata").at("any").as_array().size() == 2U);
    BOOST_TEST(got.at("generation").to_number<int>() == 0);
    BOOST_TEST(!got.contains("pending"));
    BOOST_TEST(!got.contains("session"));
}

BOOST_AUTO_TEST_CASE(names_are_unique_and_of_one_form) {
    static_cast<void>(create_agent("a"));
    BOOST_TEST((refused(admin, "agents.create", {{"name", "a"}}) == Code::already_exists));
    for (const char* wrong : {"", "A", "a b", "a/b", "ä"}) {
        BOOST_TEST((refused(admin, "agents.create", {{"name", wrong}}) == Code::invalid_params));
    }
    BOOST_TEST((refused(admin, "agents.create", {{"name", std::string(65, 'a')}}) ==
                Code::invalid_params));
    BOOST_TEST(create_agent(std::string(64, 'a')).size() == 36U);
    const boost::json::object misspelt{{"name", "b"}, {"lables", boost::json::object()}};
    BOOST_TEST((refused(admin, "agents.create", misspelt) == Code::invalid_params));
}

// Failure 28.
BOOST_AUTO_TEST_CASE(only_an_admin_creates_one_of_type_admin) {
    const auto writer = identity("writer", {"agents:write"});
    const boost::json::object params{{"name", "boss"}, {"type", "admin"}};
    const auto answer = call(writer, "agents.create", params);
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST((answer.error().code() == Code::permission_denied));
    BOOST_TEST(answer.error().details()->at("needs").as_string() == "admin:*");
    BOOST_TEST(audited("agents.create", "permission_denied") == 1U);
    BOOST_TEST(names({{"name", "boss"}}).empty());
    static_cast<void>(ok(writer, "agents.create", {{"name", "worker"}, {"type", "daemon"}}));
    static_cast<void>(ok(admin, "agents.create", params));
}

BOOST_AUTO_TEST_CASE(an_unknown_agent_is_not_found) {
    const boost::json::object params{{"agent_id", make_uuid_v7(clock, random)}};
    for (const char* method :
         {"agents.get", "agents.why", "agents.suspend", "agents.reactivate", "agents.revoke",
          "agents.enrollment_code", "rotations.start", "rotations.cancel"}) {
        BOOST_TEST((refused(admin, method, params) == Code::not_found), method);
    }
}

BOOST_AUTO_TEST_CASE(list_pages_and_filters) {
    for (int i = 0; i < 5; ++i) {
        static_cast<void>(create_agent("a" + std::to_string(i)));
        clock.advance(Milliseconds{1});
    }
    const auto first = ok(admin, "agents.list", {{"type", "agent"}, {"limit", 3}});
    BOOST_TEST(first.at("agents").as_array().size() == 3U);
    const boost::json::object next{
        {"type", "agent"}, {"limit", 3}, {"cursor", text(first, "next_cursor")}};
    const auto second = ok(admin, "agents.list", next);
    BOOST_TEST(second.at("agents").as_array().size() == 2U);
    BOOST_TEST(!second.contains("next_cursor"));
    // A page that is exactly full is the last one when nothing follows.
    BOOST_TEST(
        !ok(admin, "agents.list", {{"type", "agent"}, {"limit", 5}}).contains("next_cursor"));

    BOOST_TEST((names({{"name", "a3"}}) == std::vector<std::string>{"a3"}));
    BOOST_TEST(names({{"name", "nobody"}}).empty());
    BOOST_TEST(names({{"name", "a3"}, {"status", "revoked"}}).empty());
    BOOST_TEST(names({{"status", "deleted"}}).empty());
    BOOST_TEST((names({{"type", "admin"}}) == std::vector<std::string>{"admin"}));
    BOOST_TEST((refused(admin, "agents.list", {{"limit", 0}}) == Code::invalid_params));
    BOOST_TEST((refused(admin, "agents.list", {{"limit", 501}}) == Code::invalid_params));
}

BOOST_AUTO_TEST_CASE(list_knows_who_is_connected) {
    const auto here = create_agent("here");
    static_cast<void>(create_agent("gone"));
    const auto session = connect(here, 1);
    BOOST_TEST((names({{"connected", true}}) == std::vector<std::string>{"here"}));
    BOOST_TEST(
        (names({{"connected", false}, {"type", "agent"}}) == std::vector<std::string>{"gone"}));
    sessions.set_ready(here, session->connection_generation(), false);
    BOOST_TEST(names({{"connected", true}}).empty());
}

BOOST_AUTO_TEST_CASE(who_is_connected_was_seen_just_now) {
    const auto here = create_agent("here");
    const auto last_seen = [&](std::string_view method) {
        auto answer = method == "agents.get"
                          ? ok(admin, method, {{"agent_id", here}})
                          : ok(admin, method, {{"name", "here"}}).at("agents").at(0).as_object();
        return answer.contains("last_seen_at") ? text(answer, "last_seen_at") : std::string();
    };
    BOOST_TEST(last_seen("agents.list").empty());
    const auto session = connect(here, 1);
    clock.advance(std::chrono::seconds{10});
    session->heard_at = clock.steady_now();
    const std::string heard = to_rfc3339(clock.now());
    clock.advance(std::chrono::seconds{3});
    BOOST_TEST(last_seen("agents.list") == heard);
    BOOST_TEST(last_seen("agents.get") == heard);
    // Its row knows from an earlier day, and is what counts when it is gone.
    const Time before = clock.now() - std::chrono::hours{24};
    change_row(here, [&](storage::AgentRow& row) { row.last_seen_at = before; });
    BOOST_TEST(last_seen("agents.list") == heard);
    sessions.set_ready(here, session->connection_generation(), false);
    BOOST_TEST(last_seen("agents.list") == to_rfc3339(before));
}

BOOST_AUTO_TEST_CASE(suspend_closes_the_sockets_and_keeps_the_tokens) {
    const auto agent_id = create_agent("a");
    change_row(agent_id, [&](storage::AgentRow& row) {
        row.credentials.current = storage::CurrentToken{.generation = 1};
    });
    const auto session = connect(agent_id, 1);
    const auto suspended = ok(admin, "agents.suspend", {{"agent_id", agent_id}, {"reason", "odd"}});
    BOOST_TEST(text(suspended, "status") == "suspended");
    BOOST_TEST(session->closed_with() == 4010);
    BOOST_TEST(row(agent_id).credentials.current.has_value());
    BOOST_TEST((closed_admin_sockets == decltype(closed_admin_sockets){{agent_id, 4010}}));
    BOOST_TEST((refused(admin, "agents.suspend", {{"agent_id", agent_id}}) == Code::wrong_state));
    BOOST_TEST(text(ok(admin, "agents.reactivate", {{"agent_id", agent_id}}), "status") ==
               "active");
    BOOST_TEST(
        (refused(admin, "agents.reactivate", {{"agent_id", agent_id}}) == Code::wrong_state));
    BOOST_TEST(audited("agent.suspended") == 1U);
    BOOST_TEST(audited("agent.reactivated") == 1U);
}

BOOST_AUTO_TEST_CASE(why_finds_in_the_trail_who_suspended_an_agent) {
    const auto agent_id = create_agent("a");
    const auto reader = identity("reader", {"agents:read"});
    const auto finding = [&] {
        const auto why = ok(reader, "agents.why", {{"agent_id", agent_id}});
        BOOST_TEST(text(why, "name") == "a");
        return why.at("findings").at(0).as_object();
    };
    BOOST_TEST(text(finding(), "name") == "not_enrolled");
    static_cast<void>(ok(admin, "agents.suspend", {{"agent_id", agent_id}, {"reason", "odd"}}));
    BOOST_TEST(text(finding(), "name") == "suspended");
    BOOST_TEST(text(finding(), "text").find("by " + admin.agent_id + " (\"odd\")") !=
               std::string::npos);
    const auto writer = identity("writer", {"agents:write"});
    BOOST_TEST(
        (refused(writer, "agents.why", {{"agent_id", agent_id}}) == Code::permission_denied));
}

// Failure 11: nothing of a revoked agent stays alive.
BOOST_AUTO_TEST_CASE(revoke_ends_tokens_sockets_keys_and_codes) {
    const auto other = identity("other-admin", {"admin:*"});
    change_row(other.agent_id, [&](storage::AgentRow& row) {
        row.credentials.current = storage::CurrentToken{.generation = 1};
    });
    const auto code = ok(admin, "agents.enrollment_code", {{"agent_id", other.agent_id}});
    const auto session = connect(other.agent_id, 1);
    BOOST_TEST(text(ok(admin, "agents.revoke", {{"agent_id", other.agent_id}}), "status") ==
               "revoked");
    BOOST_TEST(session->closed_with() == 4500);
    BOOST_TEST(!row(other.agent_id).credentials.current.has_value());
    BOOST_TEST((closed_admin_sockets == decltype(closed_admin_sockets){{other.agent_id, 4500}}));
    BOOST_TEST((refused(other, "agents.list") == Code::unknown_credential));
    const std::string code_text = text(code, "code");
    const auto parsed = protocol::parse_token(code_text);
    const auto stored = read<storage::EnrollmentCodeRow>([&](storage::Transaction& transaction) {
        return transaction.enrollment_codes().find(parsed->id);
    });
    BOOST_TEST((stored.expires_at <= clock.now()));
    BOOST_TEST(
        (refused(admin, "agents.reactivate", {{"agent_id", other.agent_id}}) == Code::wrong_state));
}

BOOST_AUTO_TEST_CASE(nobody_takes_themselves_out_so_an_admin_is_always_left) {
    for (const char* method : {"agents.suspend", "agents.revoke"}) {
        BOOST_TEST(
            (refused(admin, method, {{"agent_id", admin.agent_id}}) == Code::permission_denied));
    }
    const auto other = identity("other-admin", {"admin:*"});
    BOOST_TEST(call(other, "agents.suspend", {{"agent_id", admin.agent_id}}).has_value());
    // The one that is left cannot be taken out by anybody.
    BOOST_TEST((refused(other, "agents.suspend", {{"agent_id", other.agent_id}}) ==
                Code::permission_denied));
    BOOST_TEST((refused(admin, "agents.suspend", {{"agent_id", other.agent_id}}) ==
                Code::agent_suspended));
}

// Two admins who revoke each other at once: the second one's transaction sees what it has become.
BOOST_AUTO_TEST_CASE(the_right_to_a_change_is_read_in_its_own_transaction) {
    const auto other = identity("other-admin", {"admin:*"});
    const boost::json::value at_other{{"agent_id", other.agent_id}};
    const boost::json::value at_admin{{"agent_id", admin.agent_id}};
    const auto* route = registry.find("agents.revoke");
    auto first = route->decode(&at_other);
    auto second = route->decode(&at_admin);
    // Both were authorised before either ran.
    BOOST_TEST(run((*first)->run(admin)).has_value());
    BOOST_TEST(run((*second)->run(other)).has_error());
    BOOST_TEST((row(admin.agent_id).credentials.status == storage::AgentStatus::active));
}

BOOST_AUTO_TEST_SUITE_END()
