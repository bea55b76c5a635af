#include "protocol/openapi_others.hpp"

#include "protocol/methods/enroll.hpp"
#include "protocol/methods/recover.hpp"

namespace rekey::protocol {
namespace {

namespace json = boost::json;
using Access = OtherRoute::Access;

template <class T>
json::object schema_for() {
    return schema_of<T>(UnknownFields::ignore);
}

json::object any_object() { return {{"type", "object"}}; }

json::object status_object() {
    return {{"type", "object"},
            {"required", json::array{"status"}},
            {"properties", {{"status", {{"type", "string"}}}}}};
}

json::object rpc_request() {
    json::object id{{"description", "Comes back with the answer; without one there is none."}};
    return {{"type", "object"},
            {"required", {"jsonrpc", "method"}},
            {"properties",
             {{"jsonrpc", {{"type", "string"}, {"enum", json::array{"2.0"}}}},
              {"id", std::move(id)},
              {"method", {{"type", "string"}, {"default", "system.info"}}},
              {"params", {{"type", "object"}}}}}};
}

constexpr OtherRoute kRoutes[] = {
    {"POST", "/rpc", "rpc", "rpc",
     "Calls any method by JSON-RPC 2.0; /openrpc.json lists them. A batch is an array.",
     Access::credential, rpc_request, any_object},
    {"POST", "/enroll", "enroll", "agents", "Gives an agent its first token for its code.",
     Access::open, schema_for<EnrollParams>, schema_for<EnrollResult>},
    {"POST", "/recover/challenge", "recover.challenge", "agents", "What an agent signs to recover.",
     Access::open, schema_for<RecoverChallengeParams>, schema_for<RecoverChallengeResult>},
    {"POST", "/recover", "recover", "agents", "Gives an agent a token for its identity key.",
     Access::open, schema_for<RecoverParams>, schema_for<EnrollResult>},
    {"GET", "/_health", "health", "operations", "Whether it lives, its version and uptime.",
     Access::open, nullptr, status_object},
    {"GET", "/healthz", "healthz", "operations", "Whether the process lives.", Access::open,
     nullptr, status_object},
    {"GET", "/readyz", "readyz", "operations", "Whether it can do its work.", Access::open, nullptr,
     status_object},
    {"GET", "/.well-known/jwks.json", "jwks", "operations",
     "The public keys that verify access tokens (RFC 7517).", Access::open, nullptr, any_object},
    {"GET", "/openapi.json", "openapi", "operations", "This description.", Access::open, nullptr,
     any_object},
    {"GET", "/openrpc.json", "openrpc", "operations", "The methods of POST /rpc.", Access::open,
     nullptr, any_object},
    {"GET", "/docs", "docs", "operations", "A page to try these routes.", Access::open, nullptr,
     nullptr, "text/html"},
};

}  // namespace

std::span<const OtherRoute> other_routes() { return kRoutes; }

}  // namespace rekey::protocol
