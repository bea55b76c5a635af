// Wrong clocks and long times, with the real programs under Debian's faketime: the wall clock is
// moved or runs fast, the monotonic one stays true.
#include "tests/support/daemons.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

std::map<std::string, std::string> wall_clock(const std::string& shift) {
    for (const char* library : {"/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
                                "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"})
        if (std::filesystem::exists(library))
            return {{"LD_PRELOAD", library},
                    {"FAKETIME", shift},
                    {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}};
    throw std::runtime_error("Debian's faketime is not installed");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(clock_tests)

BOOST_AUTO_TEST_CASE(failure_25_an_agent_whose_clock_is_years_off_enrolls_and_is_rotated) {
    for (const char* shift : {"+30y", "-10y"}) {
        BOOST_TEST_CONTEXT(shift) {
            Rekeyd server;
            const Rekeyd::NewAgent created = server.new_agent("one");
            TemporaryDirectory home;
            const std::string state = home.file("state.json");
            const Finished enrolled = run({agent_program(), "enroll", "--state", state},
                                          created.join_string + "\n", wall_clock(shift));
            BOOST_REQUIRE_EQUAL(enrolled.exit_code, 0);
            Process agent({.command = {agent_program(), "run", "--state", state},
                           .environment = wall_clock(shift)});
            server.wait_settled(created.agent_id, 1);
            static_cast<void>(server.call("rotations.start", {{"agent_id", created.agent_id}}));
            server.wait_settled(created.agent_id, 2);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_scheduler_rotates_before_expiry_at_the_stored_moment) {
    // A day passes in four seconds; the token's life is a day, its grace a minute.
    Rekeyd::Options options;
    options.transport = Transport::plain;
    options.environment = wall_clock("+0 x20000");
    options.environment.insert({{"REKEY_AGENT_TOKEN_ROTATION_DAYS", "1"},
                                {"REKEY_AGENT_TOKEN_GRACE_PERIOD_MINUTES", "1"},
                                {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"},
                                {"REKEY_ROTATE_AT_FRACTION_MIN", "0.1"},
                                {"REKEY_ROTATE_AT_FRACTION_MAX", "0.3"}});
    Rekeyd server(options);
    const Rekeyd::NewAgent created = server.new_agent("one");
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    agent.start();
    server.wait_until(created.agent_id, [](const json::object& seen) {
        return seen.at("generation").to_number<std::uint64_t>() >= 4;
    });
    const json::value audit =
        server.call("audit.query", {{"agent_id", created.agent_id}, {"action", "rotation.started"}});
    BOOST_TEST(audit.at("entries").as_array().size() >= 3U);
    BOOST_TEST(agent.process().count("token_expired") == 0U);
}

BOOST_AUTO_TEST_CASE(failure_10_an_expired_token_is_refused_and_the_agent_deletes_nothing) {
    Rekeyd server;
    const Rekeyd::NewAgent created = server.new_agent("one");
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    agent.start();
    server.wait_settled(created.agent_id, 1);
    agent.kill();
    server.kill();
    server.options().environment = wall_clock("+60d");
    server.start();
    agent.start();
    agent.process().wait_for({"token_expired"});
    BOOST_TEST(std::filesystem::exists(agent.state_path()));
    BOOST_TEST(agent.process().running(), "it retries slowly");
}

BOOST_AUTO_TEST_CASE(failure_25_the_server_certificate_is_renewed_in_the_running_process) {
    // 90 days pass in about eight seconds; two thirds of its life is in the middle of them.
    Rekeyd::Options options;
    options.environment = wall_clock("+0 x1000000");
    Rekeyd server(options);
    server.process().wait_for({"event=certificate.renewed"});
    const Rekeyd::NewAgent created = server.new_agent("one");
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
}

BOOST_AUTO_TEST_SUITE_END()
