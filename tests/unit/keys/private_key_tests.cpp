#include "base/ed25519.hpp"
#include "keys/private_key.hpp"

#include <boost/test/unit_test.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace rekey::keys {
namespace {

// PKCS#8 in PEM of a key that OpenSSL makes, of any kind.
template <class... Arguments>
std::string foreign_pem(const char* type, Arguments... arguments) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        EVP_PKEY_Q_keygen(nullptr, nullptr, type, arguments...), EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

bool refused(const std::string& pem) {
    const auto key = PrivateKey::from_pem(Secret(pem));
    return key.has_error() && key.error().code() == Code::invalid_params;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(private_key_tests)

BOOST_AUTO_TEST_CASE(a_key_goes_into_its_pem_and_back) {
    for (const Algorithm algorithm :
         {Algorithm::ed25519, Algorithm::ecdsa_p256, Algorithm::rsa_pss}) {
        const PrivateKey key = *PrivateKey::generate(algorithm, 2048);
        const auto again = PrivateKey::from_pem(key.to_pem());
        BOOST_REQUIRE(again.has_value());
        BOOST_CHECK(again->algorithm() == algorithm);
        BOOST_TEST(again->public_key().numbers() == key.public_key().numbers());
        BOOST_TEST(key.public_key().verify("message", again->sign("message")));
        BOOST_TEST(!key.public_key().verify("Message", again->sign("message")));
        BOOST_TEST(key.public_key().to_pem().find("PRIVATE") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(rsa_sizes_are_bounded) {
    for (const std::size_t bits : {0U, 512U, 2040U, 2049U, 4104U, 16384U})
        BOOST_TEST(PrivateKey::generate(Algorithm::rsa_pss, bits).has_error());
    BOOST_TEST(PrivateKey::generate(Algorithm::rsa_pss, 3072)->public_key().size_bits() == 3072U);
    BOOST_TEST(PrivateKey::generate(Algorithm::aes_256_gcm).has_error());
    BOOST_TEST(PrivateKey::generate(Algorithm::hmac_sha256).has_error());
}

BOOST_AUTO_TEST_CASE(foreign_kinds_and_sizes_are_refused) {
    BOOST_TEST(refused(foreign_pem("RSA", std::size_t{1024})));
    BOOST_TEST(refused(foreign_pem("EC", "P-384")));
    BOOST_TEST(refused(foreign_pem("EC", "secp256k1")));
    BOOST_TEST(refused(foreign_pem("X25519")));
    BOOST_TEST(refused(foreign_pem("ED448")));
    BOOST_TEST(!refused(foreign_pem("EC", "P-256")));
}

BOOST_AUTO_TEST_CASE(texts_that_are_no_key_are_refused) {
    const std::string good(Ed25519Key::generate().to_pem().expose());
    BOOST_REQUIRE(!refused(good));
    BOOST_TEST(refused(""));
    BOOST_TEST(refused(good + good));
    BOOST_TEST(refused("x" + good));
    BOOST_TEST(refused(good + "x"));
    BOOST_TEST(refused(good.substr(0, good.size() / 2)));
    std::string altered = good;
    altered[40] = '!';
    BOOST_TEST(refused(altered));
    BOOST_TEST(refused(PrivateKey::from_pem(Secret(good))->public_key().to_pem()));
    BOOST_TEST(refused("-----BEGIN PRIVATE KEY-----\n" + std::string(20'000, 'A') +
                       "\n-----END PRIVATE KEY-----\n"));
    BOOST_TEST(PublicKey::from_pem(good).has_error());
    BOOST_TEST(PublicKey::from_pem("").has_error());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::keys
