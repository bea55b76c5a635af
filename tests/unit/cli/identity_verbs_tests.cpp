#include "fake_server.hpp"
#include "protocol/methods/agent_calls.hpp"
#include "protocol/methods/agent_changes.hpp"
#include "protocol/methods/capabilities.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

// agents update|delete|call|ping|configure and capabilities.
using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;

namespace {

struct Fixture : Rekeyctl {
    Fixture() {
        protocol::AgentSummary one = agent(1, "web-1");
        one.labels = {{"site", "paris"}, {"tier", "1"}};
        one.row_version = 7;
        server.hold({one});
    }
    [[nodiscard]] std::string sent() const {
        return boost::json::serialize(server.calls().back().params);
    }
    template <protocol::Method M>
    void answers(const typename M::Result& result) {
        server.on<M>(
            [result](const typename M::Params&) -> Result<typename M::Result> { return result; });
    }
    const std::string id = "\"agent_id\":\"" + id_of(1) + "\"";
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(identity_verbs_tests, Fixture)

BOOST_AUTO_TEST_CASE(update_sends_what_was_given_and_nothing_else) {
    answers<protocol::AgentsUpdate>(agent(1, "web-1"));
    BOOST_TEST(
        (run({"agents", "update", "web-1", "--owner", "", "--name", "web-2"}) == ExitCode::ok));
    BOOST_TEST(sent() == "{" + id + R"(,"name":"web-2","owner":""})");
    BOOST_TEST((run({"agents", "update", "web-1", "--metadata", "[]"}) == ExitCode::usage));
    BOOST_TEST((run({"agents", "update", "web-1", "--label", "site"}) == ExitCode::usage));
}

BOOST_AUTO_TEST_CASE(a_label_is_changed_beside_the_others_and_only_as_it_was_read) {
    answers<protocol::AgentsUpdate>(agent(1, "web-1"));
    BOOST_TEST((run({"agents", "update", "web-1", "--label", "site=rome", "--label", "rack=7",
                     "--remove-label", "tier"}) == ExitCode::ok));
    BOOST_TEST(sent() == "{" + id + R"(,"labels":{"rack":"7","site":"rome"},"row_version":7})");
}

BOOST_AUTO_TEST_CASE(delete_says_what_is_gone) {
    answers<protocol::AgentsDelete>(agent(1, "web-1"));
    BOOST_TEST((run({"agents", "delete", "web-1", "--reason", "scrap"}) == ExitCode::ok));
    BOOST_TEST(sent() == "{" + id + R"(,"reason":"scrap"})");
    BOOST_TEST(out.str().find("web-1 is deleted") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(list_filters_become_params) {
    BOOST_TEST((run({"agents", "list", "--owner", "ops", "--label", "site=paris", "--label",
                     "tier=1", "--capability", "files:read"}) == ExitCode::ok));
    BOOST_TEST(sent() == R"({"owner":"ops","labels":{"site":"paris","tier":"1"},)"
                         R"("capability":"files:read","limit":500})");
}

BOOST_AUTO_TEST_CASE(call_prints_the_agents_own_answer_and_fails_with_its_own_error) {
    answers<protocol::AgentsCall>({boost::json::parse(R"({"dropped":3})")});
    BOOST_TEST((run({"agents", "call", "web-1", "cache.drop", "{\"days\": 3}", "--timeout", "5"}) ==
                ExitCode::ok));
    BOOST_TEST(sent() ==
               "{" + id + R"(,"method":"cache.drop","params":{"days":3},"timeout_seconds":5})");
    BOOST_TEST(out.str() == "{\n  \"dropped\": 3\n}\n");
    BOOST_TEST((run({"agents", "call", "web-1", "cache.drop", "7"}) == ExitCode::usage));
    server.on<protocol::AgentsCall>(
        [](const protocol::AgentsCall::Params&) -> Result<protocol::AgentsCall::Result> {
            return Error(Code::internal, "the cache is locked");
        });
    BOOST_TEST((run({"agents", "call", "web-1", "cache.drop"}) == ExitCode::failure));
    BOOST_TEST(err.str().find("the cache is locked") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(ping_and_configure_reach_the_agent) {
    answers<protocol::AgentsPing>({id_of(1), protocol::Ok::ok, 60, 4});
    BOOST_TEST((run({"agents", "ping", "web-1"}) == ExitCode::ok));
    BOOST_TEST(out.str() == "web-1 answered in 4 ms; it has been up for 60 s.\n");
    answers<protocol::AgentsConfigure>({id_of(1)});
    BOOST_TEST((run({"agents", "configure", "web-1", "--log-level", "debug", "--heartbeat-seconds",
                     "10"}) == ExitCode::ok));
    BOOST_TEST(sent() == "{" + id + R"(,"settings":{"heartbeat_seconds":10,"log_level":"debug"}})");
    BOOST_TEST((run({"agents", "configure", "web-1", "--log-level", "loud"}) == ExitCode::usage));
}

BOOST_AUTO_TEST_CASE(capabilities_are_registered_listed_granted_and_revoked) {
    protocol::CapabilityView view;
    view.capability_id = id_of(9);
    view.name = "files:read";
    view.description = "Read files.";
    answers<protocol::CapabilitiesCreate>(view);
    BOOST_TEST((run({"capabilities", "create", "files:read", "--description", "Read files."}) ==
                ExitCode::ok));
    BOOST_TEST(sent() == R"({"name":"files:read","description":"Read files."})");
    answers<protocol::CapabilitiesList>({{view}, {}});
    out.str({});
    BOOST_TEST((run({"capabilities", "list"}) == ExitCode::ok));
    BOOST_TEST(out.str().find("files:read") != std::string::npos);

    protocol::CapabilitiesGrant::Result granted;
    granted.agent_id = id_of(1);
    granted.grant.capability = "files:*";
    answers<protocol::CapabilitiesGrant>(granted);
    BOOST_TEST((run({"capabilities", "grant", "web-1", "files:*"}) == ExitCode::ok));
    BOOST_TEST(sent() == "{" + id + R"(,"capability":"files:*"})");
    BOOST_TEST(out.str().find("web-1 now has files:*") != std::string::npos);
    answers<protocol::CapabilitiesRevoke>({id_of(1), "files:*"});
    BOOST_TEST((run({"capabilities", "revoke", "web-1", "files:*"}) == ExitCode::ok));
    BOOST_TEST(sent() == "{" + id + R"(,"capability":"files:*"})");
    BOOST_TEST((run({"capabilities", "grant", "web-1"}) == ExitCode::usage));
}

BOOST_AUTO_TEST_CASE(a_method_that_the_agent_has_not_is_no_matter_of_the_servers_age) {
    server.on<protocol::AgentsCall>(
        [](const protocol::AgentsCall::Params&) -> Result<protocol::AgentsCall::Result> {
            return Error(Code::method_not_found, "Method not found");
        });
    BOOST_TEST((run({"agents", "call", "web-1", "cache.drop"}) == ExitCode::failure));
    BOOST_TEST(err.str().find("rekeyctl agents get") != std::string::npos, err.str());
    BOOST_TEST(err.str().find("older") == std::string::npos, err.str());
}

BOOST_AUTO_TEST_SUITE_END()
