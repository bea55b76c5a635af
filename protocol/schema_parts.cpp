#include "protocol/schema_parts.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace rekey::protocol {

namespace json = boost::json;

namespace {

std::string_view text_of(const json::object& schema, std::string_view key) {
    const auto* value = schema.if_contains(key);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                  : std::string_view();
}

json::value example_text(const json::object& schema) {
    if (const auto* words = schema.if_contains("enum")) return words->as_array().at(0);
    const std::string_view format = text_of(schema, "format");
    if (format == "uuid") return "01890a5d-ac96-774b-bcce-b302099a8057";
    if (format == "date-time") return "2030-01-31T12:00:00Z";
    const std::string_view pattern = text_of(schema, "pattern");
    if (pattern.ends_with("{43}$")) return json::string(43, 'A');
    if (pattern.ends_with("{86}$")) return json::string(86, 'A');
    if (pattern.ends_with("{64}$")) return json::string(64, '0');
    return pattern.empty() ? "text" : "my-agent";
}

json::value example_object(const json::object& schema) {
    json::object example;
    const auto* properties = schema.if_contains("properties");
    if (properties == nullptr) return example;
    for (const auto& [name, property] : properties->as_object()) {
        if (is_required(schema, name)) example[name] = example_of(property.as_object());
    }
    return example;
}

}  // namespace

std::string_view family_of(std::string_view method) { return method.substr(0, method.find('.')); }

std::string needs_text(const Access& access) {
    if (access.caller == Caller::self)
        return "Needs an API key of the agent that the path names; nobody speaks for another.";
    if (access.capability.empty()) return "Needs a valid credential.";
    return "Needs the capability " + std::string(access.capability) + ".";
}

bool is_required(const json::object& schema, std::string_view property) {
    const auto* required = schema.if_contains("required");
    if (required == nullptr) return false;
    const auto& names = required->as_array();
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& name) { return name.as_string() == property; });
}

json::value example_of(const json::object& schema) {
    if (const auto* preset = schema.if_contains("default")) return *preset;
    const std::string_view type = text_of(schema, "type");
    if (type == "string") return example_text(schema);
    if (type == "integer") return schema.contains("minimum") ? schema.at("minimum") : 1;
    if (type == "number") return 0.5;
    if (type == "boolean") return true;
    if (type == "array") return json::array{example_of(schema.at("items").as_object())};
    return example_object(schema);
}

std::vector<ErrorRow> error_rows() {
    constexpr int count = static_cast<int>(Code::corrupt);
    std::vector<ErrorRow> rows;
    rows.reserve(count);
    for (int code = 0; code < count; ++code) rows.push_back(error_row(static_cast<Code>(code)));
    return rows;
}

json::object error_schema() {
    json::array names;
    for (const ErrorRow& row : error_rows()) names.push_back(json::string(row.name));
    const auto text = [](std::string_view description) {
        return json::object{{"type", "string"}, {"description", json::string(description)}};
    };
    json::object name = text("Which refusal it is; stable.");
    name["enum"] = std::move(names);
    json::object retry = text("Whether the same may succeed later.");
    retry["enum"] = json::array{"later", "never"};
    json::object seconds{{"type", "integer"}, {"minimum", 0}, {"description", "Not before that."}};
    json::object path =
        text("The field that is wrong, as settings.heartbeat_seconds or agents[1].");
    json::object details{
        {"type", "object"},
        {"description", "More, by refusal."},
        {"properties", {{"path", std::move(path)}, {"expected", text("What belongs there.")}}}};
    return {{"type", "object"},
            {"required", {"name", "message", "retry"}},
            {"properties",
             {{"name", std::move(name)},
              {"message", text("For people.")},
              {"retry", std::move(retry)},
              {"retry_after_seconds", std::move(seconds)},
              {"details", std::move(details)}}}};
}

}  // namespace rekey::protocol
