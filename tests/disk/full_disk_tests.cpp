// Real file systems: a tmpfs that is filled to the last byte, and one that turns read-only.
#include "tests/disk/agent_stand.hpp"
#include "tests/disk/ledger.hpp"
#include "tests/disk/small_disk.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>

using namespace rekey;
using namespace rekey::testing;

namespace {

constexpr std::size_t kAgentDisk = std::size_t{256} * 1024;
constexpr std::size_t kServerDisk = std::size_t{4} * 1024 * 1024;

struct FullServer {
    SmallDisk disk{kServerDisk};
    Rekeyd server{Rekeyd::Options{.environment = {{"REKEY_ROTATION_TIMEOUT_SECONDS", "1"},
                                                  {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"}},
                                  .home = disk.path()}};
    Ledger ledger;

    // Creates agents until one is refused.
    void create_until_unavailable() {
        for (int number = 0;; ++number) {
            disk.fill();  // also what a checkpoint or a new log has freed
            const Result<> created = ledger.create(server, "agent-" + std::to_string(number));
            if (created.has_value()) continue;
            BOOST_TEST((created.error().code() == Code::unavailable), created.error().message());
            return;
        }
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(full_disk_tests, *boost::unit_test::fixture<OwnMounts>())

BOOST_AUTO_TEST_CASE(an_agent_on_a_full_disk_refuses_and_completes_when_there_is_room) {
    const SmallDisk disk(kAgentDisk);
    AgentStand stand({}, disk.path());
    disk.fill();
    const std::string rotation = stand.rotate();
    stand.wait_refused(rotation, "disk_full");
    stand.expect_in_session(1);
    BOOST_TEST(stand.tokens_on_disk() == "1:confirmed");
    // A restart needs no room.
    stand.agent.kill();
    stand.start_agent();
    stand.agent.process().wait_for({"event=session.connected"});
    stand.wait_refused(rotation, "disk_full");
    disk.make_room();
    stand.expect_completed(rotation);
    stand.expect_in_session(2);
}

BOOST_AUTO_TEST_CASE(
    an_agent_on_a_read_only_disk_refuses_starts_and_completes_when_it_is_writable) {
    SmallDisk disk(kAgentDisk);
    AgentStand stand({}, disk.path());
    disk.make_read_only();
    const std::string rotation = stand.rotate();
    stand.wait_refused(rotation, "read_only");
    stand.expect_in_session(1);
    BOOST_TEST(stand.tokens_on_disk() == "1:confirmed");
    // A machine that came up with its disk read-only has a good token all the same.
    stand.agent.kill();
    stand.start_agent();
    stand.agent.process().wait_for({"event=session.connected"});
    Process second({.command = {agent_program(), "run", "--state", stand.agent.state_path()}});
    BOOST_TEST(second.wait() == 1, "its lock holds");
    disk.make_writable();
    stand.expect_completed(rotation);
    stand.expect_in_session(2);
}

BOOST_FIXTURE_TEST_CASE(a_server_on_a_full_disk_refuses_writes_reads_on_and_recovers, FullServer) {
    const Rekeyd::NewAgent created = server.new_agent("one");
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    agent.start();
    server.wait_settled(created.agent_id, 1);

    create_until_unavailable();
    ledger.expect_all_there(server);
    const auto refused = ledger.rotate(server, created.agent_id);
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code() == Code::unavailable));
    BOOST_TEST(server.agent(created.agent_id).at("connected").as_bool());

    disk.make_room();
    BOOST_TEST(ledger.create(server, "after").has_value());
    BOOST_TEST(ledger.rotate(server, created.agent_id).has_value());
    server.wait_settled(created.agent_id, 2);
    BOOST_TEST(agent.process().count("event=session.closed") == 0U);
    ledger.expect_nothing_else(server);
    server.kill();
    server.start();
    ledger.expect_all_there(server);
}

BOOST_FIXTURE_TEST_CASE(
    a_server_killed_on_a_full_disk_starts_when_there_is_room_with_all_it_answered, FullServer) {
    create_until_unavailable();
    server.kill();
    disk.fill();
    Process refused({.command = {rekeyd_program(), "--data-dir", server.directory(), "--listen",
                                 "127.0.0.1:0"}});
    // With what the killed one has left behind it may even start; if not, it says why.
    try {
        refused.wait_for({"event=server.listening"});
        refused.signal(SIGTERM);
        BOOST_TEST(refused.wait() == 0);
    } catch (const std::runtime_error&) {
        BOOST_TEST(refused.wait() == 74, refused.output());
        BOOST_TEST(refused.output().find(server.directory()) != std::string::npos);
    }
    disk.make_room();
    server.start();
    ledger.expect_all_there(server);
}

BOOST_AUTO_TEST_SUITE_END()
