#pragma once

#include "base/result.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace rekey::server::config {

// A file of variables, as container tools and shells read them: a NAME=VALUE a line, "export "
// before it if you like, the value perhaps in one pair of ' or ", lines that begin with # and empty
// ones are nothing. Values are taken as they stand: no escapes, no $VARIABLES, no comments behind
// them. Of a name that comes twice the last counts. `invalid_params` with file and line, never the
// line itself, which may hold a secret; `not_found` if it cannot be read.
using Variables = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] Result<Variables> read_env_file(const std::string& path);
[[nodiscard]] Result<Variables> parse_env(std::string_view text, const std::string& path);

// Names of AIMS, which mean something else here or nothing: one in the file is told about, because
// who brings such a file along means it. docs/configuration.md has ours beside them.
[[nodiscard]] std::span<const std::string_view> variables_of_aims();

}  // namespace rekey::server::config
