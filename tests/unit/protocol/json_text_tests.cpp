#include "protocol/json_text.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

using namespace rekey;
using namespace rekey::protocol;

namespace {

std::string string_text(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string value_text(std::string_view json) {
    std::string out;
    append_json_value(out, *parse_json(json));
    return out;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

BOOST_AUTO_TEST_SUITE(json_text_tests)

BOOST_AUTO_TEST_CASE(what_is_no_json_is_a_parse_error) {
    for (const std::string_view text : {"",
                                        " ",
                                        "{",
                                        "}",
                                        "{]",
                                        "[1,]",
                                        "{\"a\":}",
                                        "{'a':1}",
                                        "{\"a\" 1}",
                                        "nul",
                                        "NaN",
                                        "[NaN]",
                                        "[Infinity]",
                                        "[-Infinity]",
                                        "[01]",
                                        "[+1]",
                                        "[.5]",
                                        "[1.]",
                                        "[0x1]",
                                        "\"\n\"",
                                        "\"\\x\"",
                                        "\"\\ud800\"",
                                        "// c\n1",
                                        "[1] 2",
                                        "\xef\xbb\xbf[1]",
                                        "[\"\xff\"]",
                                        "[\"\xed\xa0\x80\"]",
                                        "[\"\xc0\x80\"]"}) {
        const auto parsed = parse_json(text);
        BOOST_TEST_CONTEXT(text) {
            BOOST_REQUIRE(parsed.has_error());
            BOOST_TEST((parsed.error().code() == Code::parse_error));
        }
    }
    // A NUL byte ends nothing.
    BOOST_TEST(parse_json(std::string_view("[1]\0", 4)).has_error());
}

BOOST_AUTO_TEST_CASE(depth_is_limited_to_32) {
    BOOST_TEST(parse_json(nested(limits::kJsonDepth)).has_value());
    const auto deeper = parse_json(nested(limits::kJsonDepth + 1));
    BOOST_REQUIRE(deeper.has_error());
    BOOST_TEST((deeper.error().code() == Code::parse_error));
    BOOST_TEST(deeper.error().message() == "nested deeper than 32 levels");
    // A bomb is refused long before its end.
    BOOST_TEST(parse_json(std::string(60'000, '[')).has_error());
    std::string objects;
    for (int i = 0; i < 5'000; ++i) objects += "{\"a\":";
    BOOST_TEST(parse_json(objects).has_error());
}

BOOST_AUTO_TEST_CASE(size_is_limited_to_64_kib) {
    std::string text = "[\"";
    text.append(limits::kMessageBytes - 4, 'x').append("\"]");
    BOOST_TEST(text.size() == limits::kMessageBytes);
    BOOST_TEST(parse_json(text).has_value());
    text += ' ';
    const auto larger = parse_json(text);
    BOOST_REQUIRE(larger.has_error());
    BOOST_TEST((larger.error().code() == Code::invalid_request));
    BOOST_TEST(parse_json(text, {}, limits::kAnswerBytes).has_value());
}

BOOST_AUTO_TEST_CASE(numbers_beyond_double_are_refused_wherever_they_stand) {
    for (const std::string_view text :
         {"1e400", "[-1e400]", "{\"a\":{\"b\":[0,1e999]}}", "1E309"}) {
        const auto parsed = parse_json(text);
        BOOST_TEST_CONTEXT(text) {
            BOOST_REQUIRE(parsed.has_error());
            BOOST_TEST((parsed.error().code() == Code::parse_error));
        }
    }
    BOOST_TEST(parse_json(std::string(400, '9')).has_error());
    BOOST_TEST(parse_json("1e-400").has_value());
    BOOST_TEST(parse_json("1.7976931348623157e308").has_value());
}

BOOST_AUTO_TEST_CASE(of_duplicate_keys_the_last_wins) {
    BOOST_TEST(value_text(R"({"a":1,"b":2,"a":3})") == R"({"a":3,"b":2})");
}

BOOST_AUTO_TEST_CASE(a_value_lives_in_the_storage_it_was_given) {
    unsigned char buffer[4096];
    boost::json::monotonic_resource arena(buffer, sizeof buffer);
    const auto parsed = parse_json(R"({"method":"agent.heartbeat","params":{"n":[1,2]}})", &arena);
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(parsed->storage().get() == &arena);
    BOOST_TEST(parsed->at("params").storage().get() == &arena);
}

BOOST_AUTO_TEST_CASE(strings_are_escaped_so_that_they_read_back) {
    BOOST_TEST(string_text("plain") == "\"plain\"");
    BOOST_TEST(string_text("") == "\"\"");
    BOOST_TEST(string_text("a\"b\\c\nd\re\tf\x01") == R"("a\"b\\c\nd\re\tf\u0001")");
    BOOST_TEST(string_text(std::string_view("a\0b", 3)) == R"("a\u0000b")");
    BOOST_TEST(string_text("\x7f/\x1f") == "\"\x7f/\\u001f\"");
    BOOST_TEST(string_text("\xc3\xa9\xf0\x9f\x94\x91") == "\"\xc3\xa9\xf0\x9f\x94\x91\"");
    for (int c = 0; c < 128; ++c) {
        const std::string text(1, static_cast<char>(c));
        BOOST_TEST(boost::json::parse(string_text(text)).as_string() == text);
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_utf8_becomes_the_replacement_character) {
    BOOST_TEST(string_text("a\xff"
                           "b") ==
               "\"a\xef\xbf\xbd"
               "b\"");
    BOOST_TEST(string_text("\xc3\xa9\xc3") == "\"\xc3\xa9\xef\xbf\xbd\"");
    BOOST_TEST(string_text("\xed\xa0\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

BOOST_AUTO_TEST_CASE(values_are_written_as_people_write_them) {
    BOOST_TEST(value_text(R"( {"a" : [1, -2, 0.7, 1e3, true, false, null, "x"], "b" : {}} )") ==
               R"({"a":[1,-2,0.7,1000,true,false,null,"x"],"b":{}})");
    BOOST_TEST(value_text("18446744073709551615") == "18446744073709551615");
    BOOST_TEST(value_text("-9223372036854775808") == "-9223372036854775808");
}

BOOST_AUTO_TEST_CASE(cutting_never_splits_a_character) {
    BOOST_TEST(cut_utf8("abc", 3) == "abc");
    BOOST_TEST(cut_utf8("abc", 2) == "ab");
    BOOST_TEST(cut_utf8("a\xc3\xa9", 2) == "a");
    BOOST_TEST(cut_utf8("\xf0\x9f\x94\x91", 3) == "");
    BOOST_TEST(cut_utf8("\xf0\x9f\x94\x91z", 4) == "\xf0\x9f\x94\x91");
}

BOOST_AUTO_TEST_SUITE_END()
