#include "protocol/errors.hpp"
#include "server/http/address_gate.hpp"
#include "server/http/credentials.hpp"
#include "server/http/places.hpp"
#include "server/http/refusal.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
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

// Of connections that are told to leave.
class Crowd {
  public:
    explicit Crowd(std::size_t limit) : gate_(limit) {}

    // Its index among those that came; its place is null if it was refused.
    std::size_t come(const std::string& address = "192.0.2.1") {
        const std::size_t index = places.size();
        places.push_back(gate_.admit(address, [this, index] { left.push_back(index); }));
        return index;
    }
    [[nodiscard]] bool is_in(std::size_t index) const { return places[index] != nullptr; }

    std::vector<std::shared_ptr<net::HttpPlace>> places;
    std::vector<std::size_t> left;

  private:
    http::AddressGate gate_;
};

using Indices = std::vector<std::size_t>;

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

BOOST_AUTO_TEST_CASE(an_address_that_is_full_lets_its_oldest_stranger_go) {
    Crowd crowd(3);
    for (int i = 0; i < 3; ++i) crowd.come();
    BOOST_TEST(crowd.left.empty());
    crowd.places[0]->credential_was_good();
    BOOST_TEST(crowd.is_in(crowd.come()));
    BOOST_TEST(crowd.is_in(crowd.come()));
    BOOST_TEST((crowd.left == Indices{1, 2}));
    // Who left frees nobody else's place, and is no newcomer if its answer comes now.
    crowd.places[1]->credential_was_good();
    crowd.places[1].reset();
    crowd.places[2].reset();
    BOOST_TEST(crowd.is_in(crowd.come()));
    BOOST_TEST((crowd.left == Indices{1, 2, 3}));
    // Another address has nothing to do with it.
    BOOST_TEST(crowd.is_in(crowd.come("192.0.2.2")));
    BOOST_TEST((crowd.left == Indices{1, 2, 3}));
}

// One who has a credential may be as bad a neighbour.
BOOST_AUTO_TEST_CASE(an_address_full_of_good_credentials_lets_the_one_unused_for_longest_go) {
    Crowd crowd(2);
    for (int i = 0; i < 2; ++i) crowd.places[crowd.come()]->credential_was_good();
    crowd.places[0]->credential_was_good();  // again, with each request
    BOOST_TEST(crowd.is_in(crowd.come()));
    BOOST_TEST((crowd.left == Indices{1}));
    crowd.places[1]->credential_was_good();  // too late
    crowd.places[2]->credential_was_good();
    BOOST_TEST(crowd.is_in(crowd.come()));
    BOOST_TEST((crowd.left == Indices{1, 0}));
    for (auto& place : crowd.places) place.reset();
    BOOST_TEST(crowd.is_in(crowd.come()));
    BOOST_TEST((crowd.left == Indices{1, 0}));
}

BOOST_AUTO_TEST_CASE(a_slash_64_is_one_address_and_loopback_is_none) {
    Crowd crowd(2);
    for (const char* address : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) crowd.come(address);
    BOOST_TEST((crowd.left == Indices{0}));
    // Behind a proxy everybody comes from loopback.
    for (const char* address : {"127.0.0.1", "::1", "127.0.0.2"})
        for (int i = 0; i < 5; ++i) BOOST_TEST(crowd.is_in(crowd.come(address)));
    BOOST_TEST((crowd.left == Indices{0}));
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
