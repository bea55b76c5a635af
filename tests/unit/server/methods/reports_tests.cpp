#include "protocol/methods/agent_reports.hpp"
#include "server/sessions/agent_requests.hpp"
#include "tests/unit/server/support/door_world.hpp"

#include <boost/json/serialize.hpp>

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

using boost::json::array;
using boost::json::object;

struct Fixture : DoorWorld {
    Fixture() { methods::bind_agent_requests(requests, parts); }

    // On the agent's socket.
    Result<object> says(const std::string& agent_id, std::string_view method,
                        const boost::json::value& params) {
        const sessions::AgentCaller caller{
            .agent_id = agent_id, .address = "192.0.2.7", .epoch = epoch};
        std::optional<Result<std::string>> answer;
        requests.call(shards.at(0), caller, method, &params,
                      [&](Result<std::string> given) { answer = std::move(given); });
        while (!answer) poll();
        if (answer->has_error()) return answer->error();
        return rekey::server::testing::parse(**answer).as_object();
    }
    std::string said(const std::string& agent_id, std::string_view method,
                     const boost::json::value& params) {
        const auto answer = says(agent_id, method, params);
        BOOST_REQUIRE_MESSAGE(answer.has_value(), method);
        return boost::json::serialize(*answer);
    }
    // With an API key, as REST calls it.
    std::string posted(const rpc::Caller& caller, std::string_view method, object params) {
        params["agent_id"] = caller.agent_id;
        return boost::json::serialize(ok(caller, method, params));
    }
    object reports(const std::string& agent_id) {
        return ok(admin, "agents.get", {{"agent_id", agent_id}}).at("reports").as_object();
    }
    static std::size_t count(const object& reports, std::string_view kind) {
        return reports.at(kind).as_array().size();
    }
    std::string bad_path(const rpc::Caller& caller, std::string_view method, object params) {
        params["agent_id"] = caller.agent_id;
        const auto answer = call(caller, method, params);
        BOOST_REQUIRE(answer.has_error());
        BOOST_TEST((answer.error().code() == Code::invalid_params));
        return std::string(answer.error().details()->at("path").as_string());
    }

    sessions::AgentRequests requests;
    std::uint64_t epoch = 0;
    const std::string agent = create_agent("worker");
    const rpc::Caller keyed = identity("keyed", {});
};

constexpr std::string_view kCapabilities = "agent.report_capabilities";
constexpr std::string_view kIntegration = "agent.report_integration";
constexpr std::string_view kMcp = "agent.register_mcp_server";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(reports_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_duplicate_is_counted_and_is_no_error) {
    const object five{{"capabilities", array{"a", "b", "c", "d", "e"}}};
    BOOST_TEST(said(agent, kCapabilities, five) ==
               R"({"granted":5,"total":5,"already_granted":0})");
    BOOST_TEST(said(agent, kCapabilities, five) ==
               R"({"granted":5,"total":5,"already_granted":5})");
    BOOST_TEST(said(agent, kCapabilities, {{"capabilities", array{"e", "f", "f"}}}) ==
               R"({"granted":3,"total":3,"already_granted":2})");
    BOOST_TEST(said(agent, kCapabilities, {{"capabilities", array()}}) ==
               R"({"granted":0,"total":0,"already_granted":0})");
    const object mcp{
        {"mcp_server_id", "files"}, {"detection_method", "auto_sdk"}, {"confidence", 95.0}};
    BOOST_TEST(said(agent, kMcp, mcp) == R"({"added":1,"already_registered":0})");
    BOOST_TEST(said(agent, kMcp, mcp) == R"({"added":0,"already_registered":1})");
    const object sdk{{"sdk_version", "aim-sdk-python@1.0.0"},
                     {"platform", "python"},
                     {"capabilities", array{"auto_detect_mcps"}}};
    BOOST_TEST(said(agent, kIntegration, sdk) == R"({"detections_processed":1})");
    BOOST_TEST(said(agent, kIntegration, sdk) == R"({"detections_processed":1})");
}

BOOST_AUTO_TEST_CASE(agents_get_shows_them_with_their_times) {
    BOOST_TEST(boost::json::serialize(reports(agent)) ==
               R"({"capabilities":[],"integrations":[],"mcp_servers":[]})");
    static_cast<void>(says(agent, kCapabilities, {{"capabilities", array{"read_files"}}}));
    static_cast<void>(says(
        agent, kIntegration,
        {{"sdk_version", "sdk@1"}, {"platform", "python"}, {"capabilities", array{"x", "y"}}}));
    clock.advance(std::chrono::seconds{90});
    static_cast<void>(says(agent, kCapabilities, {{"capabilities", array{"read_files"}}}));
    static_cast<void>(says(agent, kMcp, {{"mcp_server_id", "files"}, {"confidence", 62.5}}));
    const object seen = reports(agent);
    BOOST_TEST(boost::json::serialize(seen.at("capabilities")) ==
               R"([{"name":"read_files","first_seen_at":"2024-10-04T00:00:00.000Z",)"
               R"("last_seen_at":"2024-10-04T00:01:30.000Z","times":2}])");
    BOOST_TEST(boost::json::serialize(seen.at("integrations")) ==
               R"([{"sdk_version":"sdk@1","platform":"python","capabilities":["x","y"],)"
               R"("first_seen_at":"2024-10-04T00:00:00.000Z",)"
               R"("last_seen_at":"2024-10-04T00:00:00.000Z","times":1}])");
    const auto& server = seen.at("mcp_servers").at(0);
    BOOST_TEST(server.at("mcp_server_id").as_string() == "files");
    BOOST_TEST(server.at("detection_method").as_string() == "manual");
    BOOST_TEST(server.at("confidence").to_number<double>() == 62.5);
}

// The client of the seed posts one capability at a time, and its own names for the others.
BOOST_AUTO_TEST_CASE(the_bodies_of_aims_client_are_taken_as_they_are) {
    const object scope{{"source", "python_sdk_auto_detection"}, {"detectedAt", "2025-10-10"}};
    const object one{{"capabilityType", "network_access"}, {"scope", scope}};
    BOOST_TEST(posted(keyed, "self.report_capabilities", one) ==
               R"({"granted":1,"total":1,"already_granted":0})");
    BOOST_TEST(posted(keyed, "self.report_capabilities", one) ==
               R"({"granted":1,"total":1,"already_granted":1})");
    const object event{{"mcpServer", "aim-sdk-integration"},
                       {"detectionMethod", "sdk_integration"},
                       {"confidence", 100.0},
                       {"details",
                        {{"platform", "python"},
                         {"capabilities", array{"auto_detect_mcps"}},
                         {"integrated", true}}},
                       {"sdkVersion", "aim-sdk-python@1.0.0"},
                       {"timestamp", "2025-10-10T00:00:00+00:00"}};
    const object found{{"mcpServer", "github"}, {"detectionMethod", "import"}};
    BOOST_TEST(posted(keyed, "self.report_detections", {{"detections", array{event, found}}}) ==
               R"({"detections_processed":2})");
    const object servers{{"mcp_server_ids", array{"github", "files"}},
                         {"detected_method", "auto_sdk"},
                         {"confidence", 95.0},
                         {"metadata", object()}};
    BOOST_TEST(posted(keyed, "self.register_mcp_servers", servers) ==
               R"({"added":1,"already_registered":1})");
    const object seen = reports(keyed.agent_id);
    BOOST_TEST(seen.at("capabilities").at(0).at("name").as_string() == "network_access");
    BOOST_TEST(seen.at("integrations").at(0).at("sdk_version").as_string() ==
               "aim-sdk-python@1.0.0");
    BOOST_TEST(seen.at("integrations").at(0).at("capabilities").at(0).as_string() ==
               "auto_detect_mcps");
    BOOST_TEST(count(seen, "mcp_servers") == 2U);
    BOOST_TEST(seen.at("mcp_servers").at(1).at("detection_method").as_string() == "auto_sdk");
}

BOOST_AUTO_TEST_CASE(the_bodies_of_the_socket_are_taken_as_well) {
    BOOST_TEST(posted(keyed, "self.report_capabilities", {{"capabilities", array{"a", "b"}}}) ==
               R"({"granted":2,"total":2,"already_granted":0})");
    BOOST_TEST(posted(keyed, "self.report_capabilities", {{"capability_type", "a"}}) ==
               R"({"granted":1,"total":1,"already_granted":1})");
    BOOST_TEST(posted(keyed, "self.report_detections",
                      {{"sdk_version", "s@1"}, {"platform", "go"}, {"capabilities", array()}}) ==
               R"({"detections_processed":1})");
    BOOST_TEST(posted(keyed, "self.register_mcp_servers",
                      {{"mcp_server_id", "m"}, {"detection_method", "cli"}, {"confidence", 1}}) ==
               R"({"added":1,"already_registered":0})");
    BOOST_TEST(count(reports(keyed.agent_id), "integrations") == 1U);
}

BOOST_AUTO_TEST_CASE(bad_input_names_its_field) {
    BOOST_TEST(bad_path(keyed, "self.report_capabilities", {}) == "capabilities");
    BOOST_TEST(bad_path(keyed, "self.report_capabilities",
                        {{"capabilityType", "a"}, {"capability_type", "a"}}) == "capabilities");
    BOOST_TEST(bad_path(keyed, "self.report_capabilities", {{"capabilities", array{"a", "b\n"}}}) ==
               "capabilities[1]");
    BOOST_TEST(bad_path(keyed, "self.report_capabilities", {{"capabilityType", ""}}) ==
               "capabilityType");
    BOOST_TEST(bad_path(keyed, "self.register_mcp_servers",
                        {{"mcp_server_id", "m"}, {"confidence", 100.5}}) == "confidence");
    BOOST_TEST(bad_path(keyed, "self.register_mcp_servers",
                        {{"mcp_server_id", std::string(limits::kReportNameBytes + 1, 'x')}}) ==
               "mcp_server_id");
    const object nameless{{"mcpServer", "x"}, {"detectionMethod", "sdk_integration"}};
    BOOST_TEST(bad_path(keyed, "self.report_detections", {{"detections", array{nameless}}}) ==
               "detections[0].sdkVersion");
    const array many(limits::kReportsACall + 1, "x");
    BOOST_TEST(bad_path(keyed, "self.report_capabilities", {{"capabilities", many}}) ==
               "capabilities");
    const auto unknown = says(agent, kCapabilities, {{"capabilities", array()}, {"more", 1}});
    BOOST_TEST((unknown.error().code() == Code::invalid_params));
}

BOOST_AUTO_TEST_CASE(over_the_bound_nothing_of_the_call_is_kept) {
    for (std::size_t i = 0; i < limits::kReportsAKind - 1; ++i)
        static_cast<void>(said(agent, kMcp, {{"mcp_server_id", std::to_string(i)}}));
    const auto over = says(agent, kCapabilities, {{"capabilities", array{"a"}}});
    BOOST_TEST(over.has_value());
    const auto first = says(agent, kMcp, {{"mcp_server_id", "last"}});
    BOOST_TEST(first.has_value());
    const auto refused_one = says(agent, kMcp, {{"mcp_server_id", "more"}});
    BOOST_REQUIRE(refused_one.has_error());
    BOOST_TEST((refused_one.error().code() == Code::conflict));
    BOOST_TEST(refused_one.error().details()->at("kind").as_string() == "mcp_server");
    // What is there is counted on.
    BOOST_TEST(said(agent, kMcp, {{"mcp_server_id", "last"}}) ==
               R"({"added":0,"already_registered":1})");
    BOOST_TEST(count(reports(agent), "mcp_servers") == limits::kReportsAKind);
    array two{"again", "b"};
    for (std::size_t i = 0; i + 2 < limits::kReportsAKind; ++i)
        static_cast<void>(said(agent, kCapabilities, {{"capabilities", array{std::to_string(i)}}}));
    BOOST_TEST(
        (says(agent, kCapabilities, {{"capabilities", two}}).error().code() == Code::conflict));
    BOOST_TEST(count(reports(agent), "capabilities") == limits::kReportsAKind - 1);
}

BOOST_AUTO_TEST_CASE(an_api_key_reports_for_its_own_agent_only) {
    for (const char* method :
         {"self.report_capabilities", "self.report_detections", "self.register_mcp_servers"}) {
        const object of_another{{"agent_id", agent}, {"capabilityType", "x"}};
        BOOST_TEST((refused(keyed, method, of_another) == Code::permission_denied));
        const object of_nobody{{"agent_id", "01890a5d-ac96-774b-bcce-b302099a8057"}};
        BOOST_TEST((refused(keyed, method, of_nobody) == Code::permission_denied));
        BOOST_TEST((refused(admin, method, of_another) == Code::permission_denied));
    }
    BOOST_TEST(count(reports(agent), "capabilities") == 0U);
}

// The point of keeping them apart.
BOOST_AUTO_TEST_CASE(a_reported_capability_gives_no_right) {
    const object everything{
        {"capabilities", array{"admin:*", "agents:read", "agents:write", "keys:manage"}}};
    static_cast<void>(posted(keyed, "self.report_capabilities", everything));
    BOOST_TEST((refused(keyed, "agents.list") == Code::permission_denied));
    BOOST_TEST((refused(keyed, "agents.create", {{"name", "x"}}) == Code::permission_denied));
    BOOST_TEST((refused(keyed, "settings.get") == Code::permission_denied));
    const auto granted = read<std::vector<std::string>>([&](storage::Transaction& transaction) {
        return transaction.capabilities().list(keyed.agent_id);
    });
    BOOST_TEST(granted.empty());
    const auto again = read<rpc::Caller>([&](storage::Transaction& transaction) {
        return rpc::authenticate(transaction, key_texts.at(keyed.agent_id).expose(), clock.now());
    });
    BOOST_TEST(!again.may("agents:read"));
}

BOOST_AUTO_TEST_CASE(who_is_no_longer_let_in_reports_nothing) {
    change_row(agent, [](storage::AgentRow& row) {
        row.credentials.status = storage::AgentStatus::suspended;
    });
    BOOST_TEST((says(agent, kCapabilities, {{"capabilities", array{"a"}}}).error().code() ==
                Code::agent_suspended));
    change_row(agent, [](storage::AgentRow& row) {
        row.credentials.status = storage::AgentStatus::active;
        ++row.credentials.epoch;
    });
    BOOST_TEST((says(agent, kCapabilities, {{"capabilities", array{"a"}}}).error().code() ==
                Code::unknown_credential));
    BOOST_TEST(count(reports(agent), "capabilities") == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_new_is_audited_and_a_repeat_is_not) {
    const object two{{"capabilities", array{"a", "b"}}};
    static_cast<void>(said(agent, kCapabilities, two));
    static_cast<void>(said(agent, kCapabilities, two));
    BOOST_TEST(audited("agent.reported") == 1U);
    static_cast<void>(said(agent, kCapabilities, {{"capabilities", array{"b", "c"}}}));
    const auto rows = read<std::vector<storage::AuditRow>>([&](storage::Transaction& transaction) {
        storage::AuditFilter filter;
        filter.action = "agent.reported";
        return transaction.audit().query(filter, 10);
    });
    BOOST_REQUIRE(rows.size() == 2U);
    BOOST_TEST(rows[1].event.actor == agent);
    BOOST_TEST(boost::json::serialize(rows[1].event.details) ==
               R"({"address":"192.0.2.7","added":[{"kind":"capability","name":"c"}]})");
}

BOOST_AUTO_TEST_SUITE_END()
