#include "protocol/reference.hpp"

#include "protocol/catalog.hpp"
#include "protocol/schema_parts.hpp"

#include <boost/json/serialize.hpp>

namespace rekey::protocol {
namespace {

namespace json = boost::json;

constexpr std::string_view kHead = R"(# Methods

Every method of the wire with its params and results. This page is written by the program from what it
serves, and a test keeps it true:
`REKEY_WRITE_REFERENCE=1 build/release/tests/unit/protocol/unit_protocol --run_test=reference_tests` writes it anew. The envelope, the refusals and the order of
things are in [protocol.md](protocol.md), the routes with examples in [api.md](api.md).

A field in *italics* may be left out.
)";

std::string_view heading(Caller caller) {
    switch (caller) {
        case Caller::admin:
            return "What admins ask: `POST /rpc`, `GET /rpc` as a WebSocket, REST";
        case Caller::self:
            return "What the holder of an API key asks about itself: REST";
        case Caller::agent:
            return "What agents ask on their socket";
        case Caller::server:
            return "What the server asks agents on their socket";
    }
    return {};
}

std::string bound(const json::object& property, std::string_view key) {
    const auto* value = property.if_contains(key);
    return value == nullptr ? std::string() : json::serialize(*value);
}

// "integer, 1 to 500, else 100", "array of string", "one of `a`, `b`".
std::string type_text(const json::object& property) {
    const auto* type = property.if_contains("type");
    if (type == nullptr) return "any value";
    std::string text(type->as_string());
    if (const auto* words = property.if_contains("enum")) {
        text = "one of ";
        for (const auto& word : words->as_array())
            text.append(text.size() > 7 ? ", `" : "`").append(word.as_string()).append("`");
    } else if (text == "array") {
        text.append(" of ").append(type_text(property.at("items").as_object()));
    } else if (const auto* members = property.if_contains("additionalProperties");
               members != nullptr && members->is_object()) {
        text.append(" of ").append(type_text(members->get_object()));
    } else if (const auto* format = property.if_contains("format")) {
        text = format->as_string() == "uuid" ? "UUID" : "time";
    } else if (text == "integer") {
        const std::string max = bound(property, "maximum");
        text.append(", ").append(bound(property, "minimum"));
        text.append(max.size() > 15 ? " or more" : " to " + max);
    }
    if (property.contains("default")) text.append(", else ").append(bound(property, "default"));
    return text;
}

void append_fields(std::string& out, std::string_view title, const json::object& schema) {
    const auto& properties = schema.at("properties").as_object();
    out.append("\n").append(title);
    if (properties.empty()) {
        out.append(": none.\n");
        return;
    }
    out.append("\n\n| field | | |\n|---|---|---|\n");
    for (const auto& [name, value] : properties) {
        const auto& property = value.as_object();
        const std::string_view mark = is_required(schema, name) ? "" : "*";
        out.append("| ").append(mark).append("`").append(name).append("`").append(mark);
        out.append(" | ").append(type_text(property)).append(" | ");
        out.append(property.at("description").as_string()).append(" |\n");
    }
}

void append_method(std::string& out, const MethodInfo& method) {
    out.append("\n### ").append(method.name).append("\n").append(method.summary);
    if (method.access.caller == Caller::admin || method.access.caller == Caller::self)
        out.append(" ").append(needs_text(method.access));
    if (!method.rest.verb.empty()) {
        out.append(" REST: `").append(method.rest.verb).append(" ").append(method.rest.path);
        out.append("`, ").append(std::to_string(method.rest.status)).append(".");
    }
    out.append("\n");
    append_fields(out, "Params", method.params_schema());
    if (!method.notification) append_fields(out, "Result", method.result_schema());
}

}  // namespace

std::string methods_reference() {
    std::string out(kHead);
    for (const Caller caller : {Caller::admin, Caller::self, Caller::agent, Caller::server}) {
        bool is_first = true;
        for (const MethodInfo& method : catalog()) {
            if (method.access.caller != caller) continue;
            if (is_first) out.append("\n## ").append(heading(caller)).append("\n");
            is_first = false;
            append_method(out, method);
        }
    }
    return out;
}

}  // namespace rekey::protocol
