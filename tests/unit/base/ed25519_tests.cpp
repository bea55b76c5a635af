#include "base/ed25519.hpp"

#include <boost/test/unit_test.hpp>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <string>

using namespace rekey;

namespace {

Bytes32 bytes32(std::string_view hex) {
    const auto bytes = from_hex(hex);
    Bytes32 result{};
    BOOST_REQUIRE(bytes && bytes->size() == result.size());
    std::copy(bytes->begin(), bytes->end(), result.begin());
    return result;
}

std::string text_of(std::string_view hex) {
    const auto bytes = from_hex(hex);
    return {bytes->begin(), bytes->end()};
}

// Takes the key; with a cipher, encrypted by the password "password".
std::string other_pem(EVP_PKEY* key, const EVP_CIPHER* cipher) {
    char password[] = "password";
    BIO* bio = BIO_new(BIO_s_mem());
    BOOST_REQUIRE(key != nullptr && PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, password, 8,
                                                                  nullptr, nullptr) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string pem(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    EVP_PKEY_free(key);
    return pem;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ed25519_tests)

// RFC 8032, section 7.1, tests 1 to 3.
BOOST_AUTO_TEST_CASE(signatures_are_those_of_rfc_8032) {
    const struct {
        std::string_view seed, public_key, message, signature;
    } vectors[] = {{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
                   {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
                   {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}};
    for (const auto& vector : vectors) {
        const Ed25519Key key = Ed25519Key::from_seed(bytes32(vector.seed));
        BOOST_TEST(to_hex(key.public_key()) == vector.public_key);
        const auto signature = key.sign(text_of(vector.message));
        BOOST_TEST(to_hex(signature) == vector.signature);
        BOOST_TEST(ed25519_verify(key.public_key(), text_of(vector.message), signature));
    }
}

BOOST_AUTO_TEST_CASE(anything_changed_is_no_signature) {
    const Ed25519Key key = Ed25519Key::generate();
    const auto signature = key.sign("message");
    BOOST_TEST(ed25519_verify(key.public_key(), "message", signature));
    BOOST_TEST(!ed25519_verify(key.public_key(), "messagf", signature));
    BOOST_TEST(!ed25519_verify(key.public_key(), "", signature));
    BOOST_TEST(!ed25519_verify(Ed25519Key::generate().public_key(), "message", signature));
    for (std::size_t i = 0; i < signature.size(); ++i) {
        auto wrong = signature;
        wrong[i] = static_cast<std::uint8_t>(wrong[i] ^ 1U);
        BOOST_TEST(!ed25519_verify(key.public_key(), "message", wrong));
    }
    const ByteView view(signature);
    BOOST_TEST(!ed25519_verify(key.public_key(), "message", view.first(63)));
    BOOST_TEST(!ed25519_verify(key.public_key(), "message", {}));
    Bytes32 no_point{};
    no_point.fill(0xff);
    BOOST_TEST(!ed25519_verify(no_point, "message", signature));
}

BOOST_AUTO_TEST_CASE(keys_differ_and_survive_pem) {
    const Ed25519Key key = Ed25519Key::generate();
    BOOST_TEST((key.public_key() != Ed25519Key::generate().public_key()));
    const Secret pem = key.to_pem();
    BOOST_TEST(pem.expose().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    const auto again = Ed25519Key::from_pem(pem);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST((again->public_key() == key.public_key()));
    BOOST_TEST((again->sign("m") == key.sign("m")));
}

BOOST_AUTO_TEST_CASE(a_moved_key_still_signs) {
    Ed25519Key key = Ed25519Key::generate();
    const Bytes32 public_key = key.public_key();
    Ed25519Key other = Ed25519Key::generate();
    other = std::move(key);
    const Ed25519Key last(std::move(other));
    BOOST_TEST((last.public_key() == public_key));
    BOOST_TEST(ed25519_verify(public_key, "m", last.sign("m")));
}

BOOST_AUTO_TEST_CASE(what_is_no_plain_ed25519_key_is_corrupt) {
    const std::string pem(Ed25519Key::generate().to_pem().expose());
    const std::string p256 = other_pem(EVP_EC_gen("P-256"), nullptr);
    const std::string encrypted =
        other_pem(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_aes_128_cbc());
    BOOST_REQUIRE(p256.starts_with("-----BEGIN PRIVATE KEY-----"));
    BOOST_REQUIRE(encrypted.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    for (const std::string& text :
         {std::string(), std::string("text"), pem.substr(0, 60), pem.substr(28), p256, encrypted}) {
        const auto key = Ed25519Key::from_pem(Secret(text));
        BOOST_REQUIRE(key.has_error());
        BOOST_TEST((key.error().code() == Code::corrupt));
    }
}

BOOST_AUTO_TEST_SUITE_END()
