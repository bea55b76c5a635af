#include "base/time_format.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace rekey;

namespace {

std::int64_t milliseconds(std::string_view text) {
    const auto time = parse_rfc3339(text);
    BOOST_TEST_REQUIRE(time.has_value(), text);
    return time->time_since_epoch().count();
}

std::string rewritten(std::string_view text) { return to_rfc3339(*parse_rfc3339(text)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(time_format_tests)

BOOST_AUTO_TEST_CASE(times_are_written_in_utc_with_milliseconds) {
    BOOST_TEST(to_rfc3339(Time{}) == "1970-01-01T00:00:00.000Z");
    BOOST_TEST(to_rfc3339(Time(Milliseconds(1'700'000'000'005))) == "2023-11-14T22:13:20.005Z");
    BOOST_TEST(to_rfc3339(Time(Milliseconds(-1))) == "1969-12-31T23:59:59.999Z");
    BOOST_TEST(to_rfc3339(Time(Milliseconds(951'782'400'000))) == "2000-02-29T00:00:00.000Z");
}

// RFC 3339, section 5.8.
BOOST_AUTO_TEST_CASE(the_examples_of_rfc_3339_are_read) {
    BOOST_TEST(rewritten("1985-04-12T23:20:50.52Z") == "1985-04-12T23:20:50.520Z");
    BOOST_TEST(rewritten("1996-12-19T16:39:57-08:00") == "1996-12-20T00:39:57.000Z");
    BOOST_TEST(rewritten("1990-12-31T23:59:60Z") == "1991-01-01T00:00:00.000Z");
    BOOST_TEST(rewritten("1990-12-31T15:59:60-08:00") == "1991-01-01T00:00:00.000Z");
    BOOST_TEST(rewritten("1937-01-01T12:00:27.87+00:20") == "1937-01-01T11:40:27.870Z");
}

BOOST_AUTO_TEST_CASE(offsets_and_fractions_are_read) {
    BOOST_TEST(milliseconds("1970-01-01T00:00:00Z") == 0);
    BOOST_TEST(milliseconds("1970-01-01t00:00:00z") == 0);
    BOOST_TEST(milliseconds("1970-01-01 00:00:00Z") == 0);
    BOOST_TEST(milliseconds("1970-01-01T00:00:00-00:00") == 0);
    BOOST_TEST(milliseconds("1970-01-01T00:00:00+23:59") == -86'340'000);
    BOOST_TEST(milliseconds("1970-01-01T00:00:00.1Z") == 100);
    BOOST_TEST(milliseconds("1970-01-01T00:00:00.12Z") == 120);
    BOOST_TEST(milliseconds("1970-01-01T00:00:00.1239Z") == 123);
    BOOST_TEST(milliseconds("1970-01-01T00:00:00.123456789Z") == 123);
    BOOST_TEST(milliseconds("2024-02-29T00:00:00Z") == 1'709'164'800'000);
    BOOST_TEST(rewritten("9999-12-31T23:59:59.999Z") == "9999-12-31T23:59:59.999Z");
    BOOST_TEST(rewritten("0000-01-01T00:00:00Z") == "0000-01-01T00:00:00.000Z");
}

BOOST_AUTO_TEST_CASE(what_rfc_3339_cannot_write_is_no_time) {
    BOOST_TEST(to_rfc3339(kLastRfc3339Time) == "9999-12-31T23:59:59.999Z");
    for (const char* beyond :
         {"9999-12-31T23:59:59-01:00", "9999-12-31T23:59:60Z", "0000-01-01T00:00:00+00:01"})
        BOOST_TEST(parse_rfc3339(beyond).has_error(), beyond);
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused) {
    for (const std::string_view text : {"",
                                        "2026",
                                        "2026-11-21",
                                        "2026-11-21T07:36:10",
                                        "2026-11-21T07:36Z",
                                        "2026-11-21T07:36:10.Z",
                                        "2026-11-21T07:36:10,5Z",
                                        "2026-11-21T07:36:10.1234567890Z",
                                        "2026-11-21T07:36:10+0100",
                                        "2026-11-21T07:36:10+1:00",
                                        "2026-11-21T07:36:10+24:00",
                                        "2026-11-21T07:36:10+01:60",
                                        "2026-11-21T24:00:00Z",
                                        "2026-11-21T07:60:00Z",
                                        "2026-11-21T07:36:61Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-01-00T00:00:00Z",
                                        "2026-02-29T00:00:00Z",
                                        "2026-04-31T00:00:00Z",
                                        "26-01-01T00:00:00Z",
                                        "2026-1-01T00:00:00Z",
                                        "-026-01-01T00:00:00Z",
                                        "2026-11-21X07:36:10Z",
                                        "2026-11-21T07:36:10Z ",
                                        " 2026-11-21T07:36:10Z",
                                        "2026-11-21T07:36:10ZZ",
                                        "+2026-11-21T07:36:10Z",
                                        "2026/11/21T07:36:10Z"}) {
        const auto time = parse_rfc3339(text);
        BOOST_TEST_CONTEXT(text) {
            BOOST_REQUIRE(time.has_error());
            BOOST_TEST((time.error().code() == Code::invalid_params));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back) {
    for (std::int64_t at = -2'000'000'000'000; at < 4'000'000'000'000; at += 7'777'777'777)
        BOOST_TEST(milliseconds(to_rfc3339(Time(Milliseconds(at)))) == at);
}

BOOST_AUTO_TEST_SUITE_END()
