#pragma once

#include "base/result.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace rekey::server::config {

// The configuration file: TOML 1.0, top-level keys with text, numbers and booleans only.
// `invalid_params` with file, line and what belongs there; `not_found` if it cannot be read.
[[nodiscard]] Result<boost::json::object> read_config_file(const std::string& path);
[[nodiscard]] Result<boost::json::object> parse_config(std::string_view toml,
                                                       const std::string& path);

}  // namespace rekey::server::config
