// The server's disk goes bad under the running rekeyd: writes are answered with `unavailable`,
// sessions and reads go on, nothing that was answered is lost, and it recovers without a restart.
#include "tests/disk/server_stand.hpp"
#include "tests/support/agent_stage.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>

using namespace rekey;
using namespace rekey::testing;

namespace {

struct Case {
    const char* what;
    std::uint32_t calls;
    int error;
};

const std::vector<Case> kCommitFaults{
    {"write-no-space", faults::kPwrite, ENOSPC},
    {"write-io-error", faults::kPwrite, EIO},
    {"write-read-only", faults::kPwrite, EROFS},
    {"sync-io-error", faults::kFsync | faults::kFdatasync, EIO},
    {"sync-no-space", faults::kFsync | faults::kFdatasync, ENOSPC},
};

// One rekey-agent, settled on its first token.
struct WithAgent : BrokenServer {
    RekeyAgent agent{"one"};
    std::string id;

    WithAgent() {
        const Rekeyd::NewAgent created = server.new_agent("one");
        id = created.agent_id;
        BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
        agent.start();
        server.wait_settled(id, 1);
    }
    void expect_never_disconnected() {
        BOOST_TEST(agent.process().count("event=session.closed") == 0U);
        BOOST_TEST(server.process().running());
    }
    void restart_after_kill() {
        server.kill();
        server.start();
        ledger.expect_all_there(server);
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(server_disk_tests)

BOOST_FIXTURE_TEST_CASE(a_commit_that_fails_is_unavailable_and_the_next_one_after_it_succeeds,
                        WithAgent) {
    std::uint64_t generation = 1;
    for (const Case& one : kCommitFaults) {
        BOOST_TEST_CONTEXT(one.what) {
            const std::string name = "agent-" + std::to_string(generation);
            BOOST_TEST(ledger.create(server, name).has_value());
            const std::size_t from = server.process().line_count();
            Fault fault = fail_commits(one.calls, one.error);
            expect_writes_refused(name + "-refused");
            const auto rotation = ledger.rotate(server, id);
            BOOST_REQUIRE(rotation.has_error());
            BOOST_TEST((rotation.error().code() == Code::unavailable));
            expect_reads_answered(id);
            server.process().wait_for({"event=storage.commit_failed"}, from);
            fault.lift();
            BOOST_TEST(ledger.create(server, name + "-after").has_value());
            server.process().wait_for({"event=storage.commit_recovered"}, from);
            BOOST_TEST(ledger.rotate(server, id).has_value());
            server.wait_settled(id, ++generation);
            ledger.expect_all_there(server);
            ledger.expect_nothing_else(server);
        }
    }
    BOOST_TEST(server.process().count("event=storage.commit_failed") == kCommitFaults.size(),
               "one line when it begins to fail");
    expect_never_disconnected();
    restart_after_kill();
    BOOST_TEST(number_in(server.wait_settled(id, generation), "generation") == generation);
}

BOOST_FIXTURE_TEST_CASE(a_kill_while_commits_fail_loses_nothing_that_was_answered, WithAgent) {
    for (const Case& one : kCommitFaults) {
        BOOST_TEST_CONTEXT(one.what) {
            for (const char* name : {"-1", "-2", "-3"})
                BOOST_TEST(ledger.create(server, std::string(one.what) + name).has_value());
            const Fault fault = fail_commits(one.calls, one.error);
            expect_writes_refused(std::string(one.what) + "-refused");
            server.kill();
        }
        server.start();
        ledger.expect_all_there(server);
    }
    server.wait_settled(id, 1);
    BOOST_TEST(ledger.rotate(server, id).has_value());
    server.wait_settled(id, 2);
}

BOOST_FIXTURE_TEST_CASE(a_stop_on_a_full_disk_ends_well_and_loses_nothing, WithAgent) {
    BOOST_TEST(ledger.create(server, "before").has_value());
    Fault wal = fail_commits(faults::kPwrite, ENOSPC);
    Fault database = disk.fail(faults::kPwrite, "/rekey.db", ENOSPC);
    expect_writes_refused("refused");
    BOOST_TEST(server.stop() == 0);
    BOOST_TEST(database.hits() > 0U, "the last checkpoint was tried");
    wal.lift();
    database.lift();
    server.start();
    ledger.expect_all_there(server);
}

BOOST_FIXTURE_TEST_CASE(reads_that_fail_are_unavailable_and_sessions_live_on, WithAgent) {
    restart_after_kill();  // nothing of the file is in memory
    server.wait_settled(id, 1);
    {
        const Fault fault = disk.fail(faults::kRead, "/rekey.db", EIO);
        const Fault log = disk.fail(faults::kRead, "/rekey.db-wal", EIO);
        // A reader that has the page in memory answers; one that has to look does not.
        std::optional<Code> refused;
        for (int tries = 0; tries < 200 && !refused; ++tries)
            if (const auto page = server.try_call("audit.query", {{"limit", 1 + tries}});
                page.has_error())
                refused = page.error().code();
        BOOST_REQUIRE(refused);
        BOOST_TEST((*refused == Code::unavailable));
        BOOST_TEST(server.http({.method = "GET", .target = "/healthz"}).status == 200U);
        BOOST_TEST(agent.process().count("event=session.connected") == 2U, "it is still in");
        BOOST_TEST(fault.hits() + log.hits() > 0U);
    }
    BOOST_TEST(server.try_call("audit.query", {{"limit", 500}}).has_value());
    BOOST_TEST(ledger.rotate(server, id).has_value());
    server.wait_settled(id, 2);
}

BOOST_FIXTURE_TEST_CASE(a_completion_that_cannot_be_committed_ends_on_one_generation_later,
                        BrokenServer) {
    AgentStage stage;
    ScriptedAgent& agent =
        stage.enroll_and_connect(server, "one", {.offers = {OnOffer::answer_when_told}});
    const std::string id = agent.agent_id();
    server.wait_settled(id, 1);
    const auto rotation = ledger.rotate(server, id);
    BOOST_REQUIRE(rotation.has_value());
    stage.wait("the token is saved", [&] { return agent.seen().offers == 1; });
    {
        const Fault fault = fail_commits(faults::kPwrite, ENOSPC);
        stage.with([&] { agent.send_held_replies(); });
        fault.wait_for_hit();
        BOOST_TEST(number_in(server.agent(id), "generation") == 1U);
    }
    const auto seen = server.wait_settled(id, 2);
    BOOST_TEST(number_in(seen, "generation") == 2U);
    BOOST_TEST(stage.with([&] { return agent.newest_generation(); }) == 2U);
    BOOST_TEST(stage.with([&] { return agent.seen().connects; }) == 1U, "on the same connection");
    ledger.expect_all_there(server);
}

BOOST_FIXTURE_TEST_CASE(an_agent_with_a_candidate_that_cannot_be_promoted_waits_and_is_let_in,
                        WithAgent) {
    agent.process().signal(SIGSTOP);
    const auto rotation = ledger.rotate(server, id);
    BOOST_REQUIRE(rotation.has_value());
    {
        const Fault fault = fail_commits(faults::kPwrite, ENOSPC);
        agent.process().signal(SIGCONT);
        agent.process().wait_for({"event=rotation.saved"});
        fault.wait_for_hit();
        agent.kill();
        agent.start();
        // Its candidate cannot be promoted, and nobody else's refusal makes it try the other one.
        agent.process().wait_for({"event=session.refused", "unavailable"});
        BOOST_TEST(agent.process().count("event=rotation.dropped") == 0U);
    }
    const auto seen = server.wait_settled(id, 2);
    BOOST_TEST(number_in(seen, "generation") == 2U);
    ledger.expect_all_there(server);
}

BOOST_FIXTURE_TEST_CASE(an_enrollment_on_a_full_disk_is_unavailable_and_the_same_code_works_later,
                        BrokenServer) {
    const Rekeyd::NewAgent created = server.new_agent("one");
    TemporaryDirectory home;
    Fault fault = fail_commits(faults::kPwrite, ENOSPC);
    Process enroll({.command = {agent_program(), "enroll", "--state", home.file("state.json")},
                    .standard_input = created.join_string + "\n"});
    enroll.wait_for({"event=enroll.retry", "cannot commit"});
    fault.lift();
    BOOST_TEST(enroll.wait() == 0, enroll.output());
    const Process agent({.command = {agent_program(), "run", "--state", home.file("state.json")}});
    BOOST_TEST(number_in(server.wait_settled(created.agent_id, 1), "generation") == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_data_directory_that_vanishes_is_unavailable_until_it_is_back, WithAgent) {
    BOOST_TEST(ledger.create(server, "before").has_value());
    const std::string away = server.directory() + "-away";
    std::filesystem::rename(server.directory(), away);
    expect_writes_refused("refused");
    const auto rotation = ledger.rotate(server, id);
    BOOST_TEST(rotation.has_error());
    BOOST_TEST(!std::filesystem::exists(server.directory()), "nothing is made in its place");
    expect_reads_answered(id);
    std::filesystem::rename(away, server.directory());
    BOOST_TEST(ledger.create(server, "after").has_value());
    BOOST_TEST(ledger.rotate(server, id).has_value());
    server.wait_settled(id, 2);
    ledger.expect_nothing_else(server);
    expect_never_disconnected();
    restart_after_kill();
}

BOOST_FIXTURE_TEST_CASE(a_data_directory_that_was_deleted_stays_unavailable_and_stops_well,
                        WithAgent) {
    std::filesystem::remove_all(server.directory());
    expect_writes_refused("refused");
    expect_reads_answered(id);
    // Another one in its place is not what was answered for.
    std::filesystem::create_directory(server.directory());
    expect_writes_refused("refused");
    BOOST_TEST(std::filesystem::is_empty(server.directory()));
    expect_never_disconnected();
    BOOST_TEST(server.stop() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_log_that_was_deleted_or_a_database_that_was_replaced_is_unavailable,
                        WithAgent) {
    const std::string database = server.directory() + "/rekey.db";
    for (const std::string& file : {database + "-wal", database}) {
        BOOST_TEST_CONTEXT(file) {
            std::filesystem::rename(file, file + ".away");
            expect_writes_refused("refused");
            std::filesystem::copy_file(file + ".away", file);
            expect_writes_refused("refused");
            std::filesystem::rename(file + ".away", file);
            BOOST_TEST(ledger.create(server, "after-" + std::to_string(file.size())).has_value());
        }
    }
    restart_after_kill();
}

BOOST_AUTO_TEST_SUITE_END()
