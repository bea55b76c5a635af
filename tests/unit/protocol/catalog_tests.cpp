#include "protocol/catalog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>

using namespace rekey;
using namespace rekey::protocol;

BOOST_AUTO_TEST_SUITE(catalog_tests)

BOOST_AUTO_TEST_CASE(every_method_of_the_contract_is_declared_for_its_caller) {
    const std::pair<Caller, std::set<std::string_view>> contract[] = {
        {Caller::server,
         {"agent.welcome", "agent.rotate", "agent.commit", "agent.ping", "agent.configure",
          "agent.reconnect"}},
        {Caller::agent,
         {"agent.hello", "agent.heartbeat", "agent.rotation_complete", "agent.rotation_failed",
          "agent.key_status", "agent.rotate_key", "agent.shutdown", "agent.verify", "agent.jwt",
          "agent.report_capabilities", "agent.report_integration", "agent.register_mcp_server"}},
        {Caller::self,
         {"self.key_status", "self.rotate_key", "self.report_capabilities",
          "self.report_detections", "self.register_mcp_servers"}},
        {Caller::admin,
         {"agents.create",
          "agents.list",
          "agents.get",
          "agents.why",
          "agents.suspend",
          "agents.reactivate",
          "agents.revoke",
          "agents.recover",
          "agents.enrollment_code",
          "rotations.start",
          "rotations.list",
          "rotations.get",
          "rotations.cancel",
          "settings.get",
          "settings.set",
          "system.info",
          "rpc.discover",
          "audit.query",
          "agents.update",
          "agents.delete",
          "agents.call",
          "agents.ping",
          "agents.configure",
          "capabilities.create",
          "capabilities.list",
          "capabilities.grant",
          "capabilities.revoke",
          "signing_keys.list",
          "signing_keys.get",
          "signing_keys.create",
          "signing_keys.import",
          "signing_keys.rotate",
          "signing_keys.destroy",
          "signing_keys.cancel_destruction",
          "audit.verify",
          "audit.export",
          "auth.token",
          "keys.create",
          "keys.list",
          "keys.rotate",
          "keys.revoke"}}};
    std::size_t count = 0;
    for (const auto& [caller, names] : contract) {
        count += names.size();
        for (const std::string_view name : names) {
            const MethodInfo* info = find_method(name, caller);
            BOOST_TEST_REQUIRE(info != nullptr, name);
            BOOST_TEST(info->name == name);
        }
    }
    BOOST_TEST(catalog().size() == count);
}

BOOST_AUTO_TEST_CASE(a_method_is_found_by_its_caller_only) {
    BOOST_TEST(find_method("agent.rotate", Caller::agent) == nullptr);
    BOOST_TEST(find_method("agents.list", Caller::agent) == nullptr);
    BOOST_TEST(find_method("agent.hello", Caller::admin) == nullptr);
    BOOST_TEST(find_method("", Caller::admin) == nullptr);
    BOOST_TEST(find_method("zzz", Caller::admin) == nullptr);
    BOOST_TEST(find_method("agents.lis", Caller::admin) == nullptr);
}

// A route is a method's alone, and each name in its template is a param that has to be given.
BOOST_AUTO_TEST_CASE(a_rest_route_names_params_of_its_method) {
    std::set<std::pair<std::string_view, std::string_view>> routes;
    for (const MethodInfo& info : catalog()) {
        if (info.rest.verb.empty()) continue;
        BOOST_TEST(routes.emplace(info.rest.verb, info.rest.path).second, info.name);
        BOOST_TEST(info.rest.path.starts_with('/'), info.name);
        const auto schema = info.params_schema();
        const auto& properties = schema.at("properties").as_object();
        std::string_view rest = info.rest.path;
        for (auto open = rest.find('{'); open != rest.npos; open = rest.find('{')) {
            const auto close = rest.find('}', open);
            BOOST_TEST_REQUIRE(close != rest.npos, info.name);
            const auto name = rest.substr(open + 1, close - open - 1);
            BOOST_TEST(properties.contains(name), info.name << " has no " << name);
            rest.remove_prefix(close + 1);
        }
    }
    BOOST_TEST(routes.contains({"POST", "/agents/{agent_id}/suspend"}));
    BOOST_TEST(routes.size() >= 9U);
}

BOOST_AUTO_TEST_CASE(access_is_the_contracts) {
    const std::pair<std::string_view, std::string_view> contract[] = {
        {"agents.create", "agents:write"},
        {"agents.list", "agents:read"},
        {"agents.get", "agents:read"},
        {"agents.suspend", "admin:*"},
        {"agents.reactivate", "admin:*"},
        {"agents.revoke", "admin:*"},
        {"agents.recover", "admin:*"},
        {"rotations.start", "rotations:write"},
        {"settings.set", "admin:*"},
        {"audit.query", "audit:read"},
        {"audit.verify", "audit:read"},
        {"audit.export", "audit:read"},
        {"system.info", "agents:read"},
        {"agents.update", "agents:write"},
        {"agents.delete", "admin:*"},
        {"agents.call", "agents:call"},
        {"agents.configure", "agents:call"},
        {"agents.ping", "agents:read"},
        {"capabilities.create", "admin:*"},
        {"capabilities.list", "agents:read"},
        {"capabilities.grant", "admin:*"},
        {"capabilities.revoke", "admin:*"},
        {"signing_keys.rotate", "admin:*"},
        {"signing_keys.list", "admin:*"},
        {"keys.create", "keys:manage"},
        {"keys.list", "keys:manage"},
        {"keys.rotate", "keys:manage"},
        {"keys.revoke", "keys:manage"},
        {"auth.token", ""}};
    for (const auto& [name, capability] : contract)
        BOOST_TEST(find_method(name, Caller::admin)->access.capability == capability, name);
    for (const MethodInfo& info : catalog()) {
        // No method of an admin's is open to every key, but the one that changes a key for a token.
        BOOST_TEST((info.access.caller != Caller::admin || !info.access.capability.empty() ||
                    info.name == "auth.token"),
                   info.name);
        // What agents receive may grow, and AIM's clients send more than they have to; what the
        // server is asked otherwise may not be misspelt.
        const bool lenient = info.access.caller == Caller::server ||
                             info.access.caller == Caller::self || info.name == "agent.hello";
        BOOST_TEST(((info.access.unknown_params == UnknownFields::ignore) == lenient), info.name);
        BOOST_TEST((info.notification == (info.name == "agent.welcome")), info.name);
    }
    // A secret in the answer has no place in a model's context.
    for (const char* name : {"auth.token", "keys.create", "keys.rotate"})
        BOOST_TEST((find_method(name, Caller::admin)->access.mcp == Mcp::hidden), name);
    BOOST_TEST((find_method("agents.enrollment_code", Caller::admin)->access.mcp == Mcp::hidden));
}

BOOST_AUTO_TEST_CASE(every_method_has_a_summary_and_schemas_with_described_fields) {
    for (const MethodInfo& info : catalog()) {
        BOOST_TEST_CONTEXT(info.name) {
            BOOST_TEST(info.summary.ends_with("."), info.summary);
            for (const auto& schema : {info.params_schema(), info.result_schema()}) {
                BOOST_TEST(schema.at("type").as_string() == "object");
                for (const auto& [name, property] : schema.at("properties").as_object())
                    BOOST_TEST(!property.at("description").as_string().empty(), std::string(name));
            }
            BOOST_TEST(info.params_schema().contains("additionalProperties") ==
                       (info.access.unknown_params == UnknownFields::refuse));
            BOOST_TEST(!info.result_schema().contains("additionalProperties"));
        }
    }
}

BOOST_AUTO_TEST_CASE(names_of_the_protocol_are_reserved) {
    BOOST_TEST(is_reserved_name("agent.rotate"));
    BOOST_TEST(is_reserved_name("agent.anything"));
    BOOST_TEST(is_reserved_name("rpc.discover"));
    BOOST_TEST(!is_reserved_name("agents"));
    BOOST_TEST(!is_reserved_name("backup.run"));
}

BOOST_AUTO_TEST_SUITE_END()
