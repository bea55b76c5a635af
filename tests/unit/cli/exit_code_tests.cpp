#include "cli/exit_code.hpp"

#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::cli;

BOOST_AUTO_TEST_SUITE(exit_code_tests)

BOOST_AUTO_TEST_CASE(each_code_ends_with_what_a_script_can_act_on) {
    const std::pair<Code, int> cases[] = {{Code::unknown_credential, 77},
                                          {Code::token_expired, 77},
                                          {Code::agent_suspended, 1},
                                          {Code::agent_revoked, 1},
                                          {Code::permission_denied, 77},
                                          {Code::not_found, 1},
                                          {Code::conflict, 1},
                                          {Code::already_exists, 1},
                                          {Code::wrong_state, 1},
                                          {Code::rate_limited, 69},
                                          {Code::agent_offline, 1},
                                          {Code::agent_timeout, 1},
                                          {Code::unavailable, 69},
                                          {Code::overloaded, 69},
                                          {Code::invalid_params, 64},
                                          {Code::invalid_request, 1},
                                          {Code::parse_error, 1},
                                          {Code::method_not_found, 1},
                                          {Code::internal, 1},
                                          {Code::corrupt, 1}};
    for (const auto& [code, expected] : cases)
        BOOST_TEST(static_cast<int>(exit_code_of(Error(code))) == expected);
}

BOOST_AUTO_TEST_CASE(a_line_names_the_error_the_field_and_the_way_out) {
    const Error error = Error(Code::invalid_params, "out of range")
                            .with("path", "settings.heartbeat_seconds")
                            .with("expected", "integer from 5 to 600");
    BOOST_TEST(error_line(error) ==
               "rekeyctl: invalid_params: out of range (settings.heartbeat_seconds: expected "
               "integer from 5 to 600)");
    BOOST_TEST(error_line(with_way_out(Error(Code::not_found, "no agent is called x"),
                                       "Did you mean y?")) ==
               "rekeyctl: not_found: no agent is called x. Did you mean y?");
}

BOOST_AUTO_TEST_CASE(a_message_that_names_the_field_is_not_repeated) {
    const Error error = Error(Code::invalid_params, "name is missing: expected string")
                            .with("path", "name")
                            .with("expected", "string");
    BOOST_TEST(error_line(error) == "rekeyctl: invalid_params: name is missing: expected string");
}

BOOST_AUTO_TEST_CASE(times_to_wait_are_told) {
    BOOST_TEST(error_line(Error(Code::rate_limited, "too many calls")
                              .with_retry_after(std::chrono::seconds{7})) ==
               "rekeyctl: rate_limited: too many calls; try again in 7 s");
    BOOST_TEST(
        error_line(
            Error(Code::wrong_state, "within the grace").with("not_before", "2026-11-21T07:36:10Z"))
            .find("; not before 2026-11-21T07:36:10Z") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_error_is_one_line_whatever_the_server_says) {
    const std::string line = error_line(Error(Code::internal, "two\nlines\x1b[2J"));
    BOOST_TEST(line.find_first_of("\n\x1b") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_error_without_words_has_those_of_its_code) {
    BOOST_TEST(error_line(Error(Code::unknown_credential)).find("REKEY_API_KEY") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(credentials_are_not_repeated) {
    BOOST_TEST(without_credentials("not expected: rkk_01-ab_S3cret x rka_ 'rke_1_2'") ==
               "not expected: rkk_[redacted] x rka_ 'rke_[redacted]'");
    BOOST_TEST(without_credentials("work_order rekey") == "work_order rekey");
}

BOOST_AUTO_TEST_SUITE_END()
