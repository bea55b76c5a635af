#include "protocol/errors.hpp"
#include "server/http/address_gate.hpp"
#include "server/http/credentials.hpp"
#include "server/http/places.hpp"
#include "server/http/refusal.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace rekey;
using namespace rekey::server;

namespace {

net::HttpHeaders with(std::string_view name, std::string_view value) {
    net::HttpHeaders headers;
    headers.add(name, value);
    return headers;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(door_pieces_tests)

BOOST_AUTO_TEST_CASE(a_credential_is_a_bearer_or_an_api_key) {
    BOOST_TEST(http::bearer(with("Authorization", "Bearer abc")) == "abc");
    BOOST_TEST(http::bearer(with("authorization", "bEARER  abc ")) == "abc");
    BOOST_TEST(http::bearer(with("Authorization", "Basic abc")).empty());
    BOOST_TEST(http::bearer(with("Authorization", "Bearer")).empty());
    BOOST_TEST(http::bearer(with("Authorization", "Bearerabc")).empty());
    BOOST_TEST(http::api_key(with("X-API-Key", "abc")) == "abc");
    // An agent's token comes as a bearer only.
    BOOST_TEST(http::bearer(with("X-API-Key", "abc")).empty());
    auto both = with("X-API-Key", "second");
    both.add("Authorization", "Bearer first");
    BOOST_TEST(http::api_key(both) == "first");
    BOOST_TEST(http::api_key(net::HttpHeaders()).empty());
}

BOOST_AUTO_TEST_CASE(one_address_has_so_many_places) {
    http::AddressGate gate(2);
    std::vector<std::shared_ptr<void>> held{gate.admit("192.0.2.1"), gate.admit("192.0.2.1")};
    BOOST_TEST((gate.admit("192.0.2.1") == nullptr));
    BOOST_TEST((gate.admit("192.0.2.2") != nullptr));
    held.pop_back();
    held.push_back(gate.admit("192.0.2.1"));
    BOOST_TEST((held.back() != nullptr));
    // A /64 is one peer's.
    held.push_back(gate.admit("2001:db8::1"));
    held.push_back(gate.admit("2001:db8::2"));
    BOOST_TEST((gate.admit("2001:db8::3") == nullptr));
    // Behind a proxy everybody comes from loopback.
    for (int i = 0; i < 5; ++i) held.push_back(gate.admit("127.0.0.1"));
    for (int i = 0; i < 5; ++i) held.push_back(gate.admit("::1"));
    for (const auto& one : held) BOOST_TEST((one != nullptr));
}

BOOST_AUTO_TEST_CASE(a_place_is_free_again_when_it_is_let_go) {
    auto places = std::make_unique<http::Places>(1);
    auto held = places->take("a");
    BOOST_TEST((held != nullptr));
    BOOST_TEST((places->take("a") == nullptr));
    BOOST_TEST((places->take("b") != nullptr));
    held.reset();
    held = places->take("a");
    BOOST_TEST((held != nullptr));
    // It may outlive them.
    places.reset();
    held.reset();
}

BOOST_AUTO_TEST_CASE(a_refusal_says_it_in_status_header_and_body) {
    const auto unknown = http::refusal(Error(Code::unknown_credential));
    BOOST_TEST(unknown.status == 401U);
    BOOST_TEST(unknown.headers.get("WWW-Authenticate") == "Bearer");
    BOOST_TEST(unknown.headers.get("Rekey-Error") == "unknown_credential");
    BOOST_TEST(boost::json::parse(unknown.body).at("name").as_string() == "unknown_credential");
    const auto limited =
        http::refusal(Error(Code::rate_limited).with_retry_after(std::chrono::seconds{7}));
    BOOST_TEST(limited.status == 429U);
    BOOST_TEST(limited.headers.get("Retry-After") == "7");
    const auto busy = http::refusal(Error(Code::unavailable));
    BOOST_TEST(busy.status == 503U);
    BOOST_TEST(busy.headers.has("Retry-After"));
    const auto large = http::refusal(413, Error(Code::invalid_request));
    BOOST_TEST(large.status == 413U);
    BOOST_TEST(large.headers.get("Rekey-Error") == "invalid_request");
    BOOST_TEST(!large.headers.has("WWW-Authenticate"));
}

BOOST_AUTO_TEST_SUITE_END()
