#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace rekey {

// The last one that RFC 3339 can write: the end of the year 9999.
inline constexpr Time kLastRfc3339Time{std::chrono::milliseconds{253'402'300'799'999}};

// RFC 3339 in UTC with milliseconds: "2026-11-21T07:36:10.250Z".
[[nodiscard]] std::string to_rfc3339(Time time);

// Reads RFC 3339 (section 5.6): any offset, zero to nine fraction digits (cut to milliseconds).
// `invalid_params` for anything else, and for what its offset moves beyond kLastRfc3339Time.
[[nodiscard]] Result<Time> parse_rfc3339(std::string_view text);

}  // namespace rekey
