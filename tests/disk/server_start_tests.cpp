// What a start of rekeyd does on a disk that is full, broken or holds garbage; and what its own
// files (certificate, DIR/listen) do when they cannot be written.
#include "tests/disk/server_stand.hpp"
#include "tests/support/movable_clock.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

using namespace rekey;
using namespace rekey::testing;

namespace {

struct Directory {
    FaultyDisk disk;
    TemporaryDirectory home;
    std::string data = home.file("data");
    std::string database = data + "/rekey.db";

    [[nodiscard]] std::unique_ptr<Process> launch() const {
        return std::make_unique<Process>(Process::Options{
            .command = {rekeyd_program(), "--data-dir", data, "--listen", "127.0.0.1:0"},
            .environment = disk.environment()});
    }
    // A start that works, and a gentle stop.
    void start_and_stop() const {
        const auto server = launch();
        server->wait_for({"event=server.listening"});
        server->signal(SIGTERM);
        BOOST_REQUIRE_EQUAL(server->wait(), 0);
    }
    // One line that names `word`, with this exit code.
    void expect_refusal(int exit_code, const std::string& word) const {
        const auto server = launch();
        BOOST_TEST(server->wait() == exit_code);
        server->wait_for_end_of_output();
        const std::string said = server->output();
        BOOST_TEST(said.find(word) != std::string::npos, word << " is not in: " << said);
        BOOST_TEST(server->count("rekeyd: ") == 1U, said);
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(server_start_tests)

BOOST_FIXTURE_TEST_CASE(a_database_of_garbage_is_refused_with_65_and_left_as_it_is, Directory) {
    start_and_stop();
    const std::string whole = content_of(database);
    BOOST_REQUIRE(whole.size() > 20000U);
    std::string torn_page = whole;
    std::fill(torn_page.begin() + 4096, torn_page.end(), 'x');
    for (const std::string& garbage : {std::string("no database"), std::string(50000, 'x'),
                                       std::string(50000, '\0'), whole.substr(0, 100), torn_page}) {
        std::ofstream(database, std::ios::trunc) << garbage;
        expect_refusal(65, database);
        BOOST_TEST((content_of(database) == garbage));
    }
    std::ofstream(database, std::ios::trunc) << whole;
    start_and_stop();
}

// Agents would be told that nobody knows them, by a server that only lost its file.
BOOST_FIXTURE_TEST_CASE(a_database_that_is_empty_or_gone_is_not_begun_anew_in_a_used_directory,
                        Directory) {
    start_and_stop();
    const std::string ca = content_of(data + "/ca.pem");
    const std::string key = content_of(data + "/admin.key");
    std::filesystem::rename(database, database + ".away");
    expect_refusal(65, database);
    std::ofstream(database, std::ios::trunc).flush();
    expect_refusal(65, database);
    BOOST_TEST(content_of(data + "/ca.pem") == ca);
    BOOST_TEST(content_of(data + "/admin.key") == key);
    std::filesystem::rename(database + ".away", database);
    start_and_stop();
}

BOOST_FIXTURE_TEST_CASE(a_first_start_that_met_a_full_disk_is_done_by_the_next, Directory) {
    using namespace faults;
    struct Case {
        std::uint32_t calls;
        const char* path_end;
        int exit_code;
    };
    const std::vector<Case> cases{{kPwrite, "/rekey.db", 74},
                                  {kPwrite, "/rekey.db-wal", 74},
                                  {kWrite, "/master.key.tmp", 73},
                                  {kWrite, "/ca.pem.tmp", 73},
                                  {kWrite, "/admin.key.tmp", 73}};
    for (const Case& one : cases) {
        BOOST_TEST_CONTEXT(one.path_end) {
            std::filesystem::remove_all(data);
            Fault fault = disk.fail(one.calls, one.path_end, ENOSPC);
            expect_refusal(one.exit_code, data);
            BOOST_TEST(fault.hits() > 0U);
            fault.lift();
            start_and_stop();
            BOOST_TEST(content_of(data + "/admin.key").starts_with("rkk_"));
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_start_that_cannot_read_its_database_says_so_and_may_be_tried_again,
                        Directory) {
    start_and_stop();
    const std::string whole = content_of(database);
    Fault fault = disk.fail(faults::kRead, "/rekey.db", EIO);
    expect_refusal(74, database);
    BOOST_TEST((content_of(database) == whole));
    fault.lift();
    start_and_stop();
}

BOOST_FIXTURE_TEST_CASE(a_full_disk_does_not_keep_a_used_server_from_starting, Directory) {
    start_and_stop();
    // What it writes at each start and can do without.
    const Fault listen = disk.fail(faults::kWrite | faults::kOpen, "/listen.tmp", ENOSPC);
    const Fault lock = disk.fail(faults::kPwrite | faults::kWrite, "/lock", ENOSPC);
    const auto server = launch();
    server->wait_for({"event=listen_file.not_written", "No space left"});
    server->wait_for({"event=server.listening"});
    BOOST_TEST(listen.hits() > 0U);
    BOOST_TEST(lock.hits() > 0U);
    expect_refusal(75, data);  // the lock holds
    server->signal(SIGTERM);
    BOOST_TEST(server->wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_renewed_on_a_full_disk_is_served_all_the_same) {
    const MovableClock clock;
    FaultyDisk disk;
    Rekeyd::Options options;
    options.environment = clock.environment();
    const auto faulty = disk.environment();
    options.environment.at("LD_PRELOAD") += ":" + faulty.at("LD_PRELOAD");
    options.environment.insert(*faulty.find(faults::kPlanVariable));
    Rekeyd server(options);
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(server.new_agent("one").join_string), 0);
    {
        const Fault fault = disk.fail(faults::kPwrite, "/rekey.db-wal", ENOSPC);
        clock.move("+61d");  // two thirds of 90 days are over
        server.process().wait_for({"event=certificate.renewed"});
        server.process().wait_for({"event=certificate.not_stored"});
        BOOST_TEST(server.process().running());
    }
    // Once there is room it is stored, and a restart serves it.
    server.process().wait_for({"event=certificate.stored"});
    agent.start();
    agent.process().wait_for({"event=session.connected"});
    server.stop();
    server.start();
    BOOST_TEST(server.process().count("event=certificate.renewed") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
