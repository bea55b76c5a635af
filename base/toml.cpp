#include "base/toml.hpp"

#include "base/limits.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace rekey {
namespace {

// toml++ asserts what a malformed text can break ("[;table]" does): for us that is one more way of
// not being TOML, never the end of the process. (In its functions that may not throw, it still is.)
struct BrokenAssertion : std::runtime_error {
    using std::runtime_error::runtime_error;
};
[[noreturn]] void broken_assertion(const char* what) { throw BrokenAssertion(what); }

}  // namespace
}  // namespace rekey

// With NDEBUG toml++ would take the same assertions for granted.
#undef NDEBUG
#define TOML_ASSERT(expr)                                          \
    do {                                                           \
        if (!(expr)) ::rekey::broken_assertion(#expr " is wrong"); \
    } while (false)
#include <toml++/toml.h>

namespace rekey {
namespace {

namespace json = boost::json;

Error too_deep() { return Error(Code::parse_error, "nested too deep"); }

// The end of the quoted text that begins at `text[at]`; one that does not end, ends with the text.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
    const char quote = text[at];
    const std::string three(3, quote);
    const bool is_long = text.substr(at).starts_with(three);
    for (at += is_long ? 3 : 1; at < text.size(); ++at) {
        if (text[at] == '\\' && quote == '"') {
            ++at;
        } else if (is_long && text.substr(at).starts_with(three)) {
            at += 3;  // two more quotes are the last of the text itself
            for (int more = 0; more < 2 && at < text.size() && text[at] == quote; ++more) ++at;
            return at;
        } else if (!is_long && (text[at] == quote || text[at] == '\n')) {
            return at + 1;
        }
    }
    return text.size();
}

// toml++ makes a table of each part of a dotted key, however many there are, and destroys them by
// recursion: a key of a million parts would end the process. So they are counted first. Dots
// elsewhere, in numbers and dates, are few.
bool has_endless_key(std::string_view text) {
    std::size_t dots = 0;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == '"' || c == '\'') {
            at = end_of_quoted(text, at);
            continue;
        }
        if (c == '#') {
            at = std::min(text.find('\n', at), text.size());
            continue;
        }
        if (c == '.' && ++dots >= limits::kJsonDepth) return true;
        if (std::string_view("\n=,{}[]").find(c) != std::string_view::npos) dots = 0;
        ++at;
    }
    return false;
}

Result<json::value> to_json(const toml::node& node, std::size_t depth);

Result<json::object> to_object(const toml::table& table, std::size_t depth) {
    if (depth > limits::kJsonDepth) return too_deep();
    json::object object;
    for (const auto& [key, node] : table) {
        REKEY_TRY_ASSIGN(value, to_json(node, depth + 1));
        object[key.str()] = std::move(value);
    }
    return object;
}

Result<json::value> to_json(const toml::node& node, std::size_t depth) {
    if (const auto* table = node.as_table()) {
        REKEY_TRY_ASSIGN(object, to_object(*table, depth));
        return json::value(std::move(object));
    }
    if (const auto* list = node.as_array()) {
        if (depth > limits::kJsonDepth) return too_deep();
        json::array array;
        for (const toml::node& one : *list) {
            REKEY_TRY_ASSIGN(value, to_json(one, depth + 1));
            array.push_back(std::move(value));
        }
        return json::value(std::move(array));
    }
    if (const auto* text = node.as_string()) return json::value(text->get());
    if (const auto* toggle = node.as_boolean()) return json::value(toggle->get());
    if (const auto* number = node.as_integer()) return json::value(number->get());
    if (const auto* fraction = node.as_floating_point()) return json::value(fraction->get());
    return json::value();
}

}  // namespace

Result<json::object> parse_toml(std::string_view text) {
    if (has_endless_key(text)) return too_deep();
    try {
        return to_object(toml::parse(text), 1);
    } catch (const toml::parse_error& problem) {
        return Error(Code::parse_error, std::string(problem.description()))
            .with("line", problem.source().begin.line);
    } catch (const std::exception&) {  // BrokenAssertion, and what the library may throw else
        return Error(Code::parse_error, "not to be read");
    }
}

std::string toml_line(const Error& error) {
    const json::object* details = error.details();
    const json::value* line = details == nullptr ? nullptr : details->if_contains("line");
    return line == nullptr ? std::string() : json::serialize(*line);
}

}  // namespace rekey
