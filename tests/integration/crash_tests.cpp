// kill -9 of the real daemons at each step of a rotation, over TLS with real files. The killer acts
// on the daemons' own log lines, on the thread that reads their pipe.
#include "tests/support/daemons.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <signal.h>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

// Kills the process that logs `event`, once armed.
struct Killer {
    std::string event;
    std::atomic<bool> armed{false};

    LineHook hook() {
        return [this](const std::string& line, int process_id) {
            // `event` may be read only once `armed` says that it is written.
            if (!armed || line.find("event=" + event + " ") == std::string::npos) return;
            armed = false;
            ::kill(process_id, SIGKILL);
        };
    }
};

struct Pair {
    Killer server_killer;
    Killer agent_killer;
    Rekeyd server{Rekeyd::Options{.on_line = server_killer.hook()}};
    RekeyAgent agent{"one"};
    std::string id;

    Pair() {
        const Rekeyd::NewAgent created = server.new_agent("one");
        id = created.agent_id;
        BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
        agent.start(agent_killer.hook());
        server.wait_settled(id, 1);
    }
    void rotate() {
        try {
            static_cast<void>(
                server.try_call("rotations.start", {{"agent_id", id}, {"force", true}}));
        } catch (const ErrorException&) {  // NOLINT(bugprone-empty-catch)
            // The server was killed before it could answer.
        }
    }
    void kill_server_at(const std::string& event) {
        server_killer.event = event;
        server_killer.armed = true;
        rotate();
        BOOST_TEST(server.process().wait() == 128 + SIGKILL);
        server.start();
    }
    void kill_agent_at(const std::string& event) {
        agent_killer.event = event;
        agent_killer.armed = true;
        rotate();
        BOOST_TEST(agent.process().wait() == 128 + SIGKILL);
        agent.start(agent_killer.hook());
    }
    void expect_on(std::uint64_t generation) {
        const json::object seen = server.wait_settled(id, generation);
        BOOST_TEST(seen.at("generation").to_number<std::uint64_t>() == generation);
        const Finished status =
            run({agent_program(), "status", "--state", agent.state_path(), "-o", "json"});
        BOOST_TEST(status.exit_code == 0);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(crash_tests, Pair)

BOOST_AUTO_TEST_CASE(failure_03_the_agent_dies_right_after_it_saved) {
    kill_agent_at("rotation.saved");
    expect_on(2);
}

BOOST_AUTO_TEST_CASE(failure_04_the_server_dies_right_after_the_offer) {
    kill_server_at("rotation.offered");
    expect_on(2);
}

BOOST_AUTO_TEST_CASE(failure_04_the_server_dies_between_promotion_and_commit) {
    kill_server_at("rotation.promoted");
    expect_on(2);
}

BOOST_AUTO_TEST_CASE(failure_04_the_server_dies_right_after_the_commit_was_sent) {
    kill_server_at("rotation.commit_sent");
    expect_on(2);
}

BOOST_AUTO_TEST_CASE(both_die_in_one_rotation_and_the_next_one_goes_on) {
    kill_agent_at("rotation.saved");
    server.kill();
    server.start();
    expect_on(2);
    kill_server_at("rotation.offered");
    agent.kill();
    agent.start(agent_killer.hook());
    expect_on(3);
    rotate();
    expect_on(4);
}

BOOST_AUTO_TEST_CASE(failure_21_no_secret_is_in_a_log_or_beside_its_place) {
    rotate();
    expect_on(2);
    for (const std::string& output : {server.process().output(), agent.process().output()}) {
        for (const char* prefix : {"rka_", "rkk_", "rke_", "PRIVATE KEY"})
            BOOST_TEST(output.find(prefix) == std::string::npos, prefix);
    }
    // The database holds hashes and one sealed text, never a token.
    const Finished found =
        run({"/bin/sh", "-c",
             "cat " + server.directory() + "/*.db* | grep -acE 'rk[ake]_[0-9a-zA-Z-]+_'"});
    BOOST_TEST(found.output == "0\n");
}

BOOST_AUTO_TEST_SUITE_END()
