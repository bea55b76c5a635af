#include "protocol/fields.hpp"

#include "base/encoding.hpp"
#include "base/ids.hpp"
#include "base/time_format.hpp"

#include <algorithm>
#include <cmath>

namespace rekey::protocol {

namespace json = boost::json;

Error bad_field(const BadField& bad) {
    return Error(Code::invalid_params,
                 (bad.path.empty() ? "" : bad.path + ": ") + "expected " + bad.expected)
        .with("path", json::string(bad.path))
        .with("expected", json::string(bad.expected));
}

namespace detail {
namespace {

// A key of the peer's is told back, so that the field is found, but not at any length.
constexpr std::size_t kKeyBytes = 64;
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: every integer below is a double

bool matches_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

bool is_base64url_of(std::string_view text, std::size_t bytes) {
    const auto decoded = from_base64url(text);
    return decoded && decoded->size() == bytes;
}

bool matches(std::string_view text, Form form) {
    switch (form) {
        case Form::text:
            return true;
        case Form::name:
            return matches_name(text);
        case Form::uuid:
            return is_uuid(text);
        case Form::hex_32_bytes:
            return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                   });
        case Form::base64url_32_bytes:
            return is_base64url_of(text, 32);
        case Form::base64url_64_bytes:
            return is_base64url_of(text, 64);
    }
    return false;
}

std::string expected_text(const Rule& rule) {
    switch (rule.form) {
        case Form::text:
            break;
        case Form::name:
            return "string matching [a-z0-9._-]{1,64}";
        case Form::uuid:
            return "UUID in lower case";
        case Form::hex_32_bytes:
            return "64 lower-case hexadecimal digits";
        case Form::base64url_32_bytes:
            return "32 bytes in base64url without padding";
        case Form::base64url_64_bytes:
            return "64 bytes in base64url without padding";
    }
    return "string of at most " + std::to_string(rule.max_bytes) + " bytes";
}

// Integers may come as 30 or 30.0: JSON has one type of number.
std::optional<std::int64_t> as_integer(const json::value& from) {
    if (const auto* number = from.if_int64()) return *number;
    const double* number = from.if_double();
    if (number == nullptr || std::trunc(*number) != *number || std::abs(*number) >= kExactIntegers)
        return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

// How many bytes the value has as JSON, counted only as far as `max`.
bool fits(const json::value& value, std::size_t max) {
    std::string text;
    append_json_value(text, value);
    return text.size() <= max;
}

}  // namespace

std::string Place::path() const {
    if (parent == nullptr) return {};
    std::string text = parent->path();
    if (name.data() == nullptr) return text + "[" + std::to_string(index) + "]";
    if (!text.empty()) text += '.';
    return text.append(cut_utf8(name, kKeyBytes));
}

bool Reader::fail(const Place& place, std::string_view expected) {
    error_ = bad_field({place.path(), std::string(expected)});
    return false;
}

bool Reader::fail(const Place& place, const BadField& inner) {
    std::string path = place.path();
    if (!path.empty() && !inner.path.empty()) path += '.';
    error_ = bad_field({path + inner.path, inner.expected});
    return false;
}

bool Reader::fail_missing(const Place& place, std::string_view expected) {
    const std::string path = place.path();
    error_ = Error(Code::invalid_params, path + " is missing: expected " + std::string(expected))
                 .with("path", json::string(path))
                 .with("expected", json::string(expected));
    return false;
}

bool Reader::fail_unknown(const Place& parent, const json::object& object,
                          const std::string_view* known, std::size_t count) {
    const auto stranger = std::find_if(object.begin(), object.end(), [&](const auto& member) {
        return std::find(known, known + count, std::string_view(member.key())) == known + count;
    });
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list.append(i == 0 ? "one of " : ", ").append(known[i]);
    const std::string path = Place{&parent, stranger->key(), 0}.path();
    const std::string expected = count == 0 ? "no field" : list;
    error_ = Error(Code::invalid_params, path + " is no field here: expected " + expected)
                 .with("path", json::string(path))
                 .with("expected", json::string(expected));
    return false;
}

bool Reader::read_text(const json::value& from, std::string_view& to, const Rule& rule,
                       const Place& place) {
    const auto* text = from.if_string();
    if (text == nullptr) return fail(place, "string");
    to = *text;
    if (to.size() > rule.max_bytes || !matches(to, rule.form))
        return fail(place, expected_text(rule));
    return true;
}

bool Reader::read_integer(const json::value& from, std::int64_t& to, const Rule& rule,
                          const Place& place) {
    if (!from.is_number()) return fail(place, "integer");
    const auto number = as_integer(from);
    if (!number || *number < rule.min || *number > rule.max)
        return fail(place,
                    "integer from " + std::to_string(rule.min) + " to " + std::to_string(rule.max));
    to = *number;
    return true;
}

bool Reader::read_number(const json::value& from, double& to, const Place& place) {
    if (!from.is_number()) return fail(place, "number");
    to = from.to_number<double>();
    return true;
}

bool Reader::read_time(const json::value& from, Time& to, const Place& place) {
    const auto* text = from.if_string();
    if (text == nullptr) return fail(place, "string");
    const auto time = parse_rfc3339(*text);
    if (time.has_error()) return fail(place, "time in RFC 3339");
    to = *time;
    return true;
}

bool Reader::read_word(const json::value& from, std::size_t& index, const std::string_view* words,
                       std::size_t count, const Place& place) {
    const auto* text = from.if_string();
    if (text == nullptr) return fail(place, "string");
    index =
        static_cast<std::size_t>(std::find(words, words + count, std::string_view(*text)) - words);
    if (index < count) return true;
    std::string expected = "one of ";
    for (std::size_t i = 0; i < count; ++i) expected.append(i == 0 ? "" : ", ").append(words[i]);
    return fail(place, expected);
}

bool Reader::check_document(const json::value& from, const Rule& rule, const Place& place) {
    if (fits(from, rule.max_bytes)) return true;
    return fail(place, std::string(from.is_object() ? "object" : "value") + " of at most " +
                           std::to_string(rule.max_bytes) + " bytes as JSON");
}

bool Reader::check_count(std::size_t count, const Rule& rule, const Place& place) {
    if (count <= rule.max_items) return true;
    return fail(place, "at most " + std::to_string(rule.max_items) + " items");
}

bool Reader::check_key(std::string_view key, const Place& place) {
    if (matches_name(key)) return true;
    return fail(place, "a key matching [a-z0-9._-]{1,64}");
}

const json::value& empty_object() {
    // Round brackets: in braces it would be an array that holds an object.
    static const json::value empty = json::value(json::object());
    return empty;
}

json::object text_schema(const Rule& rule) {
    json::object schema{{"type", "string"}};
    switch (rule.form) {
        case Form::text:
            schema["maxLength"] = rule.max_bytes;
            break;
        case Form::name:
            schema["pattern"] = "^[a-z0-9._-]{1,64}$";
            break;
        case Form::uuid:
            schema["format"] = "uuid";
            break;
        case Form::hex_32_bytes:
            schema["pattern"] = "^[0-9a-f]{64}$";
            break;
        case Form::base64url_32_bytes:
            schema["pattern"] = "^[A-Za-z0-9_-]{43}$";
            break;
        case Form::base64url_64_bytes:
            schema["pattern"] = "^[A-Za-z0-9_-]{86}$";
            break;
    }
    return schema;
}

json::object integer_schema(const Rule& rule) {
    return {{"type", "integer"}, {"minimum", rule.min}, {"maximum", rule.max}};
}

json::object time_schema() { return {{"type", "string"}, {"format", "date-time"}}; }

json::object words_schema(const std::string_view* words, std::size_t count) {
    json::array choices;
    for (std::size_t i = 0; i < count; ++i) choices.push_back(json::string(words[i]));
    return {{"type", "string"}, {"enum", std::move(choices)}};
}

}  // namespace detail
}  // namespace rekey::protocol
