#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

// Flags that hold several names, with commas between them. Errors are for people and do not name
// the flag: `invalid_params` with what belongs there.
namespace rekey::server::config {

// "https://console.example.com, http://localhost:3000": origins as browsers write them, so that
// they can be compared as text: scheme and host in lower case, no default port, no path. No "*".
[[nodiscard]] Result<std::vector<std::string>> read_origins(std::string_view text);

// "rekey.example.com, 192.0.2.7, 2001:db8::1": in lower case, without ports.
[[nodiscard]] Result<std::vector<std::string>> read_hosts(std::string_view text);

}  // namespace rekey::server::config
