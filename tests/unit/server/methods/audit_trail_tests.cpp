#include "protocol/catalog.hpp"
#include "tests/unit/server/support/door_world.hpp"

#include <set>

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

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

    // Calls `method` as the admin, and looks for the row of `action` about `subject`.
    void check(std::string_view method, const boost::json::object& params, std::string_view action,
               std::string_view subject) {
        BOOST_TEST_CONTEXT(method) {
            called.insert(std::string(method));
            const std::uint64_t before = newest();
            static_cast<void>(ok(admin, method, params));
            std::size_t found = 0;
            for (const auto& row : rows_after(before)) {
                if (row.event.action != action || row.event.subject != subject) continue;
                ++found;
                BOOST_TEST(row.event.actor == admin.agent_id);
                BOOST_TEST(row.event.outcome == "ok");
                BOOST_TEST((row.event.time == clock.now()));
                const auto& details = row.event.details;
                for (const auto& [name, value] : {std::pair("address", admin.address),
                                                  std::pair("request_id", admin.request_id),
                                                  std::pair("api_key_id", admin.key_id)}) {
                    BOOST_REQUIRE_MESSAGE(details.contains(name), row.details_json);
                    BOOST_TEST(details.at(name).as_string() == value);
                }
            }
            BOOST_TEST(found == 1U, action << " was written " << found << " times");
        }
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

    std::set<std::string> called;
};

std::string id_of(const boost::json::object& row) {
    return std::string(row.at("agent_id").as_string());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(audit_trail_tests, Fixture)

BOOST_AUTO_TEST_CASE(every_change_by_an_admin_says_who_what_and_from_where) {
    const auto agent_id = enrolled_agent("a");
    const boost::json::object agent{{"agent_id", agent_id}};
    check("rotations.start", agent, "rotation.requested", agent_id);
    check("rotations.cancel", agent, "rotation.request_cancelled", agent_id);
    const auto session = connect(agent_id, 1);
    check("rotations.start", agent, "rotation.started", agent_id);
    check("agents.recover", agent, "recovery.granted", agent_id);
    check("agents.recover", {{"agent_id", agent_id}, {"bar_tokens", true}}, "agent.barred",
          agent_id);
    check("agents.suspend", agent, "agent.suspended", agent_id);
    check("agents.reactivate", agent, "agent.reactivated", agent_id);
    check("agents.revoke", agent, "agent.revoked", agent_id);
    check("settings.set", {{"settings", {{"jwt_minutes", 3}}}}, "settings.changed", "settings");
    const auto fresh = create_agent("fresh");
    check("agents.enrollment_code", {{"agent_id", fresh}}, "enrollment_code.created", fresh);

    // Its subject is known afterwards only.
    const std::uint64_t before = newest();
    const auto created = ok(admin, "agents.create", {{"name", "another"}});
    called.insert("agents.create");
    const auto rows = rows_after(before);
    BOOST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0].event.action == "agent.created");
    BOOST_TEST(rows[0].event.subject == id_of(created));
    BOOST_TEST(rows[0].event.actor == admin.agent_id);
    BOOST_TEST(rows[0].event.details.at("address").as_string() == "192.0.2.99");
    BOOST_TEST(rows[0].event.details.at("request_id").as_string() == "request-17");
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
