#include "base/ids.hpp"
#include "base/limits.hpp"
#include "server/http/host_gate.hpp"
#include "server/http/request_id.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>

using namespace rekey;
using namespace rekey::server;

namespace {

enum class Over : std::uint8_t { plain, tls };

net::HttpRequest from(std::optional<std::string_view> host,
                      std::optional<std::string_view> origin = {}, Over over = Over::tls) {
    net::HttpRequest request;
    if (host) request.headers.add("Host", *host);
    if (origin) request.headers.add("Origin", *origin);
    request.secure = over == Over::tls;
    return request;
}

// 0: let in.
unsigned status(const http::HostGate& gate, const net::HttpRequest& request) {
    const auto refused = gate.refuse(request);
    return refused ? refused->status : 0;
}

const http::HostGate kGate({{"rekey.example.com", "192.0.2.7", "2001:db8::7"},
                            false,
                            {"https://console.example.com"}});

}  // namespace

BOOST_AUTO_TEST_SUITE(host_gate_tests)

BOOST_AUTO_TEST_CASE(a_host_is_told_from_its_port) {
    BOOST_TEST(http::host_of("Rekey.Example.COM:7443") == "rekey.example.com");
    BOOST_TEST(http::host_of("rekey.example.com.") == "rekey.example.com");
    BOOST_TEST(http::host_of("[2001:DB8::1]:1") == "2001:db8::1");
    BOOST_TEST(http::host_of("[::1]") == "::1");
    for (const std::string_view wrong :
         {"", ":1", "a:b", "a:1:2", "[::1", "[::1]x", "a:123456", "localhost:7443@evil.example"})
        BOOST_TEST(http::host_of(wrong).empty(), wrong);
}

BOOST_AUTO_TEST_CASE(who_is_called_by_another_name_is_not_us) {
    for (const std::string_view ours :
         {"localhost", "LOCALHOST:1", "127.0.0.1:7443", "127.9.9.9", "[::1]:7443",
          "rekey.example.com", "REKEY.example.com.:7443", "192.0.2.7:9", "[2001:db8::7]"})
        BOOST_TEST(status(kGate, from(ours)) == 0U, ours);
    for (const std::string_view others :
         {"evil.example", "rekey.example.com.evil.example", "localhost.evil.example", "192.0.2.8",
          "", "127.0.0.1.evil.example", "rekey.example.com:x", "2130706433", "[::2]"})
        BOOST_TEST(status(kGate, from(others)) == 421U, others);
    BOOST_TEST(status(kGate, from(std::nullopt)) == 0U, "HTTP/1.0, which no browser speaks");
}

BOOST_AUTO_TEST_CASE(on_all_addresses_each_address_is_ours_but_no_name) {
    const http::HostGate gate({{"rekey.example.com", "0.0.0.0"}, true, {}});
    BOOST_TEST(status(gate, from("198.51.100.4:7443")) == 0U);
    BOOST_TEST(status(gate, from("[2001:db8::99]:7443")) == 0U);
    BOOST_TEST(status(gate, from("evil.example:7443")) == 421U);
}

BOOST_AUTO_TEST_CASE(an_origin_is_ours_configured_or_refused) {
    BOOST_TEST(status(kGate, from("rekey.example.com", "https://rekey.example.com")) == 0U);
    BOOST_TEST(status(kGate, from("localhost:7443", "https://localhost:7443")) == 0U);
    BOOST_TEST(status(kGate, from("localhost", "https://console.example.com")) == 0U);
    for (const std::string_view others :
         {"https://evil.example", "null", "", "https://rekey.example.com:444",
          "http://rekey.example.com", "https://console.example.com.evil.example",
          "http://console.example.com", "https://CONSOLE.example.com", "*"})
        BOOST_TEST(status(kGate, from("rekey.example.com", others)) == 403U, others);
    // Another program on this machine, in the same browser.
    BOOST_TEST(status(kGate, from("localhost:7443", "https://localhost:3000")) == 403U);
    BOOST_TEST(status(kGate, from(std::nullopt, "https://localhost")) == 403U);
    // Behind a proxy that does TLS.
    BOOST_TEST(status(kGate, from("rekey.example.com", "https://rekey.example.com", Over::plain)) ==
               0U);
    BOOST_TEST(status(kGate, from("localhost:1", "http://localhost:1", Over::plain)) == 0U);
}

BOOST_AUTO_TEST_CASE(a_preflight_is_answered_to_configured_origins_only) {
    auto question = from("localhost", "https://console.example.com");
    question.method = "OPTIONS";
    BOOST_TEST(!kGate.preflight(question).has_value(), "asks nothing");
    question.headers.add("Access-Control-Request-Method", "POST");
    const auto answer = kGate.preflight(question);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->status == 204U);
    BOOST_TEST(answer->headers.get("Access-Control-Allow-Headers").find("X-API-Key") !=
               std::string_view::npos);
    BOOST_TEST(!answer->headers.has("Access-Control-Allow-Credentials"));
    question.method = "POST";
    BOOST_TEST(!kGate.preflight(question).has_value());
    auto own = from("localhost", "https://localhost");
    own.method = "OPTIONS";
    own.headers.add("Access-Control-Request-Method", "POST");
    BOOST_TEST(!kGate.preflight(own).has_value());
}

BOOST_AUTO_TEST_CASE(a_request_is_named_by_the_client_in_plain_words_or_by_us) {
    const SystemClock clock;
    SeededRandom random(3);
    const auto named = [&](std::string_view given) {
        net::HttpHeaders headers;
        headers.add("x-request-id", given);
        return http::request_id(headers, clock, random);
    };
    BOOST_TEST(named("build-7.b_C:9") == "build-7.b_C:9");
    const std::string longest(limits::kClientRequestIdBytes, 'a');
    BOOST_TEST(named(longest) == longest);
    for (const std::string& wrong :
         {std::string(), longest + "a", std::string("a b"), std::string("a\"b"), std::string("a=b"),
          std::string("\xc3\xa4"), std::string("a/b")})
        BOOST_TEST(is_uuid(named(wrong)), wrong);
    BOOST_TEST(named("") != named(""));
}

BOOST_AUTO_TEST_SUITE_END()
