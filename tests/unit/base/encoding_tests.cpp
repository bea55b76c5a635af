#include "base/encoding.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;

BOOST_AUTO_TEST_SUITE(encoding_tests)

BOOST_AUTO_TEST_CASE(crc32_has_the_check_value_of_its_catalogue_entry) {
    BOOST_TEST(crc32("123456789") == 0xCBF43926U);
}

BOOST_AUTO_TEST_CASE(base64url_round_trips_the_vectors_of_rfc_4648) {
    const std::pair<std::string_view, std::string_view> vectors[] = {
        {"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}};
    for (const auto& [plain, encoded] : vectors) {
        BOOST_TEST(to_base64url(as_bytes(plain)) == encoded);
        const auto decoded = from_base64url(encoded);
        BOOST_REQUIRE(decoded.has_value());
        BOOST_TEST(std::string(decoded->begin(), decoded->end()) == plain);
    }
}

BOOST_AUTO_TEST_CASE(base64url_refuses_padding_other_alphabets_and_stray_bits) {
    for (const std::string_view text : {"Zg==", "Z", "Zm9/", "Zm9+", "Zh", "Zg\n"})
        BOOST_TEST(!from_base64url(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(base62_pads_and_keeps_the_order_of_numbers) {
    Bytes32 zero{};
    BOOST_TEST(to_base62(zero, 43) == std::string(43, '0'));
    Bytes32 one{};
    one[31] = 61;
    BOOST_TEST(to_base62(one, 43) == std::string(42, '0') + "z");
    one[31] = 62;
    BOOST_TEST(to_base62(one, 43) == std::string(41, '0') + "10");
    Bytes32 top{};
    top.fill(0xff);
    BOOST_TEST(to_base62(top, 43).size() == 43U);
    BOOST_TEST(to_base62(top, 43) > to_base62(one, 43));
}

BOOST_AUTO_TEST_CASE(hex_reads_what_it_writes_and_nothing_else) {
    const Bytes bytes{0x00, 0x7f, 0xff};
    BOOST_TEST(to_hex(bytes) == "007fff");
    BOOST_TEST(*from_hex("007FfF") == bytes);
    BOOST_TEST(!from_hex("0").has_value());
    BOOST_TEST(!from_hex("0g").has_value());
}

BOOST_AUTO_TEST_CASE(utf8_refuses_overlong_surrogate_and_beyond_the_last_plane) {
    for (const std::string_view text :
         {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x91"})
        BOOST_TEST(is_utf8(text));
    for (const std::string_view text :
         {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xc3", "\x80"})
        BOOST_TEST(!is_utf8(text));
}

BOOST_AUTO_TEST_CASE(what_is_not_utf8_is_repaired_a_byte_at_a_time) {
    BOOST_TEST(repair_utf8("caf\xc3\xa9 \xf0\x9f\x94\x91") == "caf\xc3\xa9 \xf0\x9f\x94\x91");
    BOOST_TEST(repair_utf8("\xff|\xc3") == "\xef\xbf\xbd|\xef\xbf\xbd");
    BOOST_TEST(is_utf8(repair_utf8("\xed\xa0\x80\xf4\x90\x80\x80")));
    BOOST_TEST(repair_utf8("") == "");
}

BOOST_AUTO_TEST_SUITE_END()
