#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace rekey {

// RFC 3339 in UTC with milliseconds: "2026-11-21T07:36:10.250Z".
[[nodiscard]] std::string to_rfc3339(Time time);

// Reads RFC 3339 (section 5.6): any offset, zero to nine fraction digits (cut to milliseconds).
// `invalid_params` for anything else.
[[nodiscard]] Result<Time> parse_rfc3339(std::string_view text);

}  // namespace rekey
