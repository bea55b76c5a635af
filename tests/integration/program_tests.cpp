// The programs as a person meets them: their mistakes, their exit codes, their words.
#include "tests/support/daemons.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <signal.h>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

struct Programs {
    Rekeyd server;
    RekeyAgent agent{"one"};

    std::string enroll() {
        const Rekeyd::NewAgent created = server.new_agent("one");
        BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
        return created.agent_id;
    }
    Finished ctl(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {ctl_program(), "--data-dir", server.directory()});
        return run(std::move(arguments));
    }
    void expect(const Finished& finished, int exit_code, const std::string& words) const {
        BOOST_TEST(finished.exit_code == exit_code, finished.output);
        BOOST_TEST(finished.output.find(words) != std::string::npos,
                   "'" << words << "' is not in: " << finished.output);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(program_tests, Programs)

BOOST_AUTO_TEST_CASE(a_secret_in_the_arguments_is_refused_and_not_printed) {
    const Rekeyd::NewAgent created = server.new_agent("one");
    const Finished finished =
        run({agent_program(), "enroll", "--state", agent.state_path(), created.join_string});
    BOOST_TEST(finished.exit_code == 64);
    BOOST_TEST(finished.output.find(created.code) == std::string::npos);
    BOOST_TEST(!std::filesystem::exists(agent.state_path()));
}

BOOST_AUTO_TEST_CASE(a_join_string_that_is_wrong_says_what_and_never_the_code) {
    const Rekeyd::NewAgent created = server.new_agent("one");
    std::string other_pin = created.join_string;
    other_pin.back() = other_pin.back() == '0' ? '1' : '0';
    BOOST_TEST(agent.enroll(other_pin) != 0);
    BOOST_TEST(agent.enroll_output().find("pin") != std::string::npos, agent.enroll_output());
    BOOST_TEST(agent.enroll_output().find(created.code) == std::string::npos);
    BOOST_TEST(agent.enroll("nonsense") != 0);
    BOOST_TEST(agent.enroll(created.join_string) == 0, agent.enroll_output());
}

BOOST_AUTO_TEST_CASE(run_without_enrollment_and_with_a_broken_file_are_two_different_things) {
    const Finished none = run({agent_program(), "run", "--state", agent.state_path()});
    BOOST_TEST(none.exit_code != 0);
    BOOST_TEST(none.output.find("enroll") != std::string::npos, none.output);
    static_cast<void>(enroll());
    const auto size = std::filesystem::file_size(agent.state_path());
    std::filesystem::resize_file(agent.state_path(), size / 2);
    const Finished broken = run({agent_program(), "run", "--state", agent.state_path()});
    BOOST_TEST(broken.exit_code != 0);
    BOOST_TEST(broken.output.find(agent.state_path()) != std::string::npos, broken.output);
    BOOST_TEST(broken.output.find("not enrolled") == std::string::npos, broken.output);
    BOOST_TEST(std::filesystem::file_size(agent.state_path()) == size / 2,
               "nothing is repaired or deleted");
}

BOOST_AUTO_TEST_CASE(two_daemons_on_one_state_file) {
    static_cast<void>(enroll());
    agent.start();
    agent.process().wait_for({"event=session.connected"});
    const Finished second = run({agent_program(), "run", "--state", agent.state_path()});
    BOOST_TEST(second.exit_code != 0);
    BOOST_TEST(second.output.find(".lock") != std::string::npos, second.output);
    BOOST_TEST(agent.stop() == 0);
}

BOOST_AUTO_TEST_CASE(the_state_file_is_private_and_status_shows_no_secret) {
    const std::string id = enroll();
    const auto mode = std::filesystem::status(agent.state_path()).permissions();
    BOOST_CHECK((mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all)) ==
                std::filesystem::perms::none);
    const Finished status = run({agent_program(), "status", "--state", agent.state_path()});
    expect(status, 0, id);
    BOOST_TEST(status.output.find("rka_") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_revoked_agent_stops_with_78_and_keeps_its_file) {
    const std::string id = enroll();
    agent.start();
    server.wait_settled(id, 1);
    static_cast<void>(server.call("agents.revoke", {{"agent_id", id}}));
    BOOST_TEST(agent.process().wait() == 78);
    BOOST_TEST(std::filesystem::exists(agent.state_path()));
}

BOOST_AUTO_TEST_CASE(
    the_hook_runs_after_the_commit_without_a_secret_and_its_failure_fails_nothing) {
    const std::string id = enroll();
    const std::string seen = agent.home() + "/hook";
    agent.start(
        {}, {"--on-rotate", "env > " + seen + ".new && mv " + seen + ".new " + seen + "; exit 3"},
        {{"REKEY_JOIN", "must not be seen"}});
    server.wait_settled(id, 1);
    static_cast<void>(server.call("rotations.start", {{"agent_id", id}, {"force", true}}));
    server.wait_settled(id, 2);
    agent.process().wait_for({"event=hook."});
    std::ifstream file(seen);
    const std::string environment(std::istreambuf_iterator<char>(file), {});
    BOOST_TEST(environment.find("REKEY_GENERATION=2") != std::string::npos, environment);
    BOOST_TEST(environment.find("must not be seen") == std::string::npos);
    BOOST_TEST(environment.find("rka_") == std::string::npos);
    static_cast<void>(server.call("rotations.start", {{"agent_id", id}, {"force", true}}));
    server.wait_settled(id, 3);
}

BOOST_AUTO_TEST_CASE(rekeyctl_needs_no_configuration_on_the_servers_host) {
    expect(ctl({"agents", "create", "one"}), 0, "one");
    expect(ctl({"agents", "list"}), 0, "one");
    expect(ctl({"agents", "get", "one"}), 0, "active");
    expect(ctl({"enroll-code", "one", "-q"}), 0, "rekey://127.0.0.1:");
    const Finished list = ctl({"agents", "list", "-o", "json"});
    BOOST_TEST(json::parse(list.output).at("agents").as_array().size() == 2U);
    expect(ctl({"rotate", "one"}), 1, "not enrolled yet");
    expect(ctl({"call", "system.info"}), 0, "version");
    expect(ctl({"settings", "list"}), 0, "heartbeat_seconds");
    expect(ctl({"settings", "set", "heartbeat_seconds=17"}), 0, "17");
    expect(ctl({"agents", "suspend", "one"}), 0, "suspended");
    expect(ctl({"agents", "reactivate", "one"}), 0, "active");
    expect(ctl({"agents", "revoke", "one"}), 0, "revoked");
}

BOOST_AUTO_TEST_CASE(rekeyctl_rotates_and_destroys_the_key_of_access_tokens) {
    expect(ctl({"signing-keys", "list"}), 0, "access tokens");
    const std::string before = ctl({"signing-keys", "get", "access tokens", "--pem"}).output;
    BOOST_TEST(before.starts_with("-----BEGIN PUBLIC KEY-----"), before);
    const auto published = [&] {
        return json::parse(ctl({"signing-keys", "get", "access tokens", "--jwks"}).output);
    };
    BOOST_TEST(published() == json::parse(server.http({.target = "/.well-known/jwks.json"}).body));
    expect(ctl({"signing-keys", "rotate", "access tokens"}), 1, "not before");
    expect(ctl({"signing-keys", "rotate", "access tokens", "--at-once"}), 0, "retiring");
    BOOST_TEST(ctl({"signing-keys", "get", "access tokens", "--pem", "1"}).output == before);
    expect(ctl({"signing-keys", "destroy", "access tokens", "1"}), 0, "out of use");
    BOOST_TEST(published() == json::parse(server.http({.target = "/.well-known/jwks.json"}).body));
    expect(ctl({"signing-keys", "destroy", "access tokens", "2"}), 1, "active");
    expect(ctl({"signing-keys", "cancel-destruction", "access tokens", "1"}), 0, "retiring");
    expect(ctl({"signing-keys", "create", "--algorithm", "aes-256-gcm", "--label", "boxes"}), 0,
           "encrypt decrypt");
    expect(ctl({"signing-keys", "get", "boxes", "--jwks"}), 1, "no public half");
}

BOOST_AUTO_TEST_CASE(rekeyctl_takes_in_a_private_key_from_a_file_of_its_users_own) {
    const std::string file = server.directory() + "/key.pem";
    std::ofstream(file) << "-----BEGIN PRIVATE KEY-----\n"
                           "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                           "-----END PRIVATE KEY-----\n";
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    expect(ctl({"signing-keys", "import", file}), 77, "key.pem");
    std::filesystem::permissions(file, std::filesystem::perms(0600));
    expect(ctl({"signing-keys", "import", file, "--label", "old"}), 0, "ed25519");
    // The public half of RFC 8032, 7.1, test 1.
    const json::value set = json::parse(ctl({"signing-keys", "get", "old", "--jwks"}).output);
    BOOST_TEST(set.at("keys").as_array().back().at("x").as_string() ==
               "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    std::ofstream(file) << "nonsense";
    expect(ctl({"signing-keys", "import", file}), 64, "private_key");
}

BOOST_AUTO_TEST_CASE(rekeyctl_says_what_is_wrong_in_one_line_and_by_its_exit_code) {
    expect(ctl({"agents", "get", "nobody"}), 1, "nobody");
    expect(ctl({"agents", "frobnicate"}), 64, "frobnicate");
    expect(ctl({"settings", "set", "heartbeat_seconds=1"}), 64, "heartbeat_seconds");
    expect(ctl({"call", "no.such"}), 1, "method_not_found");
    server.kill();
    expect(ctl({"agents", "list"}), 69, "127.0.0.1");
}

BOOST_AUTO_TEST_SUITE_END()
