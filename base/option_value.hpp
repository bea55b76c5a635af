#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// Values of command line options, and what all programs say about a wrong one. The messages do not
// name the option: whoever reads it knows the name.
namespace rekey {

// "loud" is not one of debug, info, warning, error
[[nodiscard]] std::string not_one_of(std::string_view given,
                                     std::span<const std::string_view> choices);

// Decimal digits, a minus sign before them if `min` is below 0. `invalid_params`:
//   0 is not within 1 to 1000
//   "many" is not a whole number from 1 to 1000
[[nodiscard]] Result<std::int64_t> read_whole_number(std::string_view given, std::int64_t min,
                                                     std::int64_t max);

// CLI11's own words about a missing value and about what it did not expect, in ours:
//   --listen: 1 required HOST:PORT missing            --listen needs a value: HOST:PORT
//   The following argument was not expected: --x      --x was not expected
// Other texts stay as they are.
[[nodiscard]] std::string reworded(std::string_view parser_text);

}  // namespace rekey
