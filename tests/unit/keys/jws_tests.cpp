#include "base/ed25519.hpp"
#include "base/hash.hpp"
#include "keys/jwk.hpp"
#include "keys/jws.hpp"
#include "keys/private_key.hpp"
#include "tests/unit/keys/rfc_vectors.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace rekey::keys {
namespace {

struct PrivateKeySigner final : JwsSigner {
    explicit PrivateKeySigner(PrivateKey held) : key(std::move(held)) {}
    [[nodiscard]] Algorithm algorithm() const override { return key.algorithm(); }
    [[nodiscard]] const std::string& kid() const override { return name; }
    [[nodiscard]] Result<Bytes> sign(std::string_view message) const override {
        return key.sign(message);
    }
    PrivateKey key;
    std::string name;
};

PrivateKey rfc8037_key() {
    const auto seed = from_base64url(rfc::kEd25519Seed);
    Bytes32 bytes{};
    std::copy(seed->begin(), seed->end(), bytes.begin());
    return *PrivateKey::from_pem(Ed25519Key::from_seed(bytes).to_pem());
}

PublicKey key_of(std::string_view jwk) { return parse_jwk(jwk)->key; }

Secret hs256_key() {
    const auto bytes = from_base64url(rfc::kHs256Key);
    return Secret({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
}

// A token with this header, and a payload and a signature of the right form.
std::string token_with(std::string_view header) {
    return to_base64url(as_bytes(header)) + ".e30." + to_base64url(Bytes(64, 1));
}

bool refused(std::string_view token) {
    const auto parsed = parse_compact(token);
    return parsed.has_error() && parsed.error().code() == Code::unknown_credential;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jws_tests)

BOOST_AUTO_TEST_CASE(rfc_8037_is_signed_and_verified) {
    const PrivateKeySigner signer(rfc8037_key());
    BOOST_TEST(*jws_sign(signer, "", "Example of Ed25519 signing") == rfc::kEdDsa);
    const auto jws = parse_compact(rfc::kEdDsa);
    BOOST_REQUIRE(jws.has_value());
    BOOST_TEST(jws->payload == "Example of Ed25519 signing");
    BOOST_CHECK(jws->header.algorithm == Algorithm::ed25519);
    BOOST_TEST(verify(*jws, key_of(rfc::kEd25519Jwk)));
}

BOOST_AUTO_TEST_CASE(rfc_7515_es256_and_hs256_verify) {
    const auto es256 = parse_compact(rfc::kEs256);
    BOOST_REQUIRE(es256.has_value());
    BOOST_TEST(es256->payload == rfc::kPayload);
    BOOST_TEST(verify(*es256, key_of(rfc::kEs256Jwk)));
    const auto hs256 = parse_compact(rfc::kHs256);
    BOOST_REQUIRE(hs256.has_value());
    BOOST_TEST(hs256->payload == rfc::kPayload);
    BOOST_TEST(hs256->header.typ == "JWT");
    BOOST_TEST(verify_hmac(*hs256, hs256_key()));
    BOOST_TEST(!verify_hmac(*hs256, Secret(std::string(64, 'a'))));
}

BOOST_AUTO_TEST_CASE(rs256_and_none_do_not_exist) {
    BOOST_TEST(refused(rfc::kRs256));
    BOOST_TEST(refused(rfc::kNone));
    for (const char* alg :
         {"none", "None", "NONE", "nOnE", "", "HS512", "ES384", "eddsa", "EdDSA "})
        BOOST_TEST(refused(token_with(R"({"alg":")" + std::string(alg) + "\"}")), alg);
    BOOST_TEST(!refused(token_with(R"({"alg":"EdDSA"})")));
    BOOST_TEST(refused(token_with(R"({})")));
    BOOST_TEST(refused(token_with(R"({"alg":null})")));
    BOOST_TEST(refused(token_with(R"({"alg":["EdDSA"]})")));
}

BOOST_AUTO_TEST_CASE(every_algorithm_goes_there_and_back_with_its_own_key_only) {
    std::vector<PrivateKeySigner> signers;
    signers.emplace_back(*PrivateKey::generate(Algorithm::ed25519));
    signers.emplace_back(*PrivateKey::generate(Algorithm::ecdsa_p256));
    signers.emplace_back(*PrivateKey::generate(Algorithm::rsa_pss, 2048));
    signers.emplace_back(*PrivateKey::generate(Algorithm::ed25519));
    for (std::size_t i = 0; i < signers.size(); ++i) {
        signers[i].name = "key-" + std::to_string(i);
        const auto token = jws_sign(signers[i], "at+jwt", "{\"a\":1}");
        const auto jws = parse_compact(*token);
        BOOST_REQUIRE(jws.has_value());
        BOOST_TEST(jws->header.kid == signers[i].name);
        BOOST_TEST(jws->header.typ == "at+jwt");
        for (std::size_t other = 0; other < signers.size(); ++other)
            BOOST_TEST(verify(*jws, signers[other].key.public_key()) == (other == i));
    }
}

BOOST_AUTO_TEST_CASE(the_header_never_chooses_the_algorithm) {
    // The oldest of all attacks: the public key's text, which everybody has, as an HMAC key.
    const PrivateKey key = *PrivateKey::generate(Algorithm::rsa_pss, 2048);
    const std::string pem = key.public_key().to_pem();
    const std::string input = to_base64url(as_bytes(R"({"alg":"HS256"})")) + ".e30";
    const Bytes32 mac = hmac_sha256(as_bytes(pem), as_bytes(input));
    const auto forged = parse_compact(input + "." + to_base64url(mac));
    BOOST_REQUIRE(forged.has_value());
    BOOST_TEST(!verify(*forged, key.public_key()));
    // A right signature under a header that names another algorithm.
    const std::string lying = to_base64url(as_bytes(R"({"alg":"ES256"})")) + ".e30";
    const auto jws = parse_compact(lying + "." + to_base64url(rfc8037_key().sign(lying)));
    BOOST_TEST(!verify(*jws, key_of(rfc::kEd25519Jwk)));
    BOOST_TEST(!verify_hmac(*parse_compact(rfc::kEs256), hs256_key()));
    BOOST_TEST(!verify_hmac(*parse_compact(rfc::kHs256), Secret("short")));
}

BOOST_AUTO_TEST_CASE(headers_that_bring_keys_or_extensions_are_refused) {
    for (const char* more :
         {R"("crit":["exp"])", R"("crit":[])", R"("b64":false)", R"("b64":true)", R"("jwk":{})",
          R"("jku":"https://evil.example/k")", R"("x5c":["AA"])", R"("x5u":"https://evil.example")",
          R"("alg":"EdDSA")", R"("\u0061lg":"EdDSA")", R"("kid":7)", R"("typ":{})"})
        BOOST_TEST(refused(token_with(R"({"alg":"EdDSA",)" + std::string(more) + "}")), more);
    BOOST_TEST(!refused(token_with(R"({"alg":"EdDSA","cty":"x","other":[1,2]})")));
    const auto with_kid = [](std::size_t size) {
        return token_with(R"({"alg":"EdDSA","kid":")" + std::string(size, 'k') + "\"}");
    };
    BOOST_TEST(!refused(with_kid(limits::kKidBytes)));
    BOOST_TEST(refused(with_kid(limits::kKidBytes + 1)));
    BOOST_TEST(refused(with_kid(limits::kJwsHeaderBytes)));
    BOOST_TEST(refused(token_with(R"({"alg":"EdDSA","typ":")" +
                                  std::string(limits::kJwsTypBytes + 1, 't') + "\"}")));
    for (const char* header : {"", "[]", "\"EdDSA\"", "{", R"({"alg":"EdDSA"}x)", "null", "7"})
        BOOST_TEST(refused(token_with(header)), header);
}

BOOST_AUTO_TEST_CASE(texts_that_are_not_quite_a_token_are_refused) {
    const std::string good(rfc::kEdDsa);
    BOOST_REQUIRE(!refused(good));
    BOOST_TEST(refused(""));
    BOOST_TEST(refused(".."));
    BOOST_TEST(refused(good + "="));
    BOOST_TEST(refused(good + "=="));
    BOOST_TEST(refused(" " + good));
    BOOST_TEST(refused(good + "\n"));
    BOOST_TEST(refused(good + "."));
    BOOST_TEST(refused("." + good));
    BOOST_TEST(refused(good.substr(0, good.rfind('.'))));
    BOOST_TEST(refused(good.substr(0, good.rfind('.') + 1)));
    std::string slash = good;
    std::replace(slash.begin(), slash.end(), '_', '/');
    BOOST_TEST(refused(slash));
    // The last digit holds two bits that are unused: of four spellings only one is the token's.
    BOOST_TEST(refused(good.substr(0, good.size() - 1) + "h"));
    BOOST_TEST(refused(std::string(good).append(limits::kJwsBytes, 'A')));
    BOOST_TEST(parse_compact(good, good.size()).has_value());
    BOOST_TEST(parse_compact(good, good.size() - 1).has_error());
    std::string with_nul = good;
    with_nul[3] = '\0';
    BOOST_TEST(refused(with_nul));
}

BOOST_AUTO_TEST_CASE(every_altered_bit_is_noticed) {
    const PublicKey key = key_of(rfc::kEd25519Jwk);
    CompactJws jws = *parse_compact(rfc::kEdDsa);
    for (std::size_t i = 0; i < jws.signature.size() * 8; ++i) {
        CompactJws altered = jws;
        altered.signature[i / 8] ^= static_cast<std::uint8_t>(1U << (i % 8));
        BOOST_TEST(!verify(altered, key));
    }
    for (std::size_t i = 0; i < jws.signing_input.size(); ++i) {
        CompactJws altered = jws;
        altered.signing_input[i] = altered.signing_input[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(!verify(altered, key));
    }
    for (std::size_t size : {0U, 1U, 63U, 65U, 96U}) {
        CompactJws altered = jws;
        altered.signature.resize(size);
        BOOST_TEST(!verify(altered, key));
    }
}

BOOST_AUTO_TEST_CASE(ecdsa_numbers_out_of_range_are_refused) {
    const PublicKey key = key_of(rfc::kEs256Jwk);
    const CompactJws good = *parse_compact(rfc::kEs256);
    // r = s = 0 verified under any key in a library that forgot to look (CVE-2022-21449).
    for (const Bytes& signature : {Bytes(64, 0), Bytes(64, 0xff)}) {
        CompactJws forged = good;
        forged.signature = signature;
        BOOST_TEST(!verify(forged, key));
    }
    for (const std::size_t from : {std::size_t{0}, std::size_t{32}}) {
        CompactJws forged = good;
        std::fill_n(forged.signature.begin() + static_cast<std::ptrdiff_t>(from), 32, 0);
        BOOST_TEST(!verify(forged, key));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::keys
