#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>

namespace rekey::agent::detect {

// The text of a client's file, at most limits::kClientConfigBytes; no value if there is none.
// Errors are why it is passed over: a symbolic link, no regular file, too large, not to be read.
[[nodiscard]] Result<std::optional<std::string>> read_config(const std::string& path);

}  // namespace rekey::agent::detect
