#include "protocol/catalog.hpp"
#include "tests/unit/server/support/door_world.hpp"

#include <set>

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;
using rekey::server::testing::SentCall;

namespace {

struct Fixture : DoorWorld {
    Fixture() {
        admin.address = "192.0.2.99";
        admin.request_id = "request-17";
    }

    std::vector<storage::AuditRow> rows_after(std::uint64_t seq) {
        return read<std::vector<storage::AuditRow>>([seq](storage::Transaction& transaction) {
            return transaction.audit().query({.after_seq = seq}, limits::kPageRows);
        });
    }
    std::uint64_t newest() {
        const auto rows =
            read<std::vector<storage::AuditRow>>([](storage::Transaction& transaction) {
                return transaction.audit().query(
                    {.order = storage::AuditFilter::Order::newest_first}, 1);
            });
        return rows.empty() ? 0 : rows.front().seq;
    }

    // Calls `method`, and looks for the row of `action` about `subject`; an empty one is known
    // afterwards only. Returns the answer.
    boost::json::object check_by(const rpc::Caller& caller, std::string_view method,
                                 const boost::json::object& params, std::string_view action,
                                 std::string_view subject = {}) {
        boost::json::object answer;
        BOOST_TEST_CONTEXT(method) {
            called.insert(std::string(method));
            const std::uint64_t before = newest();
            answer = ok(caller, method, params);
            std::size_t found = 0;
            for (const auto& row : rows_after(before)) {
                if (row.event.action != action) continue;
                if (!subject.empty() && row.event.subject != subject) continue;
                ++found;
                BOOST_TEST(row.event.actor == caller.agent_id);
                BOOST_TEST(row.event.outcome == "ok");
                BOOST_TEST((row.event.time == clock.now()));
                const auto& details = row.event.details;
                for (const auto& [name, value] : {std::pair("address", caller.address),
                                                  std::pair("request_id", caller.request_id),
                                                  std::pair("api_key_id", caller.key_id)}) {
                    BOOST_REQUIRE_MESSAGE(details.contains(name), row.details_json);
                    BOOST_TEST(details.at(name).as_string() == value);
                }
            }
            BOOST_TEST(found == 1U, action << " was written " << found << " times");
        }
        return answer;
    }
    void check(std::string_view method, const boost::json::object& params, std::string_view action,
               std::string_view subject) {
        static_cast<void>(check_by(admin, method, params, action, subject));
    }

    std::string enrolled_agent(const std::string& name) {
        const auto agent_id = create_agent(name);
        change_row(agent_id, [&](storage::AgentRow& row) {
            row.identity_public_key = Bytes32{1};
            row.credentials.next_generation = 2;
            row.credentials.activated_generation = 1;
            row.credentials.current =
                storage::CurrentToken{.generation = 1,
                                      .rotation_id = make_uuid_v7(clock, random),
                                      .issued_at = clock.now()};
        });
        return agent_id;
    }

    void changes_of_agents();
    void changes_of_rights();
    void changes_of_signing_keys();
    void what_an_agent_does_with_its_own_key();

    std::set<std::string> called;
};

std::string text(const boost::json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

void Fixture::changes_of_agents() {
    const auto agent_id = enrolled_agent("a");
    const boost::json::object agent{{"agent_id", agent_id}};
    const auto with = [&](boost::json::object more) {
        more["agent_id"] = agent_id;
        return more;
    };
    check("rotations.start", agent, "rotation.requested", agent_id);
    check("rotations.cancel", agent, "rotation.request_cancelled", agent_id);
    const auto session = connect(agent_id, 1);
    check("rotations.start", agent, "rotation.started", agent_id);
    check("agents.recover", agent, "recovery.granted", agent_id);
    session->on_call = [](SentCall& sent) {
        sent.answer(boost::json::value(boost::json::object{{"status", "applied"}}));
    };
    check("agents.call", with({{"method", "cache.drop"}}), "agent.called", agent_id);
    check("agents.configure", with({{"settings", boost::json::object{{"heartbeat_seconds", 20}}}}),
          "agent.configured", agent_id);
    check("agents.update", with({{"owner", "somebody"}}), "agent.updated", agent_id);
    check("agents.recover", with({{"bar_tokens", true}}), "agent.barred", agent_id);
    check("agents.suspend", agent, "agent.suspended", agent_id);
    check("agents.reactivate", agent, "agent.reactivated", agent_id);
    check("agents.revoke", agent, "agent.revoked", agent_id);
    check("agents.delete", agent, "agent.deleted", agent_id);
    const auto fresh =
        text(check_by(admin, "agents.create", {{"name", "b"}}, "agent.created"), "agent_id");
    check("agents.enrollment_code", {{"agent_id", fresh}}, "enrollment_code.created", fresh);
}

void Fixture::changes_of_rights() {
    const auto agent_id = create_agent("worker");
    const boost::json::object grant{{"agent_id", agent_id}, {"capability", "deploy:read"}};
    static_cast<void>(
        check_by(admin, "capabilities.create", {{"name", "deploy:read"}}, "capability.created"));
    check("capabilities.grant", grant, "capability.granted", agent_id);
    check("capabilities.revoke", grant, "capability.revoked", agent_id);
    check("settings.set", {{"settings", {{"jwt_minutes", 3}}}}, "settings.changed", "settings");
    boost::json::object key{{"agent_id", agent_id}, {"name", "k"}};
    key["key_id"] =
        text(check_by(admin, "keys.create", key, "api_key.created", agent_id), "key_id");
    key.erase("name");
    check("keys.rotate", key, "api_key.rotated", agent_id);
    check("keys.revoke", key, "api_key.revoked", agent_id);
}

void Fixture::changes_of_signing_keys() {
    const auto made =
        check_by(admin, "signing_keys.create", {{"algorithm", "ed25519"}}, "signing_key.created");
    const auto kid = text(made, "kid");
    check("signing_keys.rotate", {{"kid", kid}, {"at_once", true}}, "signing_key.rotated", kid);
    const boost::json::object version{{"kid", kid}, {"version", 1}};
    check("signing_keys.destroy", version, "signing_key.destruction_scheduled", kid);
    check("signing_keys.cancel_destruction", version, "signing_key.destruction_cancelled", kid);
    static_cast<void>(
        check_by(admin, "signing_keys.import",
                 {{"algorithm", "hmac-sha256"}, {"private_key", to_base64url(Bytes32{7})}},
                 "signing_key.imported"));
}

void Fixture::what_an_agent_does_with_its_own_key() {
    auto agent = identity("an agent itself", {});
    agent.address = "192.0.2.98";
    agent.request_id = "request-18";
    const std::string& id = agent.agent_id;
    const auto with = [&](boost::json::object more) {
        more["agent_id"] = id;
        return more;
    };
    const boost::json::object found{{"mcpServer", "files"}, {"detectionMethod", "import"}};
    static_cast<void>(check_by(agent, "self.report_capabilities",
                               with({{"capabilities", boost::json::array{"a"}}}), "agent.reported",
                               id));
    static_cast<void>(check_by(agent, "self.report_detections",
                               with({{"detections", boost::json::array{found}}}), "agent.reported",
                               id));
    static_cast<void>(check_by(agent, "self.register_mcp_servers",
                               with({{"mcp_server_ids", boost::json::array{"mail"}}}),
                               "agent.reported", id));
    static_cast<void>(check_by(agent, "self.rotate_key", with({}), "api_key.rotated", id));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(audit_trail_tests, Fixture)

BOOST_AUTO_TEST_CASE(every_change_says_who_what_and_from_where) {
    changes_of_agents();
    changes_of_rights();
    changes_of_signing_keys();
    what_an_agent_does_with_its_own_key();
    // Whoever declares a method that is audited says here what it leaves.
    for (const auto& info : protocol::catalog()) {
        if (info.access.audited != protocol::Audited::yes) continue;
        if (info.access.caller == protocol::Caller::agent) continue;
        BOOST_TEST(called.contains(std::string(info.name)), info.name << " was not tried");
    }
}

BOOST_AUTO_TEST_CASE(a_refused_change_says_from_where_too) {
    auto nobody = identity("nobody", {});
    nobody.address = "192.0.2.98";
    nobody.request_id = "request-18";
    const std::uint64_t before = newest();
    static_cast<void>(refused(nobody, "agents.create", {{"name", "x"}}));
    const auto rows = rows_after(before);
    BOOST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0].event.outcome == "permission_denied");
    BOOST_TEST(rows[0].event.details.at("address").as_string() == "192.0.2.98");
    BOOST_TEST(rows[0].event.details.at("request_id").as_string() == "request-18");
}

BOOST_AUTO_TEST_SUITE_END()
