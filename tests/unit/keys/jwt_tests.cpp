#include "base/limits.hpp"
#include "keys/jwt.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

namespace rekey::keys {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr Time kNow{std::chrono::seconds(1'800'000'000)};

struct Fixture {
    JwtClaims claims{.iss = "https://rekey.example",
                     .sub = "agent-1",
                     .aud = "rekey",
                     .exp = kNow + 30min,
                     .nbf = kNow,
                     .iat = kNow,
                     .jti = "token-1",
                     .others = {{"epoch", 7}}};
    Expect expect{"https://rekey.example", "rekey", "at+jwt"};
    json::object payload = json::parse(encode_claims(claims)).as_object();

    [[nodiscard]] CompactJws jws(std::string_view typ = "at+jwt") const {
        return {{Algorithm::ed25519, "kid", std::string(typ)}, json::serialize(payload), "", {}};
    }
    [[nodiscard]] Result<JwtClaims> judged(Time now = kNow) const {
        return check_claims(jws(), expect, now);
    }
    [[nodiscard]] bool refused(Time now = kNow, Code code = Code::unknown_credential) const {
        const auto result = judged(now);
        return result.has_error() && result.error().code() == code;
    }
    bool refused_with(std::string_view name, json::value value) {
        const json::object before = payload;
        payload[name] = std::move(value);
        const bool answer = check_claims(payload, expect, kNow).has_error();
        payload = before;
        return answer;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(jwt_tests, Fixture)

BOOST_AUTO_TEST_CASE(claims_come_back_as_they_were_written) {
    const auto read = judged();
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->iss == claims.iss);
    BOOST_TEST(read->sub == claims.sub);
    BOOST_TEST(read->aud == claims.aud);
    BOOST_TEST(read->jti == claims.jti);
    BOOST_CHECK(read->exp == claims.exp);
    BOOST_CHECK(read->nbf == claims.nbf);
    BOOST_CHECK(read->iat == claims.iat);
    BOOST_TEST(json::serialize(read->others) == R"({"epoch":7})");
}

BOOST_AUTO_TEST_CASE(private_claims_cannot_change_the_registered_ones) {
    claims.others = {{"sub", "somebody-else"}, {"exp", 9'999'999'999}};
    payload = json::parse(encode_claims(claims)).as_object();
    BOOST_TEST(judged()->sub == "agent-1");
    BOOST_CHECK(judged()->exp == claims.exp);
    BOOST_TEST(judged()->others.empty());
}

BOOST_AUTO_TEST_CASE(every_claim_must_be_there) {
    for (const char* name : {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}) {
        const json::object before = payload;
        payload.erase(name);
        BOOST_TEST(refused(), name);
        payload = before;
    }
    BOOST_TEST(!refused());
}

BOOST_AUTO_TEST_CASE(texts_of_the_wrong_kind_are_refused) {
    for (const char* name : {"iss", "sub", "jti", "aud"})
        for (const json::value& value :
             {json::value(""), json::value(nullptr), json::value(7), json::value(json::object{}),
              json::value(json::array{"a", 1}), json::value(true)})
            BOOST_TEST(refused_with(name, value), name);
    BOOST_TEST(refused_with("iss", "https://rekey.example/"));
    BOOST_TEST(refused_with("sub", json::string(limits::kJwtClaimBytes + 1, 'a')));
    BOOST_TEST(!refused_with("sub", json::string(limits::kJwtClaimBytes, 'a')));
}

BOOST_AUTO_TEST_CASE(an_audience_may_be_one_of_several) {
    BOOST_TEST(refused_with("aud", "rekey2"));
    BOOST_TEST(refused_with("aud", json::array{}));
    BOOST_TEST(refused_with("aud", json::array{"other"}));
    BOOST_TEST(!refused_with("aud", json::array{"other", "rekey"}));
    BOOST_TEST(refused_with("aud", json::array{"rekey", 7}));
    // In braces, compilers differ about a list of one list.
    json::array nested;
    nested.emplace_back(json::array{"rekey"});
    BOOST_TEST(refused_with("aud", nested));
    json::array many{"rekey"};
    while (many.size() <= limits::kJwtAudiences) many.push_back("other");
    BOOST_TEST(refused_with("aud", many));
    // Nobody expects no audience: an empty one matches nothing.
    expect.aud = "";
    BOOST_TEST(refused_with("aud", json::array{""}));
}

BOOST_AUTO_TEST_CASE(times_of_the_wrong_kind_are_refused) {
    for (const char* name : {"exp", "nbf", "iat"})
        for (const json::value& value :
             {json::value("1800000000"), json::value(nullptr), json::value(true),
              json::value(json::array{1'800'000'000}), json::value(-1), json::value(-0.5),
              json::value(253'402'300'800), json::value(1e300), json::value(1e19),
              json::value(std::numeric_limits<std::uint64_t>::max()),
              json::value(std::numeric_limits<std::int64_t>::min()),
              json::value(std::numeric_limits<double>::infinity()), json::value(std::nan(""))})
            BOOST_TEST(refused_with(name, value), name);
    BOOST_TEST(!refused_with("exp", 1'800'000'000.5));
    BOOST_TEST(!refused_with("exp", 1.8e9));
}

BOOST_AUTO_TEST_CASE(times_count_with_the_leeway_and_no_more) {
    BOOST_TEST(!refused(claims.exp + limits::kJwtLeeway - 1ms));
    BOOST_TEST(refused(claims.exp + limits::kJwtLeeway, Code::token_expired));
    BOOST_TEST(!refused(claims.nbf - limits::kJwtLeeway));
    BOOST_TEST(refused(claims.nbf - limits::kJwtLeeway - 1ms));
    payload["nbf"] = 0;
    BOOST_TEST(!refused(claims.iat - limits::kJwtLeeway));
    BOOST_TEST(refused(claims.iat - limits::kJwtLeeway - 1ms));
}

BOOST_AUTO_TEST_CASE(another_type_of_token_is_refused) {
    for (const char* typ : {"", "JWT", "at", "at+jwt2", "xat+jwt", "application/", "text/at+jwt"})
        BOOST_TEST(check_claims(jws(typ), expect, kNow).has_error(), typ);
    for (const char* typ : {"at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"})
        BOOST_TEST(check_claims(jws(typ), expect, kNow).has_value(), typ);
}

BOOST_AUTO_TEST_CASE(a_payload_that_is_no_object_or_says_a_thing_twice_is_refused) {
    CompactJws token = jws();
    const std::string good = token.payload;
    for (const std::string& text :
         {std::string(), std::string("[]"), std::string("7"), good + "x",
          good.substr(0, good.size() - 1) + R"(,"sub":"agent-2"})",
          good.substr(0, good.size() - 1) + R"(,"s\u0075b":"agent-2"})"}) {
        token.payload = text;
        const auto result = check_claims(token, expect, kNow);
        BOOST_REQUIRE(result.has_error());
        BOOST_CHECK(result.error().code() == Code::unknown_credential);
        BOOST_TEST(result.error().message().find("agent-2") == std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::keys
