#include "base/option_value.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

using namespace rekey;

BOOST_AUTO_TEST_SUITE(option_value_tests)

BOOST_AUTO_TEST_CASE(a_wrong_word_is_said_with_the_right_ones) {
    constexpr std::array<std::string_view, 3> kWords{"one", "two", "three"};
    BOOST_TEST(not_one_of("loud", kWords) == "\"loud\" is not one of one, two, three");
    BOOST_TEST(not_one_of("", kWords) == "\"\" is not one of one, two, three");
}

BOOST_AUTO_TEST_CASE(whole_numbers_are_read_strictly) {
    const auto message = [](std::string_view given) {
        const auto value = read_whole_number(given, 1, 1000);
        return value.has_value() ? std::to_string(*value) : value.error().message();
    };
    BOOST_TEST(message("1") == "1");
    BOOST_TEST(message("1000") == "1000");
    BOOST_TEST(message("0") == "0 is not within 1 to 1000");
    BOOST_TEST(message("1001") == "1001 is not within 1 to 1000");
    BOOST_TEST(message("-5") == "-5 is not within 1 to 1000");
    BOOST_TEST(message("99999999999999999999") == "99999999999999999999 is not within 1 to 1000");
    for (const std::string text : {"", " 1", "1 ", "1.5", "0x10", "+1", "many", "1e3", "-"})
        BOOST_TEST(message(text) == "\"" + text + "\" is not a whole number from 1 to 1000");
    BOOST_TEST(read_whole_number("-3", -5, 0).value() == -3);
}

BOOST_AUTO_TEST_CASE(the_parsers_words_become_ours) {
    BOOST_TEST(reworded("--listen: 1 required HOST:PORT missing") ==
               "--listen needs a value: HOST:PORT");
    BOOST_TEST(reworded("--server: 1 required TEXT missing") == "--server needs a value");
    BOOST_TEST(reworded("The following argument was not expected: --x") == "--x was not expected");
    BOOST_TEST(reworded("The following arguments were not expected: a b") ==
               "a b were not expected");
    for (const char* text : {"", "NAME is required", " missing", "--x: 1 required "})
        BOOST_TEST(reworded(text) == text);
}

BOOST_AUTO_TEST_SUITE_END()
