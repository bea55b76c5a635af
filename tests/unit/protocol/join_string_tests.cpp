#include "protocol/join_string.hpp"
#include "protocol/token.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace std::string_literals;
using namespace rekey::protocol;

namespace {

std::string a_code() {
    SeededRandom random(5);
    return std::string(
        mint_token(TokenKind::enrollment_code, "01890a5d-ac96-774b-bcce-b302099a8057", random)
            .expose());
}

const std::string kPin = "sha256:" + std::string(62, 'a') + "0f";

std::string tls(const std::string& host_and_port) {
    return "rekey://" + host_and_port + "/?code=" + a_code() + "&ca=" + kPin;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(join_string_tests)

BOOST_AUTO_TEST_CASE(a_pinned_join_string_is_read_and_written_alike) {
    const std::string text = tls("rekey.example.com:7443");
    const auto join = parse_join_string(text);
    BOOST_REQUIRE(join.has_value());
    BOOST_TEST(join->host == "rekey.example.com");
    BOOST_TEST(join->port == 7443);
    BOOST_TEST(join->code.expose() == a_code());
    BOOST_REQUIRE(std::holds_alternative<PinnedCa>(join->trust));
    BOOST_TEST(std::get<PinnedCa>(join->trust).sha256[31] == 0x0f);
    BOOST_TEST(format_join_string(*join).expose() == text);
}

BOOST_AUTO_TEST_CASE(every_kind_of_server_round_trips) {
    for (const std::string& text :
         {"rekey://10.0.0.1:1/?code=" + a_code() + "&ca=system", tls("[2001:db8::1]:65535"),
          tls("10.0.0.1.nip.io:7443"), "rekey+plain://127.0.0.1:8080/?code=" + a_code(),
          "rekey+plain://[::1]:8080/?code=" + a_code(),
          "rekey+plain://localhost:8080/?code=" + a_code()}) {
        const auto join = parse_join_string(text);
        BOOST_TEST_CONTEXT(text) {
            BOOST_REQUIRE(join.has_value());
            BOOST_TEST(format_join_string(*join).expose() == text);
        }
    }
    BOOST_TEST(parse_join_string(tls("[2001:db8::1]:7443"))->host == "2001:db8::1");
}

BOOST_AUTO_TEST_CASE(how_it_was_pasted_does_not_matter) {
    BOOST_TEST(parse_join_string("  \t" + tls("h:1") + "\r\n").has_value());
    BOOST_TEST(parse_join_string("REKEY://h:1/?code=" + a_code() + "&ca=system").has_value());
    BOOST_TEST(parse_join_string("rekey://h:1?ca=system&code=" + a_code()).has_value());
    BOOST_TEST(parse_join_string(tls("h:1") + "&hint=newer").has_value());
    BOOST_TEST(parse_join_string("rekey://h:1/?ca=sha256%3A" + kPin.substr(7) + "&code=" + a_code())
                   .has_value());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_without_a_word_of_the_text) {
    const std::string code = a_code();
    std::string typo = code;
    typo[60] = typo[60] == 'a' ? 'b' : 'a';
    SeededRandom random(5);
    const std::string agent_token(mint_token(TokenKind::agent, "x", random).expose());
    const std::pair<std::string, std::string_view> cases[] = {
        {"", "is empty"},
        {"   ", "is empty"},
        {code, "is not of the form"},
        {"rekey://h:1/?code=" + code + "&ca=sys tem", "has a malformed query"},
        {"https://h:1/?code=" + code + "&ca=system", "begins with neither"},
        {"rekey:/?code=" + code + "&ca=system", "is not of the form"},
        {"rekey:///?code=" + code + "&ca=system", "names no host"},
        {"rekey://h\x01:1/?code=" + code + "&ca=system", "has a malformed host"},
        {"rekey://[::1\0x]:1/"s + "?code=" + code + "&ca=system", "has a malformed host"},
        {"rekey://[h]:1/?code=" + code + "&ca=system", "has a malformed host"},
        {"rekey://2001:db8::1:1/?code=" + code + "&ca=system", "has a malformed host"},
        {"rekey://[::1]/?code=" + code + "&ca=system", "lacks the port"},
        {"rekey://h:/?code=" + code + "&ca=system", "lacks the port"},
        {"rekey://h:1", "lacks the code"},
        {"rekey://:1/?code=" + code + "&ca=system", "names no host"},
        {"rekey://user@h:1/?code=" + code + "&ca=system", "has a user"},
        {"rekey://h/?code=" + code + "&ca=system", "lacks the port"},
        {"rekey://h:0/?code=" + code + "&ca=system", "lacks the port"},
        {"rekey://h:99999/?code=" + code + "&ca=system", "lacks the port"},
        {"rekey://h:1/enroll?code=" + code + "&ca=system", "has a path"},
        {"rekey://h:1/?code=" + code + "&ca=system#x", "has a fragment"},
        {"rekey://h:1/?code=" + code + "&ca=%7", "has a malformed query"},
        {"rekey://h:1/?code=" + code + "&ca=%zz", "has a malformed query"},
        {"rekey://h:1/?ca=system", "lacks the code"},
        {"rekey://h:1/?&&ca&=&code", "has a mistyped code"},
        {"rekey://h:1/?code=&ca=system", "has a mistyped code"},
        {"rekey://h:1/?code=" + typo + "&ca=system", "has a mistyped code"},
        {"rekey://h:1/?code=" + agent_token + "&ca=system", "has a mistyped code"},
        {"rekey://h:1/?code=" + code + "&code=" + code + "&ca=system", "names a parameter twice"},
        {"rekey://h:1/?code=" + code + "&ca=system&ca=system", "names a parameter twice"},
        {"rekey://h:1/?code=" + code, "lacks the pin"},
        {"rekey://h:1/?code=" + code + "&ca=", "has a pin"},
        {"rekey://h:1/?code=" + code + "&ca=sha256:aa", "has a pin"},
        {"rekey://h:1/?code=" + code + "&ca=sha1:" + std::string(64, 'a'), "has a pin"},
        {"rekey://h:1/?code=" + code + "&ca=sha256:" + std::string(64, 'A'), "has a pin"},
        {"rekey+plain://example.com:1/?code=" + code, "is without TLS"},
        {"rekey+plain://127.0.0.1.example.com:1/?code=" + code, "is without TLS"},
        {"rekey+plain://localhost:1/?code=" + code + "&ca=system", "is without TLS"},
        {tls("h:1") + "&x=" + std::string(1024, 'x'), "is longer than"}};
    for (const auto& [text, why] : cases) {
        const auto join = parse_join_string(text);
        BOOST_TEST_CONTEXT(text) {
            BOOST_REQUIRE(join.has_error());
            BOOST_TEST((join.error().code() == Code::invalid_params));
            BOOST_TEST(join.error().message().starts_with("the join string " + std::string(why)));
            BOOST_TEST(join.error().message().find("rke_0") == std::string::npos);
            BOOST_TEST(join.error().message().find(code.substr(44)) == std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(loopback_is_known_without_a_resolver) {
    for (const std::string_view host : {"localhost", "127.0.0.1", "127.255.255.254", "::1"})
        BOOST_TEST(is_loopback_host(host), host);
    for (const std::string_view host :
         {"", "0.0.0.0", "128.0.0.1", "127.1", "::", "::2", "localhost.example.com", "10.0.0.1"})
        BOOST_TEST(!is_loopback_host(host), host);
}

BOOST_AUTO_TEST_CASE(pins_are_lower_case_hex_of_32_bytes) {
    const auto pin = parse_pin(kPin);
    BOOST_REQUIRE(pin.has_value());
    BOOST_TEST(format_pin(*pin) == kPin);
    for (const std::string& text : {std::string(), std::string("sha256:"), kPin + "0",
                                    kPin.substr(0, kPin.size() - 1), kPin.substr(7)})
        BOOST_TEST(parse_pin(text).has_error(), text);
}

BOOST_AUTO_TEST_SUITE_END()
