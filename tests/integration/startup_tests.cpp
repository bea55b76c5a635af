// What a wrong start gets: one clear line that names the thing and the way out, an exit code, and
// nothing half-done.
#include "tests/support/daemons.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <sys/stat.h>
#include <sysexits.h>

using namespace rekey;
using namespace rekey::testing;

namespace {

struct Starting {
    TemporaryDirectory home;
    std::string data = home.file("data");

    Finished start(std::vector<std::string> more = {},
                   std::map<std::string, std::string> environment = {}) const {
        std::vector<std::string> command{rekeyd_program(), "--data-dir", data, "--listen",
                                         "127.0.0.1:0"};
        command.insert(command.end(), more.begin(), more.end());
        return run(command, {}, std::move(environment));
    }
    // A data directory as a first start leaves it.
    void make_once() const {
        Process process(
            {.command = {rekeyd_program(), "--data-dir", data, "--listen", "127.0.0.1:0"}});
        process.wait_for({"event=server.listening"});
        process.signal(SIGTERM);
        BOOST_REQUIRE_EQUAL(process.wait(), 0);
    }
    std::string database() const {
        for (const auto& entry : std::filesystem::directory_iterator(data))
            if (entry.path().extension() == ".db") return entry.path();
        throw std::runtime_error("no database in " + data);
    }
    // `exit_code` as docs/configuration.md has it.
    void expect_refusal(int exit_code, const Finished& finished,
                        const std::vector<std::string>& words) const {
        BOOST_TEST(finished.exit_code == exit_code);
        for (const std::string& word : words)
            BOOST_TEST(finished.output.find(word) != std::string::npos,
                       "'" << word << "' is not in: " << finished.output);
        BOOST_TEST(std::count(finished.output.begin(), finished.output.end(), '\n') <= 4,
                   "one clear line: " << finished.output);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(startup_tests, Starting)

BOOST_AUTO_TEST_CASE(a_first_start_makes_private_files_and_a_second_keeps_them) {
    make_once();
    const auto mode = [&](const std::string& path) {
        struct stat status{};
        BOOST_REQUIRE_EQUAL(::stat(path.c_str(), &status), 0);
        return status.st_mode & 0777U;
    };
    BOOST_TEST(mode(data) == 0700U);
    BOOST_TEST(mode(data + "/admin.key") == 0600U);
    BOOST_TEST(mode(database()) == 0600U);
    const auto content = [](const std::string& path) {
        std::ifstream file(path);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    const std::string key = content(data + "/admin.key");
    const std::string ca = content(data + "/ca.pem");
    BOOST_TEST(key.back() == '\n');
    make_once();
    BOOST_TEST(content(data + "/admin.key") == key);
    BOOST_TEST(content(data + "/ca.pem") == ca);
}

BOOST_AUTO_TEST_CASE(an_unwritable_data_directory) {
    data = "/proc/rekey-cannot-be-here";
    expect_refusal(EX_CANTCREAT, start(), {"/proc/rekey-cannot-be-here"});
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_named) {
    Rekeyd other;
    const std::string address = "127.0.0.1:" + std::to_string(other.port());
    expect_refusal(EX_UNAVAILABLE, run({rekeyd_program(), "--data-dir", data, "--listen", address}),
                   {address, "in use"});
}

BOOST_AUTO_TEST_CASE(two_servers_on_one_directory) {
    Process first({.command = {rekeyd_program(), "--data-dir", data, "--listen", "127.0.0.1:0"}});
    first.wait_for({"event=server.listening"});
    expect_refusal(EX_TEMPFAIL, start(), {data});
}

BOOST_AUTO_TEST_CASE(a_database_that_is_not_one) {
    make_once();
    const std::string path = database();
    std::filesystem::remove(path + "-wal");
    std::ofstream(path, std::ios::trunc) << "this was a database once";
    expect_refusal(EX_DATAERR, start(), {path});
}

BOOST_AUTO_TEST_CASE(a_database_of_a_newer_program_is_refused_and_left_alone) {
    make_once();
    const std::string path = database();
    BOOST_REQUIRE_EQUAL(run({"sqlite3", path, "PRAGMA user_version = 9999"}).exit_code, 0);
    expect_refusal(EX_DATAERR, start(), {path, "newer"});
    BOOST_TEST(run({"sqlite3", path, "PRAGMA user_version"}).output == "9999\n");
}

BOOST_AUTO_TEST_CASE(a_master_key_that_is_missing_or_another_is_never_made_anew) {
    make_once();
    const std::string key = data + "/master.key";
    std::filesystem::rename(key, key + ".away");
    expect_refusal(EX_CONFIG, start(), {"master.key"});
    BOOST_TEST(!std::filesystem::exists(key));
    TemporaryDirectory elsewhere;
    Starting other;
    other.make_once();
    std::filesystem::copy_file(other.data + "/master.key", key);
    expect_refusal(EX_CONFIG, start(), {"master.key"});
    std::filesystem::remove(key);
    std::filesystem::rename(key + ".away", key);
    make_once();
}

BOOST_AUTO_TEST_CASE(an_admin_key_that_others_can_read_is_refused_with_the_way_out) {
    make_once();
    BOOST_REQUIRE_EQUAL(::chmod((data + "/admin.key").c_str(), 0644), 0);
    expect_refusal(EX_NOPERM, start(), {"admin.key", "chmod 600"});
}

BOOST_AUTO_TEST_CASE(a_master_key_that_others_can_read_is_refused_with_the_way_out) {
    make_once();
    BOOST_REQUIRE_EQUAL(::chmod((data + "/master.key").c_str(), 0644), 0);
    expect_refusal(EX_NOPERM, start(), {"master.key", "chmod 600"});
    BOOST_REQUIRE_EQUAL(::chmod((data + "/master.key").c_str(), 0600), 0);
    BOOST_REQUIRE_EQUAL(::chmod(data.c_str(), 0755), 0);
    expect_refusal(EX_NOPERM, start(), {data, "chmod 700"});
}

BOOST_AUTO_TEST_CASE(certificate_files_that_are_missing_open_or_no_certificate) {
    const std::string chain = home.file("chain.pem");
    const std::string key = home.file("key.pem");
    const std::vector<std::string> flags{"--cert", chain, "--key", key};
    expect_refusal(EX_NOINPUT, start(flags), {key});
    std::ofstream(key) << "a key";
    BOOST_REQUIRE_EQUAL(::chmod(key.c_str(), 0644), 0);
    expect_refusal(EX_NOPERM, start(flags), {key, "chmod 600"});
    BOOST_REQUIRE_EQUAL(::chmod(key.c_str(), 0600), 0);
    expect_refusal(EX_NOINPUT, start(flags), {chain});
    std::ofstream(chain) << "a chain";
    expect_refusal(EX_CONFIG, start(flags), {chain});
}

BOOST_AUTO_TEST_CASE(there_is_no_key_to_reset_where_no_server_ever_was) {
    expect_refusal(EX_NOINPUT, run({rekeyd_program(), "admin-key", "--reset", "--data-dir", data}),
                   {data});
}

BOOST_AUTO_TEST_CASE(a_configuration_that_is_wrong_names_the_key) {
    const std::string file = home.file("rekey.toml");
    std::ofstream(file) << "agent_token_rotation_day = 7\n";
    expect_refusal(EX_CONFIG, start({"--config", file}), {file, "agent_token_rotation_day"});
    std::ofstream(file, std::ios::trunc) << "agent_token_rotation_days = 400\n";
    expect_refusal(EX_CONFIG, start({"--config", file}), {"agent_token_rotation_days", "365"});
    std::ofstream(file, std::ios::trunc) << "this is = = no toml\n";
    expect_refusal(EX_CONFIG, start({"--config", file}), {file});
    expect_refusal(EX_NOINPUT, start({"--config", home.file("none.toml")}), {"none.toml"});
    expect_refusal(EX_CONFIG, start({}, {{"REKEY_HEARTBEAT_SECONDS", "1"}}), {"heartbeat_seconds"});
}

BOOST_AUTO_TEST_CASE(a_wildcard_address_wants_to_know_how_agents_reach_it) {
    expect_refusal(EX_CONFIG, run({rekeyd_program(), "--data-dir", data, "--listen", "0.0.0.0:0"}),
                   {"--advertise"});
    expect_refusal(EX_CONFIG,
                   run({rekeyd_program(), "--data-dir", data, "--listen", "0.0.0.0:0",
                        "--advertise", "rekey.example:7443", "--plain-http"}),
                   {"plain"});
}

BOOST_AUTO_TEST_CASE(an_unknown_flag_is_a_usage_error) {
    const Finished finished = start({"--no-such-flag"});
    BOOST_TEST(finished.exit_code == EX_USAGE);
}

BOOST_AUTO_TEST_SUITE_END()
