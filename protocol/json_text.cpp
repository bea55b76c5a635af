#include "protocol/json_text.hpp"

#include "base/contract.hpp"
#include "base/encoding.hpp"

#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace rekey::protocol {
namespace {

namespace json = boost::json;

// Boost.JSON reads 1e400 as infinity, which no JSON can say again. As deep as the parser allowed.
bool all_finite(const json::value& value) {
    switch (value.kind()) {
        case json::kind::double_:
            return std::isfinite(value.get_double());
        case json::kind::array:
            return std::all_of(value.get_array().begin(), value.get_array().end(), all_finite);
        case json::kind::object:
            return std::all_of(value.get_object().begin(), value.get_object().end(),
                               [](const auto& member) { return all_finite(member.value()); });
        default:
            return true;
    }
}

template <class Number>
void append_digits(std::string& out, Number number) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_escaped(std::string& out, char c) {
    constexpr std::string_view kHex = "0123456789abcdef";
    switch (c) {
        case '"':
            out.append("\\\"");
            return;
        case '\\':
            out.append("\\\\");
            return;
        case '\n':
            out.append("\\n");
            return;
        case '\r':
            out.append("\\r");
            return;
        case '\t':
            out.append("\\t");
            return;
        default:
            out.append("\\u00");
            out.push_back(kHex[static_cast<unsigned char>(c) >> 4U]);
            out.push_back(kHex[static_cast<unsigned char>(c) & 0xfU]);
    }
}

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

void append_quoted(std::string& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        const auto stop = std::find_if_not(text.begin(), text.end(), is_plain);
        const auto plain = static_cast<std::size_t>(stop - text.begin());
        out.append(text.substr(0, plain));
        if (stop == text.end()) break;
        append_escaped(out, *stop);
        text.remove_prefix(plain + 1);
    }
    out.push_back('"');
}

}  // namespace

Result<json::value> parse_json(std::string_view text, json::storage_ptr storage,
                               std::size_t max_bytes) {
    if (text.size() > max_bytes)
        return Error(Code::invalid_request, "larger than " + std::to_string(max_bytes) + " bytes");
    json::parse_options options;
    options.max_depth = limits::kJsonDepth;
    boost::system::error_code failed;
    json::value value = json::parse(text, failed, std::move(storage), options);
    if (failed == json::error::too_deep)
        return Error(Code::parse_error,
                     "nested deeper than " + std::to_string(limits::kJsonDepth) + " levels");
    if (failed) return Error(Code::parse_error, "not JSON: " + failed.message());
    if (!all_finite(value)) return Error(Code::parse_error, "a number is too large");
    return value;
}

void append_json_string(std::string& out, std::string_view text) {
    const bool ascii = std::all_of(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (ascii || is_utf8(text))
        append_quoted(out, text);
    else
        append_quoted(out, repair_utf8(text));
}

void append_json_number(std::string& out, std::int64_t number) { append_digits(out, number); }
void append_json_number(std::string& out, std::uint64_t number) { append_digits(out, number); }
void append_json_number(std::string& out, double number) {
    REKEY_ASSERT(std::isfinite(number));
    append_digits(out, number);
}

// Not Boost.JSON's serializer: it writes 0.7 as 7E-1, and its strings may hold what is not UTF-8.
void append_json_value(std::string& out, const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            out.append("null");
            return;
        case json::kind::bool_:
            out.append(value.get_bool() ? "true" : "false");
            return;
        case json::kind::int64:
            return append_json_number(out, value.get_int64());
        case json::kind::uint64:
            return append_json_number(out, value.get_uint64());
        case json::kind::double_:
            return append_json_number(out, value.get_double());
        case json::kind::string:
            return append_json_string(out, value.get_string());
        case json::kind::array: {
            out.push_back('[');
            for (bool first = true; const auto& item : value.get_array()) {
                if (!first) out.push_back(',');
                first = false;
                append_json_value(out, item);
            }
            out.push_back(']');
            return;
        }
        case json::kind::object:
            return append_json_object(out, value.get_object());
    }
}

void append_json_object(std::string& out, const json::object& object) {
    out.push_back('{');
    for (bool first = true; const auto& [key, item] : object) {
        if (!first) out.push_back(',');
        first = false;
        append_json_string(out, key);
        out.push_back(':');
        append_json_value(out, item);
    }
    out.push_back('}');
}

std::string_view cut_utf8(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return text;
    // Continuation bytes are 10xxxxxx: go back to the start of the character that would be split.
    std::size_t end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    return text.substr(0, end);
}

}  // namespace rekey::protocol
