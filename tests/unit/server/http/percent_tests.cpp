#include "server/http/percent.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::server;
using Strings = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(percent_tests)

BOOST_AUTO_TEST_CASE(what_is_encoded_is_decoded_once) {
    BOOST_TEST(http::percent_decoded("a%2Fb%2f").value() == "a/b/");
    BOOST_TEST(http::percent_decoded("%2541").value() == "%41");
    BOOST_TEST(http::percent_decoded("%C3%A4").value() == "\xc3\xa4");
    BOOST_TEST(http::percent_decoded("a+b").value() == "a+b");
    BOOST_TEST(http::percent_decoded("").value().empty());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_in_one_way_is_refused) {
    for (const std::string_view text : {"%", "%4", "a%4", "%zz", "%4g", "% 41", "%00", "%0a", "%7F",
                                        "\x01", "%ff", "%C3", "%C0%AF", "%ED%A0%80"}) {
        BOOST_TEST(!http::percent_decoded(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(a_path_is_split_before_it_is_decoded) {
    BOOST_TEST((http::path_segments("/agents/x/keys") == Strings{"agents", "x", "keys"}));
    BOOST_TEST((http::path_segments("/a%2Fb") == Strings{"a/b"}));
    BOOST_TEST((http::path_segments("/") == Strings{""}));
    BOOST_TEST((http::path_segments("/a/") == Strings{"a", ""}));
    BOOST_TEST((http::path_segments("//a") == Strings{"", "a"}));
    for (const std::string_view text : {"", "agents", "*", "http://x/agents", "/a/%"})
        BOOST_TEST(!http::path_segments(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_query_is_names_and_values_in_their_order) {
    const http::QueryPairs expected{{"a", "1"}, {"b", "x y"}, {"c", ""}, {"a", "=&"}, {"d", ""}};
    BOOST_TEST((http::parse_query("a=1&b=x+y&&c&a=%3D%26&d=").value() == expected));
    BOOST_TEST(http::parse_query("").value().empty());
    BOOST_TEST((http::parse_query("a=b=c").value() == http::QueryPairs{{"a", "b=c"}}));
    for (const std::string_view text : {"a=%", "%zz=1", "a=%00"}) {
        const auto refused = http::parse_query(text);
        BOOST_REQUIRE(refused.has_error());
        BOOST_TEST((refused.error().code() == Code::invalid_request));
    }
}

BOOST_AUTO_TEST_SUITE_END()
