#include "base/option_value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace rekey {

std::string not_one_of(std::string_view given, std::span<const std::string_view> choices) {
    return fmt::format("\"{}\" is not one of {}", given, fmt::join(choices, ", "));
}

Result<std::int64_t> read_whole_number(std::string_view given, std::int64_t min, std::int64_t max) {
    std::int64_t value = 0;
    const char* end = std::to_address(given.end());
    const auto [stop, problem] = std::from_chars(std::to_address(given.begin()), end, value);
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

std::string reworded(std::string_view parser_text) {
    constexpr std::string_view kOne = "The following argument was not expected: ";
    constexpr std::string_view kMany = "The following arguments were not expected: ";
    constexpr std::string_view kRequired = ": 1 required ";
    constexpr std::string_view kMissing = " missing";
    if (parser_text.starts_with(kOne))
        return fmt::format("{} was not expected", parser_text.substr(kOne.size()));
    if (parser_text.starts_with(kMany))
        return fmt::format("{} were not expected", parser_text.substr(kMany.size()));
    const std::size_t at = parser_text.find(kRequired);
    if (at == std::string_view::npos || !parser_text.ends_with(kMissing))
        return std::string(parser_text);
    std::string_view value = parser_text.substr(at + kRequired.size());
    value.remove_suffix(kMissing.size());
    const std::string needs = fmt::format("{} needs a value", parser_text.substr(0, at));
    // CLI11's word for a text of any kind tells nothing.
    return value == "TEXT" ? needs : fmt::format("{}: {}", needs, value);
}

}  // namespace rekey
