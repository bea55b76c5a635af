#include "base/limits.hpp"
#include "keys/jwk.hpp"
#include "keys/private_key.hpp"
#include "tests/unit/keys/rfc_vectors.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

namespace rekey::keys {
namespace {

namespace json = boost::json;

std::string rsa_jwk(const std::string& more = "", std::string_view modulus = rfc::kRsaModulus,
                    const std::string& exponent = "AQAB") {
    return R"({"kty":"RSA","e":")" + exponent + R"(","n":")" + std::string(modulus) + "\"" + more +
           "}";
}

// `text` with another value of one member.
std::string with(std::string_view text, std::string_view name, const json::value& value) {
    json::object object = json::parse(text).as_object();
    object[name] = value;
    return json::serialize(object);
}

json::value text_of(const std::string& text) { return json::value(json::string_view(text)); }

bool refused(const std::string& text) {
    const auto parsed = parse_jwk(text);
    return parsed.has_error() && (parsed.error().code() == Code::invalid_params ||
                                  parsed.error().code() == Code::parse_error);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jwk_tests)

BOOST_AUTO_TEST_CASE(the_thumbprints_of_the_rfcs) {
    BOOST_TEST(thumbprint(parse_jwk(rfc::kEd25519Jwk)->key) == rfc::kEd25519Thumbprint);
    const auto rsa = parse_jwk(rsa_jwk());
    BOOST_REQUIRE(rsa.has_value());
    BOOST_TEST(rsa->key.size_bits() == 2048U);
    BOOST_TEST(thumbprint(rsa->key) == rfc::kRsaThumbprint);
    // The other members of the key have no part in it.
    BOOST_TEST(thumbprint(parse_jwk(rsa_jwk(R"(,"kid":"x","use":"sig")"))->key) ==
               rfc::kRsaThumbprint);
}

BOOST_AUTO_TEST_CASE(every_kind_goes_there_and_back) {
    for (const std::string& text :
         {std::string(rfc::kEd25519Jwk), std::string(rfc::kEs256Jwk), rsa_jwk()}) {
        const auto first = parse_jwk(with(text, "kid", "key-1"));
        BOOST_REQUIRE(first.has_value());
        BOOST_TEST(first->kid == "key-1");
        const json::object written = to_json(*first);
        BOOST_TEST(written.at("use").as_string() == "sig");
        BOOST_TEST(written.at("alg").as_string() == jws_name_of(first->key.algorithm()));
        const auto again = parse_jwk(json::serialize(written));
        BOOST_REQUIRE(again.has_value());
        BOOST_TEST(json::serialize(to_json(*again)) == json::serialize(written));
        // Every number of the example is there as it was.
        const json::object original = json::parse(text).as_object();
        for (const auto& member : original) BOOST_TEST(written.at(member.key()) == member.value());
        BOOST_TEST(PublicKey::from_pem(first->key.to_pem())->numbers() == first->key.numbers());
    }
}

BOOST_AUTO_TEST_CASE(what_is_private_or_for_another_use_is_refused) {
    for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
        BOOST_TEST(refused(with(rfc::kEd25519Jwk, name, "AA")), name);
    BOOST_TEST(refused(R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMko"})"));
    BOOST_TEST(refused(std::string(rfc::kEncryptionJwk)));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "use", "enc")));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "use", 1)));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "key_ops", json::array{"sign"})));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "key_ops", json::array{"verify", "sign"})));
    BOOST_TEST(!refused(with(rfc::kEd25519Jwk, "key_ops", json::array{"verify"})));
    BOOST_TEST(!refused(with(rfc::kEd25519Jwk, "x5t", "of no interest")));
}

BOOST_AUTO_TEST_CASE(an_algorithm_that_is_not_the_keys_is_refused) {
    BOOST_TEST(refused(rsa_jwk(R"(,"alg":"RS256","kid":"2011-04-29")")));
    BOOST_TEST(!refused(rsa_jwk(R"(,"alg":"PS256")")));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "alg", "ES256")));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "alg", "none")));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "alg", "")));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "alg", nullptr)));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "crv", "X25519")));
    BOOST_TEST(refused(with(rfc::kEs256Jwk, "crv", "P-384")));
    BOOST_TEST(refused(with(rfc::kEs256Jwk, "kty", "OKP")));
}

BOOST_AUTO_TEST_CASE(numbers_that_make_no_key_are_refused) {
    const std::string zeros(43, 'A');
    BOOST_TEST(refused(with(rfc::kEs256Jwk, "y", text_of(zeros))));  // not on the curve
    BOOST_TEST(refused(with(rfc::kEs256Jwk, "x", text_of(zeros))));
    BOOST_TEST(refused(with(rfc::kEs256Jwk, "x", "f83O")));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "x", text_of(zeros + "A"))));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "x", "")));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "x", 7)));
    // The same 32 bytes, spelt with padding, in the other alphabet, with unused bits.
    BOOST_TEST(
        refused(with(rfc::kEd25519Jwk, "x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "x", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo")));
    BOOST_TEST(refused(with(rfc::kEd25519Jwk, "x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp")));
    for (const char* exponent : {"AQ", "Aw", "AQAA", "AAEAAQ", "AQABAQABAQABAQAB", ""})
        BOOST_TEST(refused(rsa_jwk("", rfc::kRsaModulus, exponent)), exponent);
    BOOST_TEST(refused(rsa_jwk("", "AN_8")));
    BOOST_TEST(refused(rsa_jwk("", to_base64url(Bytes(128, 0xff)))));  // 1024 bits
    BOOST_TEST(refused(rsa_jwk("", to_base64url(Bytes(513, 0xff)))));  // 4104 bits
    BOOST_TEST(refused(rsa_jwk("", "AA" + std::string(rfc::kRsaModulus))));
}

BOOST_AUTO_TEST_CASE(texts_that_two_readers_could_read_differently_are_refused) {
    const std::string good(rfc::kEd25519Jwk);
    const std::string twice = good.substr(0, good.size() - 1) + R"(,"kty":"OKP"})";
    BOOST_TEST(refused(twice));
    const std::string escaped = good.substr(0, good.size() - 1) + R"(,"k\u0074y":"OKP"})";
    BOOST_TEST(refused(escaped));
    const std::string deep = good.substr(0, good.size() - 1) + R"(,"a":[{"b":1,"b":2}]})";
    BOOST_TEST(refused(deep));
    BOOST_TEST(refused(good + good));
    BOOST_TEST(refused("[" + good + "]"));
    BOOST_TEST(refused("\"" + std::string(20, 'a') + "\""));
    BOOST_TEST(refused(""));
    BOOST_TEST(refused(good.substr(0, good.size() - 1)));
    BOOST_TEST(refused(with(good, "more", text_of(std::string(limits::kJwkBytes, 'a')))));
    BOOST_TEST(refused(with(good, "kid", text_of(std::string(limits::kKidBytes + 1, 'a')))));
    BOOST_TEST(!refused(with(good, "kid", text_of(std::string(limits::kKidBytes, 'a')))));
    BOOST_TEST(refused(good.substr(0, good.size() - 1) + ",\"a\":" + std::string(40, '[') +
                       std::string(40, ']') + "}"));
    BOOST_TEST(refused(good.substr(0, good.size() - 1) + ",\"a\":1e400}"));
    BOOST_TEST(refused(good.substr(0, good.size() - 1) + ",\"a\":\"\xff\"}"));
}

BOOST_AUTO_TEST_CASE(a_set_keeps_the_keys_it_can_use_and_counts_the_rest) {
    const std::string set = R"({"keys":[)" + with(rfc::kEd25519Jwk, "kid", "a") + "," +
                            std::string(rfc::kEncryptionJwk) + "," +
                            rsa_jwk(R"(,"alg":"RS256","kid":"2011-04-29")") + "," +
                            with(rfc::kEs256Jwk, "kid", "b") + "]}";
    const auto parsed = parse_jwks(set);
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(parsed->ignored == 2U);
    BOOST_REQUIRE(parsed->keys.size() == 2U);
    BOOST_TEST(parsed->keys[0].kid == "a");
    BOOST_TEST(parsed->keys[1].kid == "b");
    const auto again = parse_jwks(to_jwks_text(parsed->keys));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->keys.size() == 2U);
    BOOST_TEST(parse_jwks(R"({"keys":[]})")->keys.empty());
}

BOOST_AUTO_TEST_CASE(a_set_that_is_broken_is_refused_as_a_whole) {
    const std::string key = with(rfc::kEd25519Jwk, "kid", "a");
    BOOST_TEST(parse_jwks(R"({"keys":[)" + key + "," + with(rfc::kEs256Jwk, "kid", "a") + "]}")
                   .has_error());
    BOOST_TEST(parse_jwks("{}").has_error());
    BOOST_TEST(parse_jwks(R"({"keys":{}})").has_error());
    BOOST_TEST(parse_jwks(R"({"keys":[1]})").has_error());
    std::string many = R"({"keys":[{})";
    for (std::size_t i = 0; i < limits::kJwksKeys; ++i) many += ",{}";
    BOOST_TEST(parse_jwks(many + "]}").has_error());
    BOOST_TEST(parse_jwks(R"({"keys":[]})" + std::string(limits::kJwksBytes, ' ')).has_error());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::keys
