#include "server/config/file.hpp"

#include "base/durable_file.hpp"
#include "base/limits.hpp"
#include "base/toml.hpp"

#include <boost/json/value.hpp>

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
    auto values = parse_toml(toml);
    if (values.has_error()) {
        const std::string line = toml_line(values.error());
        return Error(Code::invalid_params, path + (line.empty() ? "" : ":" + line) +
                                               ": not TOML: " + values.error().message());
    }
    for (const auto& [name, value] : *values) {
        if (value.is_string() || value.is_number() || value.is_bool()) continue;
        return Error(Code::invalid_params, path + ": \"" + std::string(name) +
                                               "\" must be text, a number or a boolean: all keys "
                                               "stand at the top level, without [tables]");
    }
    return values;
}

}  // namespace rekey::server::config
