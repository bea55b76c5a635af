#include "protocol/openrpc.hpp"

#include "protocol/catalog.hpp"
#include "protocol/schema_parts.hpp"

namespace rekey::protocol {
namespace {

namespace json = boost::json;

json::array params_of(const MethodInfo& method) {
    const json::object schema = method.params_schema();
    json::array params;
    for (const auto& [name, property] : schema.at("properties").as_object()) {
        json::object shape = property.as_object();
        json::object param{{"name", name},
                           {"description", shape.at("description")},
                           {"required", is_required(schema, name)}};
        shape.erase("description");
        param["schema"] = std::move(shape);
        params.push_back(std::move(param));
    }
    return params;
}

json::object method_object(const MethodInfo& method, const json::array& errors) {
    json::object object{{"name", json::string(method.name)},
                        {"summary", json::string(method.summary)},
                        {"description", json::string(needs_text(method.access))},
                        {"paramStructure", "by-name"},
                        {"params", params_of(method)},
                        {"result", {{"name", "result"}, {"schema", method.result_schema()}}},
                        {"errors", errors}};
    object["tags"] = json::array{json::object{{"name", json::string(family_of(method.name))}}};
    if (!method.access.capability.empty())
        object["x-capability"] = json::string(method.access.capability);
    return object;
}

}  // namespace

json::object openrpc_document(std::string_view version) {
    json::object errors;
    json::array references;
    for (const ErrorRow& row : error_rows()) {
        json::object error{{"code", row.json_rpc}, {"message", json::string(row.phrase)}};
        error["data"] = json::object{{"name", json::string(row.name)},
                                     {"message", json::string(row.phrase)},
                                     {"retry", row.retry == Retry::later ? "later" : "never"}};
        errors[row.name] = std::move(error);
        references.push_back(
            json::object{{"$ref", "#/components/errors/" + std::string(row.name)}});
    }
    json::array methods;
    for (const MethodInfo& method : catalog()) {
        if (method.access.caller == Caller::admin)
            methods.push_back(method_object(method, references));
    }
    return {{"openrpc", "1.3.2"},
            {"info",
             {{"title", "Rekey"},
              {"version", json::string(version)},
              {"description",
               "The admin methods of rekeyd: JSON-RPC 2.0 at POST /rpc, and at GET /rpc as a "
               "WebSocket with subprotocol rekey.admin.v1. Authorization: Bearer with an access "
               "token or an API key, or X-API-Key."}}},
            {"methods", std::move(methods)},
            {"components", {{"errors", std::move(errors)}}}};
}

}  // namespace rekey::protocol
