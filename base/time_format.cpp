#include "base/time_format.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

namespace rekey {
namespace {

using std::chrono::milliseconds;

// Reads exactly `digits` decimal digits and moves past them; -1 if they are not there.
int take_digits(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return -1;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

// The fraction after the point, cut to milliseconds; -1 if malformed.
int take_fraction(std::string_view& text) {
    int value = 0;
    std::size_t count = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9' && count < 9) {
        if (count < 3) value = value * 10 + (text.front() - '0');
        text.remove_prefix(1);
        ++count;
    }
    if (count == 0) return -1;
    for (; count < 3; ++count) value *= 10;
    return value;
}

}  // namespace

std::string to_rfc3339(Time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

Result<Time> parse_rfc3339(std::string_view text) {
    const auto bad = [] { return Error(Code::invalid_params, "not a time in RFC 3339"); };
    const int year = take_digits(text, 4);
    if (year < 0 || !take(text, "-")) return bad();
    const int month = take_digits(text, 2);
    if (month < 0 || !take(text, "-")) return bad();
    const int day = take_digits(text, 2);
    if (day < 0 || !take(text, "Tt ")) return bad();
    const int hour = take_digits(text, 2);
    if (hour < 0 || hour > 23 || !take(text, ":")) return bad();
    const int minute = take_digits(text, 2);
    if (minute < 0 || minute > 59 || !take(text, ":")) return bad();
    const int second = take_digits(text, 2);
    if (second < 0 || second > 60) return bad();
    int fraction = 0;
    if (take(text, ".")) fraction = take_fraction(text);
    if (fraction < 0) return bad();
    int offset_minutes = 0;
    if (!take(text, "Zz")) {
        const bool behind = !text.empty() && text.front() == '-';
        if (!take(text, "+-")) return bad();
        const int hours = take_digits(text, 2);
        if (hours < 0 || hours > 23 || !take(text, ":")) return bad();
        const int minutes = take_digits(text, 2);
        if (minutes < 0 || minutes > 59) return bad();
        offset_minutes = (hours * 60 + minutes) * (behind ? -1 : 1);
    }
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!text.empty() || !date.ok()) return bad();
    const Time time = Time{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
                      std::chrono::minutes{minute - offset_minutes} + std::chrono::seconds{second} +
                      milliseconds{fraction};
    if (time > kLastRfc3339Time || time < Time{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}})
        return bad();
    return time;
}

}  // namespace rekey
