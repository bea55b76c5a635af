#pragma once

#include "base/option_value.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the programs' parsers check with, so that a wrong value is told in words rather than in
// those of CLI11. The only header here that includes it.
namespace rekey {

// For transform(): a word becomes the enumerator at its place in `choices`.
[[nodiscard]] inline CLI::Validator choice(std::span<const std::string_view> choices) {
    const std::vector<std::string_view> known(choices.begin(), choices.end());
    return {[known](std::string& given) {
                const auto found = std::find(known.begin(), known.end(), given);
                if (found == known.end()) return not_one_of(given, known);
                given = std::to_string(found - known.begin());
                return std::string();
            },
            ""};
}

// For check().
[[nodiscard]] inline CLI::Validator whole_number(std::int64_t min, std::int64_t max) {
    return {[min, max](std::string& given) {
                const auto value = read_whole_number(given, min, max);
                return value.has_error() ? value.error().message() : std::string();
            },
            ""};
}

}  // namespace rekey
