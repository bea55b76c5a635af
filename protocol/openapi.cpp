#include "protocol/openapi.hpp"

#include "protocol/openapi_others.hpp"
#include "protocol/schema_parts.hpp"

#include <algorithm>
#include <cctype>

namespace rekey::protocol {
namespace {

namespace json = boost::json;

bool is_in_path(std::string_view path, std::string_view name) {
    return path.find("{" + std::string(name) + "}") != std::string_view::npos;
}

bool takes_query(std::string_view verb) { return verb == "GET" || verb == "DELETE"; }

json::object parameter(std::string_view name, std::string_view place, const json::object& property,
                       bool required) {
    json::object shape = property;
    shape.erase("description");
    return {{"name", json::string(name)},
            {"in", json::string(place)},
            {"required", required},
            {"description", property.at("description")},
            {"schema", std::move(shape)}};
}

json::array parameters(const MethodInfo& method, const json::object& schema) {
    json::array list;
    for (const auto& [name, value] : schema.at("properties").as_object()) {
        const json::object& property = value.as_object();
        if (is_in_path(method.rest.path, name)) {
            list.push_back(parameter(name, "path", property, true));
        } else if (name == "idempotency_key") {
            list.push_back(parameter("Idempotency-Key", "header", property, false));
        } else if (takes_query(method.rest.verb) && property.contains("type") &&
                   property.at("type").as_string() != "object") {
            // Members of an object come one by one (labels.site=north), which has no words here.
            list.push_back(parameter(name, "query", property, is_required(schema, name)));
        }
    }
    return list;
}

// The params that come in the body; empty if there are none.
json::object body_schema(const MethodInfo& method, json::object schema) {
    auto& properties = schema.at("properties").as_object();
    json::array required;
    std::vector<std::string> elsewhere;
    for (const auto& [name, property] : properties) {
        if (is_in_path(method.rest.path, name))
            elsewhere.emplace_back(name);
        else if (is_required(schema, name))
            required.push_back(json::string(name));
    }
    for (const auto& name : elsewhere) properties.erase(name);
    schema.erase("required");
    if (!required.empty()) schema["required"] = std::move(required);
    return properties.empty() ? json::object() : schema;
}

json::object json_content(json::value schema) {
    return {{"application/json", {{"schema", std::move(schema)}}}};
}

json::object request_body(const json::object& schema) {
    json::object content = json_content(schema);
    content.at("application/json").as_object()["example"] = example_of(schema);
    return {{"required", schema.contains("required")}, {"content", std::move(content)}};
}

json::object success(std::string_view description, json::object schema) {
    json::object response{{"description", json::string(description)}};
    response["headers"] = {{"X-Request-Id", {{"$ref", "#/components/headers/X-Request-Id"}}}};
    if (!schema.empty()) response["content"] = json_content(std::move(schema));
    return response;
}

// The statuses of refusals, each once, with the names that have it.
json::object refusals() {
    json::object responses;
    for (const ErrorRow& row : error_rows()) {
        const std::string status = std::to_string(row.http);
        if (!responses.contains(status)) {
            responses[status] = {
                {"description", ""},
                {"headers", {{"X-Request-Id", {{"$ref", "#/components/headers/X-Request-Id"}}}}},
                {"content", json_content({{"$ref", "#/components/schemas/Error"}})}};
        }
        auto& description = responses.at(status).at("description").as_string();
        if (!description.empty()) description += ", ";
        description += row.name;
    }
    return responses;
}

void add_refusals(json::object& responses, const json::object& all) {
    for (const auto& [status, response] : all) {
        if (!responses.contains(status))
            responses[status] = {{"$ref", "#/components/responses/" + std::string(status)}};
    }
}

json::object operation(const MethodInfo& method, const json::object& all_refusals) {
    const json::object schema = method.params_schema();
    json::object object{
        {"operationId", json::string(method.name)},
        {"tags", json::array{json::string(family_of(method.name))}},
        {"summary", json::string(method.summary)},
        {"description", json::string(needs_text(method.access))},
    };
    if (!method.access.capability.empty())
        object["x-capability"] = json::string(method.access.capability);
    if (auto list = parameters(method, schema); !list.empty())
        object["parameters"] = std::move(list);
    if (!takes_query(method.rest.verb)) {
        if (const auto body = body_schema(method, schema); !body.empty())
            object["requestBody"] = request_body(body);
    }
    const unsigned status = method.rest.status;
    json::object responses;
    responses[std::to_string(status)] =
        success(status == 204 ? "Done." : "The method's result.",
                status == 204 ? json::object() : method.result_schema());
    add_refusals(responses, all_refusals);
    object["responses"] = std::move(responses);
    return object;
}

json::object operation(const OtherRoute& route, const json::object& all_refusals) {
    json::object object{{"operationId", json::string(route.id)},
                        {"tags", json::array{json::string(route.tag)}},
                        {"summary", json::string(route.summary)}};
    if (route.access == OtherRoute::Access::open) object["security"] = json::array();
    if (route.body != nullptr) object["requestBody"] = request_body(route.body());
    json::object responses{
        {"200", success("Done.", route.answer ? route.answer() : json::object())}};
    if (route.content != "application/json") {
        json::object content;
        content[route.content] = {{"schema", {{"type", "string"}}}};
        responses.at("200").as_object()["content"] = std::move(content);
    }
    add_refusals(responses, all_refusals);
    object["responses"] = std::move(responses);
    return object;
}

std::string lower(std::string_view verb) {
    std::string text(verb);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

json::object all_paths(const json::object& all_refusals) {
    json::object paths;
    const auto put = [&](std::string_view path, std::string_view verb, json::object what) {
        auto& place = paths[path];
        if (place.is_null()) place.emplace_object();
        place.as_object()[lower(verb)] = std::move(what);
    };
    for (const MethodInfo& method : catalog()) {
        if (!method.rest.verb.empty())
            put(method.rest.path, method.rest.verb, operation(method, all_refusals));
    }
    for (const OtherRoute& route : other_routes())
        put(route.path, route.verb, operation(route, all_refusals));
    return paths;
}

json::object security_schemes() {
    return {{"bearer",
             {{"type", "http"},
              {"scheme", "bearer"},
              {"description", "An access token of POST /auth/token, or an API key."}}},
            {"api_key",
             {{"type", "apiKey"},
              {"in", "header"},
              {"name", "X-API-Key"},
              {"description", "An API key: rkk_…"}}}};
}

}  // namespace

json::object openapi_document(std::string_view version) {
    json::object responses = refusals();
    json::object paths = all_paths(responses);
    json::object header{{"description", "Names this request in the server's log and audit."},
                        {"schema", {{"type", "string"}}}};
    return {{"openapi", "3.1.0"},
            {"info",
             {{"title", "Rekey"},
              {"version", json::string(version)},
              {"summary", "Identities, credentials and rotation for long-running agents."}}},
            {"servers", json::array{json::object{{"url", "/"}}}},
            {"security", json::array{json::object{{"bearer", json::array()}},
                                     json::object{{"api_key", json::array()}}}},
            {"paths", std::move(paths)},
            {"components",
             {{"schemas", {{"Error", error_schema()}}},
              {"responses", std::move(responses)},
              {"headers", {{"X-Request-Id", std::move(header)}}},
              {"securitySchemes", security_schemes()}}}};
}

}  // namespace rekey::protocol
