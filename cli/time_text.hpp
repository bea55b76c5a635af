#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <string>

namespace rekey::cli {

// "in 3d", "2h ago", "now": the largest whole unit of s, m, h, d, y.
[[nodiscard]] std::string relative_time(Time time, Time now);

// RFC 3339 in UTC to the second: "2026-11-21T07:36:10Z".
[[nodiscard]] std::string absolute_time(Time time);

// Both: "2026-11-21T07:36:10Z (2h ago)".
[[nodiscard]] std::string time_text(Time time, Time now);

// "3d 4h", "12m 5s", "8s": the two largest units.
[[nodiscard]] std::string duration_text(std::chrono::seconds duration);

}  // namespace rekey::cli
