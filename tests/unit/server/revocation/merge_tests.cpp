#include "server/revocation/merge.hpp"
#include "tests/unit/server/support/door_world.hpp"

#include <csignal>
#include <sys/resource.h>

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;
using storage::AgentStatus;

namespace {

struct Fixture : DoorWorld {
    std::string agent_id = create_agent("a");

    void merge() { revocation::merge_revocations(*store, *revocations, clock, *log); }
    AgentStatus status() { return row(agent_id).credentials.status; }
    // Waits for whatever was appended before.
    void append(const std::string& id) {
        std::promise<Result<>> answer;
        revocations->append({id, clock.now(), "admin"},
                            [&answer](const Result<>& result) { answer.set_value(result); });
        BOOST_REQUIRE(answer.get_future().get().has_value());
    }
    void open_journal_again() {
        revocations.reset();
        revocations = revocation::FileJournal::open(folder.file("revocations"), *log);
    }
    boost::json::object named() const { return {{"agent_id", agent_id}}; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(merge_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_revoke_stands_in_the_journal_before_it_is_answered) {
    static_cast<void>(ok(admin, "agents.revoke", named()));
    BOOST_TEST(revocations->holds(agent_id));
    BOOST_TEST((refused(admin, "agents.revoke", named()) == Code::wrong_state));
}

BOOST_AUTO_TEST_CASE(a_database_from_before_a_revoke_gets_it_again) {
    // The journal knows of it, the database does not; and of agents that it never had.
    append(agent_id);
    append("somebody-else");
    const std::string code(ok(admin, "agents.enrollment_code", named()).at("code").as_string());
    open_journal_again();
    merge();
    BOOST_TEST((status() == AgentStatus::revoked));
    BOOST_TEST(audited("agent.revoked") == 1U);
    const auto code_row = read<storage::EnrollmentCodeRow>([&](storage::Transaction& transaction) {
        return transaction.enrollment_codes().find(protocol::parse_token(code)->id);
    });
    BOOST_TEST((code_row.expires_at <= clock.now()), "its code as well");
    merge();
    BOOST_TEST(audited("agent.revoked") == 1U, "once");
}

BOOST_AUTO_TEST_CASE(a_crash_between_database_and_journal_is_mended_by_the_next_start) {
    change_row(agent_id, [](storage::AgentRow& row) {
        row.credentials = rotation::revoke(row.credentials)->after;
    });
    BOOST_TEST(!revocations->holds(agent_id));
    merge();
    append("a-later-one");
    BOOST_TEST(revocations->holds(agent_id));
}

BOOST_AUTO_TEST_CASE(a_revoke_on_a_full_disk_is_in_force_unacknowledged_and_may_be_repeated) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit full = before;
    full.rlim_cur = 1;
    ::setrlimit(RLIMIT_FSIZE, &full);
    const auto session = connect(agent_id, 1);
    const Code first = refused(admin, "agents.revoke", named());
    const Code again = refused(admin, "agents.revoke", named());
    ::setrlimit(RLIMIT_FSIZE, &before);
    BOOST_TEST((first == Code::unavailable));
    BOOST_TEST((again == Code::unavailable), "not acknowledged by a repeat either");
    BOOST_TEST((status() == AgentStatus::revoked));
    BOOST_TEST((session->closed_with() == 4500U));
    const auto summary = ok(admin, "agents.revoke", named());
    BOOST_TEST(summary.at("status").as_string() == "revoked");
    BOOST_TEST(revocations->holds(agent_id));
    BOOST_TEST(audited("agent.revoked") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
