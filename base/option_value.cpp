#include "base/option_value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace rekey {

std::string not_one_of(std::string_view given, std::span<const std::string_view> choices) {
    return fmt::format("\"{}\" is not one of {}", given, fmt::join(choices, ", "));
}

Result<std::int64_t> read_whole_number(std::string_view given, std::int64_t min, std::int64_t max) {
    std::int64_t value = 0;
    const char* end = given.data() + given.size();
    const auto [stop, problem] = std::from_chars(given.data(), end, value);
    const bool number = !given.empty() && stop == end &&
                        (problem == std::errc() || problem == std::errc::result_out_of_range);
    if (!number)
        return Error(Code::invalid_params,
                     fmt::format("\"{}\" is not a whole number from {} to {}", given, min, max));
    if (problem != std::errc() || value < min || value > max)
        return Error(Code::invalid_params,
                     fmt::format("{} is not within {} to {}", given, min, max));
    return value;
}

}  // namespace rekey
