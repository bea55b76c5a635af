// The agent's disk goes bad under the running rekey-agent, call by call, and becomes well again:
// it refuses with the reason, keeps its token and its session, and completes the same rotation
// without a restart.
#include "tests/disk/agent_stand.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>

using namespace rekey;
using namespace rekey::testing;

namespace {

struct Breakable {
    FaultyDisk disk;
    AgentStand stand{disk.environment()};
    std::uint64_t generation = 1;

    struct Case {
        const char* what;
        std::uint32_t calls;
        std::string path_end;
        int error;
        const char* reason;
    };

    [[nodiscard]] std::string before() const { return std::to_string(generation) + ":confirmed"; }

    // A rotation meets the fault, is refused, and completes once the fault is lifted.
    // `candidate`: what is left on the disk beside the token in use.
    void expect_refused_then_completed(const Case& fault_case, bool candidate) {
        BOOST_TEST_CONTEXT(fault_case.what) {
            Fault fault = disk.fail(fault_case.calls, fault_case.path_end, fault_case.error);
            const std::string rotation = stand.rotate();
            stand.wait_refused(rotation, fault_case.reason);
            BOOST_TEST(fault.hits() > 0U);
            stand.expect_in_session(generation);
            BOOST_TEST(stand.tokens_on_disk().find(before()) != std::string::npos);
            const std::string offered = std::to_string(generation + 1) + ":candidate";
            BOOST_TEST((stand.tokens_on_disk().find(offered) != std::string::npos) == candidate);
            fault.lift();
            stand.expect_completed(rotation);
            ++generation;
            stand.expect_in_session(generation);
        }
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(agent_disk_tests, Breakable)

BOOST_AUTO_TEST_CASE(
    a_fault_before_the_rename_leaves_the_old_file_and_the_same_rotation_completes) {
    using namespace faults;
    const std::vector<Case> cases{
        {"create: no space", kOpen, "/state.json.tmp", ENOSPC, "disk_full"},
        {"create: read-only", kOpen, "/state.json.tmp", EROFS, "read_only"},
        {"write: no space", kWrite, "/state.json.tmp", ENOSPC, "disk_full"},
        {"write: over quota", kWrite, "/state.json.tmp", EDQUOT, "disk_full"},
        {"write: I/O error", kWrite, "/state.json.tmp", EIO, "other"},
        {"fsync: no space", kFsync, "/state.json.tmp", ENOSPC, "disk_full"},
        {"fsync: I/O error", kFsync, "/state.json.tmp", EIO, "other"},
        {"rename: read-only", kRename, "/state.json.tmp", EROFS, "read_only"},
        {"rename: forbidden", kRename, "/state.json.tmp", EACCES, "read_only"},
        {"rename: I/O error", kRename, "/state.json.tmp", EIO, "other"},
    };
    for (const Case& one : cases) expect_refused_then_completed(one, false);
}

BOOST_AUTO_TEST_CASE(a_fault_after_the_rename_leaves_the_token_and_a_candidate) {
    using namespace faults;
    const std::string& folder = stand.agent.home();
    const std::vector<Case> cases{
        {"open of the folder: I/O error", kOpen, folder, EIO, "other"},
        {"fsync of the folder: I/O error", kFsync, folder, EIO, "other"},
        {"fsync of the folder: no space", kFsync, folder, ENOSPC, "disk_full"},
        {"fsync of the folder: read-only", kFsync, folder, EROFS, "read_only"},
        {"read back: I/O error", kRead, "/state.json", EIO, "readback_differs"},
        {"read back: cannot be opened", kOpen, "/state.json", EIO, "readback_differs"},
        {"read back: another byte", kRead, "/state.json", kFlipByte, "readback_differs"},
    };
    for (const Case& one : cases) expect_refused_then_completed(one, true);
}

BOOST_AUTO_TEST_CASE(
    killed_behind_a_folder_that_cannot_be_synced_it_comes_back_with_its_old_token) {
    Fault fault = disk.fail(faults::kFsync | faults::kOpen, stand.agent.home(), EIO);
    const std::string rotation = stand.rotate();
    stand.wait_refused(rotation, "other");
    stand.agent.kill();
    // The candidate may be gone after a power loss: a connect with it would promote it.
    stand.start_agent();
    const std::string connected = stand.agent.process().wait_for({"event=session.connected"});
    BOOST_TEST(log_field(connected, "generation") == "1");
    BOOST_TEST(stand.tokens_on_disk() == "1:confirmed 2:candidate");
    fault.lift();
    stand.expect_completed(rotation);
}

BOOST_AUTO_TEST_CASE(a_confirmation_that_cannot_be_saved_is_asked_for_again) {
    // One write for the candidate, one for the confirmation.
    Fault fault = disk.fail(faults::kWrite, "/state.json.tmp", ENOSPC, 1);
    const std::string rotation = stand.rotate();
    const std::string line = stand.agent.process().wait_for({"event=rotation.confirm_failed"});
    BOOST_TEST(log_field(line, "reason") == "disk_full");
    fault.wait_for_hits(2);
    BOOST_TEST(stand.tokens_on_disk() == "1:confirmed 2:candidate");
    BOOST_TEST(number_in(stand.server.agent(stand.id), "activated_generation") == 1U);
    fault.lift();
    stand.expect_completed(rotation);
    BOOST_TEST(stand.tokens_on_disk() == "1:confirmed 2:confirmed");
    stand.expect_in_session(2);
}

BOOST_AUTO_TEST_CASE(a_state_file_replaced_by_garbage_is_written_anew_by_the_next_rotation) {
    for (const std::string& garbage : {std::string("not a state file"), std::string()}) {
        std::ofstream(stand.agent.state_path(), std::ios::trunc) << garbage;
        const Finished status = stand.status();
        BOOST_TEST(status.exit_code == 78);
        BOOST_TEST(status.output.find(stand.agent.state_path()) != std::string::npos);
        BOOST_TEST(content_of(stand.agent.state_path()) == garbage);
        stand.expect_in_session(generation);
        stand.expect_completed(stand.rotate());
        ++generation;
        BOOST_TEST(stand.tokens_on_disk().find(std::to_string(generation) + ":confirmed") !=
                   std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(garbage_at_start_is_an_error_that_names_the_file_and_deletes_nothing) {
    stand.agent.kill();
    const std::string path = stand.agent.state_path();
    const std::string whole = content_of(path);
    const std::string key = content_of(path + ".key");
    for (const std::string& garbage :
         {std::string("not a state file"), std::string(), whole.substr(0, whole.size() / 2),
          std::string(100, '\0'), std::string(1 << 20, 'x')}) {
        std::ofstream(path, std::ios::trunc) << garbage;
        stand.start_agent();
        BOOST_TEST(stand.agent.process().wait() == 78);
        stand.agent.process().wait_for_end_of_output();
        const std::string said = stand.agent.process().output();
        BOOST_TEST(said.find(path) != std::string::npos, said);
        BOOST_TEST(said.find("not enrolled") == std::string::npos, said);
        BOOST_TEST(content_of(path) == garbage);
        BOOST_TEST(content_of(path + ".key") == key);
    }
    std::ofstream(path, std::ios::trunc) << whole;
    stand.start_agent();
    stand.server.wait_settled(stand.id, 1);
}

BOOST_AUTO_TEST_CASE(a_state_file_that_cannot_be_read_at_start_is_not_taken_for_not_enrolled) {
    stand.agent.kill();
    const std::string whole = content_of(stand.agent.state_path());
    Fault fault = disk.fail(faults::kRead, "/state.json", EIO);
    stand.start_agent();
    BOOST_TEST(stand.agent.process().wait() == 1, "it may be otherwise next time");
    stand.agent.process().wait_for_end_of_output();
    const std::string said = stand.agent.process().output();
    BOOST_TEST(said.find(stand.agent.state_path() + ": Input/output error") != std::string::npos,
               said);
    BOOST_TEST(content_of(stand.agent.state_path()) == whole);
    fault.lift();
    stand.start_agent();
    stand.server.wait_settled(stand.id, 1);
}

BOOST_AUTO_TEST_CASE(a_full_disk_does_not_keep_it_from_starting) {
    stand.agent.kill();
    const Fault fault = disk.fail(faults::kPwrite | faults::kTruncate, "/state.json.lock", ENOSPC);
    stand.start_agent();
    stand.server.wait_settled(stand.id, 1);
    BOOST_TEST(fault.hits() > 0U);
    Process second({.command = {agent_program(), "run", "--state", stand.agent.state_path()}});
    BOOST_TEST(second.wait() == 1, "its lock holds");
}

BOOST_AUTO_TEST_CASE(a_folder_that_vanishes_while_it_runs_and_comes_back) {
    const std::string away = stand.agent.home() + "-away";
    std::filesystem::rename(stand.agent.home(), away);
    const std::string rotation = stand.rotate();
    stand.wait_refused(rotation, "other");
    stand.expect_in_session(1);
    std::filesystem::rename(away, stand.agent.home());
    stand.expect_completed(rotation);
    stand.expect_in_session(2);
}

BOOST_AUTO_TEST_CASE(
    a_folder_that_was_deleted_and_made_anew_gets_the_state_with_the_next_rotation) {
    std::filesystem::remove_all(stand.agent.home());
    const std::string rotation = stand.rotate();
    stand.wait_refused(rotation, "other");
    std::filesystem::create_directory(stand.agent.home());
    stand.expect_completed(rotation);
    stand.expect_in_session(2);
    BOOST_TEST(stand.tokens_on_disk() == "1:confirmed 2:confirmed");
}

BOOST_AUTO_TEST_CASE(an_enrollment_that_cannot_save_its_token_ends_well_with_the_same_code) {
    const Rekeyd::NewAgent created = stand.server.new_agent("two");
    TemporaryDirectory home;
    const std::string state = home.file("state.json");
    const auto enroll = [&] {
        return run({agent_program(), "enroll", "--state", state}, created.join_string + "\n",
                   disk.environment());
    };
    const auto expect_refused = [&](const char* path_end, int error, const char* word) {
        const Fault fault = disk.fail(faults::kWrite, path_end, error);
        const Finished refused = enroll();
        BOOST_TEST(refused.exit_code == 1);
        BOOST_TEST(refused.output.find(word) != std::string::npos, refused.output);
        BOOST_TEST(fault.hits() > 0U);
        BOOST_TEST(!std::filesystem::exists(state));
    };
    // Before the code is sent, and after the server has answered.
    expect_refused(".key.tmp", ENOSPC, "No space left");
    expect_refused("/state.json.tmp", ENOSPC, "No space left");
    expect_refused("/state.json.tmp", EIO, "Input/output error");
    BOOST_TEST(enroll().exit_code == 0);
    const Process second({.command = {agent_program(), "run", "--state", state}});
    stand.server.wait_settled(created.agent_id, 1);
}

BOOST_AUTO_TEST_SUITE_END()
