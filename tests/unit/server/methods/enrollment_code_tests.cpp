#include "server/bootstrap/admin_identity.hpp"
#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

struct Fixture : DoorWorld {
    boost::json::object code_for(const rpc::Caller& caller, const std::string& agent_id) {
        return ok(caller, "agents.enrollment_code", {{"agent_id", agent_id}});
    }
    Code refused_code(const rpc::Caller& caller, const std::string& agent_id) {
        return refused(caller, "agents.enrollment_code", {{"agent_id", agent_id}});
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(enrollment_code_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_code_comes_with_its_join_string_and_an_end) {
    const auto agent_id = create_agent("a");
    const auto answer = code_for(admin, agent_id);
    const std::string code(answer.at("code").as_string());
    BOOST_TEST(protocol::parse_token(code).has_value());
    BOOST_TEST(answer.at("join_string").as_string() == "rekey://example/?code=" + code);
    const auto stored = read<storage::EnrollmentCodeRow>([&](storage::Transaction& transaction) {
        return transaction.enrollment_codes().find(protocol::parse_token(code)->id);
    });
    BOOST_TEST((stored.code_hash == protocol::token_hash(code)));
    BOOST_TEST((stored.expires_at == clock.now() + std::chrono::minutes{10}));
    BOOST_TEST(audited("enrollment_code.created") == 1U);
}

BOOST_AUTO_TEST_CASE(a_newer_code_ends_the_older_one) {
    const auto agent_id = create_agent("a");
    const std::string old_code(code_for(admin, agent_id).at("code").as_string());
    static_cast<void>(code_for(admin, agent_id));
    const auto stored = read<storage::EnrollmentCodeRow>([&](storage::Transaction& transaction) {
        return transaction.enrollment_codes().find(protocol::parse_token(old_code)->id);
    });
    BOOST_TEST((stored.expires_at <= clock.now()));
}

BOOST_AUTO_TEST_CASE(enrolling_again_needs_admin) {
    const auto agent_id = create_agent("a");
    const auto writer = identity("writer", {"agents:write"});
    static_cast<void>(code_for(writer, agent_id));
    change_row(agent_id, [&](storage::AgentRow& row) { row.enrolled_at = clock.now(); });
    BOOST_TEST((refused_code(writer, agent_id) == Code::permission_denied));
    static_cast<void>(code_for(admin, agent_id));
}

// Failure 28: agents:write must not lead to what its holder has not.
BOOST_AUTO_TEST_CASE(no_code_for_an_agent_that_may_more_than_the_caller) {
    const auto powerful = identity("powerful", {"admin:*"});
    const auto auditor = identity("auditor", {"audit:read"});
    const auto writer = identity("writer", {"agents:write"});
    BOOST_TEST((refused_code(writer, powerful.agent_id) == Code::permission_denied));
    BOOST_TEST((refused_code(writer, auditor.agent_id) == Code::permission_denied));
    const auto both = identity("both", {"agents:write", "audit:*"});
    static_cast<void>(code_for(both, auditor.agent_id));
    // What the key may not, its agent's rights do not give.
    const auto narrow = identity("narrow", {"admin:*"}, std::vector<std::string>{"agents:write"});
    BOOST_TEST((refused_code(narrow, auditor.agent_id) == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(nobody_enrolls_as_the_built_in_admin) {
    const bootstrap::AdminParts admin_parts{*store, clock, random, *log, folder.file("admin.key")};
    change_row(admin.agent_id, [](storage::AgentRow& row) { row.name = "another-admin"; });
    bootstrap::ensure_admin_identity(admin_parts);
    const auto built_in = ok(admin, "agents.list", {{"name", "admin"}}).at("agents").as_array();
    const std::string agent_id(built_in.at(0).at("agent_id").as_string());
    BOOST_TEST((refused_code(admin, agent_id) == Code::permission_denied));
    const auto writer = identity("writer", {"agents:write"});
    BOOST_TEST((refused_code(writer, agent_id) == Code::permission_denied));
    BOOST_TEST(audited("agents.enrollment_code", "permission_denied") == 2U);
    // Other admins may, by those who may as much.
    static_cast<void>(code_for(admin, identity("third", {"admin:*"}).agent_id));
}

BOOST_AUTO_TEST_CASE(no_code_for_an_agent_that_is_not_active) {
    const auto agent_id = create_agent("a");
    static_cast<void>(ok(admin, "agents.suspend", {{"agent_id", agent_id}}));
    BOOST_TEST((refused_code(admin, agent_id) == Code::wrong_state));
    static_cast<void>(ok(admin, "agents.revoke", {{"agent_id", agent_id}}));
    BOOST_TEST((refused_code(admin, agent_id) == Code::wrong_state));
}

BOOST_AUTO_TEST_SUITE_END()
