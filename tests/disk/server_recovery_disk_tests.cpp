// What stands beside the database, and the way back in, while the server's disk is bad.
#include "tests/disk/server_stand.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <fstream>
#include <iterator>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

struct Bystander : BrokenServer {
    const Rekeyd::NewAgent created = server.new_agent("one");

    [[nodiscard]] Result<json::value> revoke() const {
        return server.try_call("agents.revoke", {{"agent_id", created.agent_id}});
    }
    [[nodiscard]] bool stands_in_the_file() const {
        std::ifstream file(server.directory() + "/revocations");
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        return text.find(created.agent_id) != std::string::npos;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(server_recovery_disk_tests)

BOOST_FIXTURE_TEST_CASE(a_revocation_that_cannot_be_noted_is_not_acknowledged_and_holds,
                        Bystander) {
    for (const std::uint32_t calls : {faults::kPwrite, faults::kFsync}) {
        Fault fault = disk.fail(calls, "/revocations", ENOSPC);
        const auto refused = revoke();
        BOOST_REQUIRE(refused.has_error());
        BOOST_TEST((refused.error().code() == Code::unavailable));
        BOOST_TEST(fault.hits() > 0U);
        BOOST_TEST(server.agent(created.agent_id).at("status").as_string() == "revoked");
    }
    BOOST_TEST(revoke().has_value());
    BOOST_TEST(stands_in_the_file());
    server.kill();
    server.start();
    BOOST_TEST(server.agent(created.agent_id).at("status").as_string() == "revoked");
}

BOOST_FIXTURE_TEST_CASE(a_revocation_that_a_crash_kept_out_of_the_file_is_in_it_after_the_start,
                        Bystander) {
    {
        const Fault fault = disk.fail(faults::kPwrite, "/revocations", ENOSPC);
        BOOST_TEST(revoke().has_error());
        server.kill();
    }
    server.start();
    // Nobody asks for it again: the start itself appends what the database knows.
    server.wait_until(created.agent_id,
                      [this](const json::object&) { return stands_in_the_file(); });
    BOOST_TEST(server.agent(created.agent_id).at("status").as_string() == "revoked");
}

BOOST_FIXTURE_TEST_CASE(a_recovery_that_cannot_be_committed_is_tried_again, Bystander) {
    RekeyAgent agent("one");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    agent.start();
    server.wait_settled(created.agent_id, 1);
    agent.stop();
    static_cast<void>(
        server.call("agents.recover", {{"agent_id", created.agent_id}, {"bar_tokens", true}}));
    Fault fault = fail_commits(faults::kPwrite, ENOSPC);
    agent.start();
    agent.process().wait_for({"event=recovery.failed", "unavailable"});
    fault.lift();
    BOOST_TEST(number_in(server.wait_settled(created.agent_id, 2), "generation") == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
