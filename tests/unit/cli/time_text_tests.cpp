#include "cli/time_text.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::cli;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(time_text_tests)

BOOST_AUTO_TEST_CASE(distances_are_told_in_their_largest_unit) {
    const Time now{1'795'000'000'000ms};
    const std::pair<Milliseconds, std::string_view> cases[] = {
        {0ms, "now"},
        {999ms, "now"},
        {-999ms, "now"},
        {1s, "in 1s"},
        {-59s, "59s ago"},
        {60s, "in 1m"},
        {-119s, "1m ago"},
        {-2h, "2h ago"},
        {23h + 59min, "in 23h"},
        {std::chrono::days{3} + 5h, "in 3d"},
        {-std::chrono::days{364}, "364d ago"},
        {std::chrono::days{3653}, "in 10y"}};
    for (const auto& [distance, text] : cases)
        BOOST_TEST(relative_time(now + distance, now) == text);
}

BOOST_AUTO_TEST_CASE(an_absolute_time_is_rfc_3339_to_the_second) {
    const Time time{1'795'246'570'250ms};
    BOOST_TEST(absolute_time(time) == "2026-11-21T07:36:10Z");
    BOOST_TEST(time_text(time, time + 2h) == "2026-11-21T07:36:10Z (2h ago)");
}

BOOST_AUTO_TEST_CASE(a_duration_has_two_units_at_most) {
    BOOST_TEST(duration_text(8s) == "8s");
    BOOST_TEST(duration_text(0s) == "0s");
    BOOST_TEST(duration_text(-5s) == "0s");
    BOOST_TEST(duration_text(12min + 5s) == "12m 5s");
    BOOST_TEST(duration_text(2h + 5s) == "2h");
    BOOST_TEST(duration_text(std::chrono::days{3} + 4h + 59min) == "3d 4h");
}

BOOST_AUTO_TEST_SUITE_END()
