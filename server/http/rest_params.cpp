#include "server/http/rest_params.hpp"

#include "protocol/fields.hpp"
#include "protocol/json_text.hpp"
#include "server/http/percent.hpp"

#include <charconv>
#include <cmath>
#include <optional>

namespace rekey::server::http {
namespace {

namespace json = boost::json;

constexpr std::string_view kIdempotencyKey = "idempotency_key";
// A name of the client's is told back, so that it is found, but not at any length.
constexpr std::size_t kNameBytes = 64;

Error bad(std::string_view name, std::string_view expected) {
    return protocol::bad_field(
        {std::string(protocol::cut_utf8(name, kNameBytes)), std::string(expected)});
}

std::string_view type_of(const json::object& schema) {
    const auto* type = schema.if_contains("type");
    return type != nullptr && type->is_string() ? std::string_view(type->get_string())
                                                : std::string_view("string");
}

template <class Number>
std::optional<Number> read_number(std::string_view text) {
    Number number{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

Result<json::value> typed(std::string_view name, std::string_view text,
                          const json::object& schema) {
    const std::string_view type = type_of(schema);
    if (type == "string") return json::value(json::string(text));
    if (type == "integer") {
        if (const auto number = read_number<std::int64_t>(text)) return json::value(*number);
        return bad(name, type);
    }
    if (type == "number") {
        const auto number = read_number<double>(text);
        if (number && std::isfinite(*number)) return json::value(*number);
        return bad(name, type);
    }
    if (type == "boolean") {
        if (text == "true") return json::value(true);
        if (text == "false") return json::value(false);
        return bad(name, "true or false");
    }
    return bad(name, std::string(type) + ", which only a JSON body can carry");
}

// Puts params together, each name once.
class Collector {
  public:
    explicit Collector(const json::object& schema)
        : properties_(schema.at("properties").as_object()) {}

    [[nodiscard]] bool has(std::string_view name) const { return properties_.contains(name); }

    // The same value twice is no contradiction: {agent_id} in the path and in the body.
    Result<> put(std::string_view name, json::value value) {
        if (const auto* there = params_.if_contains(name)) {
            if (*there == value) return {};
            return bad(name, "one value, not different ones in two places");
        }
        params_.emplace(name, std::move(value));
        return {};
    }
    Result<> put_text(std::string_view name, std::string_view text) {
        REKEY_TRY_ASSIGN(value, typed(name, text, schema_of(name)));
        return put(name, std::move(value));
    }
    Result<> put_query(std::string_view name, std::string_view text);

    [[nodiscard]] Error unknown(std::string_view name) const {
        std::string known;
        for (const auto& [key, schema] : properties_) {
            known.append(known.empty() ? "one of " : ", ").append(key);
        }
        return bad(name, known.empty() ? "no field" : known);
    }
    [[nodiscard]] json::object take() && { return std::move(params_); }

  private:
    [[nodiscard]] const json::object& schema_of(std::string_view name) const {
        return properties_.at(name).as_object();
    }
    Result<> put_member(std::string_view object, std::string_view key, std::string_view text);

    const json::object& properties_;
    json::object params_;
};

Result<> Collector::put_query(std::string_view name, std::string_view text) {
    if (const std::size_t dot = name.find('.'); dot != std::string_view::npos) {
        const std::string_view object = name.substr(0, dot);
        if (!has(object) || type_of(schema_of(object)) != "object") return unknown(name);
        return put_member(object, name.substr(dot + 1), text);
    }
    if (!has(name)) return unknown(name);
    if (type_of(schema_of(name)) != "array") {
        if (params_.contains(name)) return bad(name, "one value, not several");
        return put_text(name, text);
    }
    REKEY_TRY_ASSIGN(item, typed(name, text, schema_of(name).at("items").as_object()));
    json::value& array = params_[name];
    if (array.is_null()) array.emplace_array();
    array.as_array().push_back(std::move(item));
    return {};
}

Result<> Collector::put_member(std::string_view object, std::string_view key,
                               std::string_view text) {
    const std::string name = std::string(object) + "." + std::string(key);
    const auto* members = schema_of(object).if_contains("additionalProperties");
    const json::object any;
    const bool described = members != nullptr && members->is_object();
    REKEY_TRY_ASSIGN(value, typed(name, text, described ? members->get_object() : any));
    json::value& whole = params_[object];
    if (whole.is_null()) whole.emplace_object();
    if (whole.as_object().contains(key)) return bad(name, "one value, not several");
    whole.as_object().emplace(key, std::move(value));
    return {};
}

Result<> read_query(Collector& params, const RestRoute& route, std::string_view query) {
    REKEY_TRY_ASSIGN(pairs, parse_query(query));
    const std::string_view verb = route.method->rest.verb;
    for (const auto& [name, text] : pairs) {
        if (verb != "GET" && verb != "DELETE") return bad(name, "this field in the body");
        REKEY_TRY(params.put_query(name, text));
    }
    return {};
}

Result<> read_body(Collector& params, const RestRoute& route, std::string_view body) {
    if (body.empty()) return {};
    if (route.method->rest.verb == "GET") {
        return Error(Code::invalid_request, "this request takes no body: use the query");
    }
    REKEY_TRY_ASSIGN(document, protocol::parse_json(body));
    if (!document.is_object()) return bad("", "object");
    for (auto& [name, value] : document.get_object()) {
        REKEY_TRY(params.put(name, std::move(value)));
    }
    return {};
}

}  // namespace

Result<json::object> rest_params(const RestRoute& route, const RestInput& input) {
    Collector params(route.schema);
    REKEY_TRY(read_query(params, route, input.query));
    for (const auto& [name, text] : input.path) REKEY_TRY(params.put_text(name, text));
    if (!input.idempotency_key.empty() && params.has(kIdempotencyKey)) {
        REKEY_TRY(params.put_text(kIdempotencyKey, input.idempotency_key));
    }
    REKEY_TRY(read_body(params, route, input.body));
    return std::move(params).take();
}

}  // namespace rekey::server::http
