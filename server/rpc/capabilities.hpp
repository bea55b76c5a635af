#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rekey::server::rpc {

// Does one granted capability cover a wanted one? The same text does; `admin:*` covers everything;
// `agents:*` covers all that begins with `agents:`. A wanted wildcard is covered only by a wildcard
// at least as wide, so that nobody hands on more than they hold.
[[nodiscard]] bool covers(std::string_view granted, std::string_view wanted);
[[nodiscard]] bool covers(std::span<const std::string> granted, std::string_view wanted);

}  // namespace rekey::server::rpc
