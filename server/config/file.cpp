#include "server/config/file.hpp"

#include "base/durable_file.hpp"
#include "base/limits.hpp"

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <stdexcept>

namespace rekey::server::config {
namespace {

// toml++ asserts what a malformed text can break ("[;table]" does): for us that is one more way of
// not being TOML, never the end of the process. (In its functions that may not throw, it still is.)
struct BrokenAssertion : std::runtime_error {
    using std::runtime_error::runtime_error;
};
[[noreturn]] void broken_assertion(const char* what) { throw BrokenAssertion(what); }

}  // namespace
}  // namespace rekey::server::config

// With NDEBUG toml++ would take the same assertions for granted.
#undef NDEBUG
#define TOML_ASSERT(expr)                                                          \
    do {                                                                           \
        if (!(expr)) ::rekey::server::config::broken_assertion(#expr " is wrong"); \
    } while (false)
#include <toml++/toml.h>

namespace rekey::server::config {

Result<boost::json::object> read_config_file(const std::string& path) {
    auto content = read_file(path, limits::kConfigFileBytes);
    if (content.has_error()) {
        return Error(Code::not_found,
                     "configuration file " + path + ": " + content.error().message());
    }
    return parse_config(*content, path);
}

Result<boost::json::object> parse_config(std::string_view toml, const std::string& path) {
    toml::table table;
    try {
        table = toml::parse(toml, path);
    } catch (const toml::parse_error& problem) {
        return Error(Code::invalid_params, path + ":" +
                                               std::to_string(problem.source().begin.line) +
                                               ": not TOML: " + std::string(problem.description()));
    } catch (const BrokenAssertion&) {
        return Error(Code::invalid_params, path + ": not TOML");
    }
    boost::json::object values;
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        if (const auto* text = node.as_string()) {
            values[name] = text->get();
        } else if (const auto* number = node.as_integer()) {
            values[name] = number->get();
        } else if (const auto* fraction = node.as_floating_point()) {
            values[name] = fraction->get();
        } else if (const auto* toggle = node.as_boolean()) {
            values[name] = toggle->get();
        } else {
            return Error(Code::invalid_params,
                         fmt::format("{}:{}: \"{}\" must be text, a number or a boolean: all keys "
                                     "stand at the top level, without [tables]",
                                     path, node.source().begin.line, name));
        }
    }
    return values;
}

}  // namespace rekey::server::config
