#include "cli/time_text.hpp"

#include "base/time_format.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rekey::cli {
namespace {

struct Unit {
    std::int64_t seconds;
    char letter;
};
constexpr std::array<Unit, 5> kUnits{
    {{31'557'600, 'y'}, {86'400, 'd'}, {3'600, 'h'}, {60, 'm'}, {1, 's'}}};

// The index of the largest unit that fits; of seconds for anything shorter than one.
std::size_t largest_unit(std::int64_t seconds) {
    for (std::size_t i = 0; i < kUnits.size(); ++i)
        if (seconds >= kUnits[i].seconds) return i;
    return kUnits.size() - 1;
}

}  // namespace

std::string relative_time(Time time, Time now) {
    const auto distance = time - now;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
                             distance < distance.zero() ? -distance : distance)
                             .count();
    if (seconds == 0) return "now";
    const Unit unit = kUnits[largest_unit(seconds)];
    const std::int64_t count = seconds / unit.seconds;
    return time > now ? fmt::format("in {}{}", count, unit.letter)
                      : fmt::format("{}{} ago", count, unit.letter);
}

std::string absolute_time(Time time) {
    return to_rfc3339(std::chrono::floor<std::chrono::seconds>(time)).substr(0, 19) + "Z";
}

std::string time_text(Time time, Time now) {
    return fmt::format("{} ({})", absolute_time(time), relative_time(time, now));
}

std::string duration_text(std::chrono::seconds duration) {
    const std::int64_t seconds = std::max<std::int64_t>(duration.count(), 0);
    const std::size_t first = largest_unit(seconds);
    std::string text = fmt::format("{}{}", seconds / kUnits[first].seconds, kUnits[first].letter);
    if (first + 1 == kUnits.size()) return text;
    const Unit next = kUnits[first + 1];
    const std::int64_t rest = seconds % kUnits[first].seconds / next.seconds;
    return rest == 0 ? text : fmt::format("{} {}{}", text, rest, next.letter);
}

}  // namespace rekey::cli
