#include "base/limits.hpp"
#include "keys/symmetric.hpp"

#include <boost/test/unit_test.hpp>

namespace rekey::keys {
namespace {

Secret secret_of(const Bytes& bytes) {
    return Secret({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Bytes counting(std::uint8_t first, std::size_t count) {
    Bytes bytes;
    for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(first + i));
    return bytes;
}

std::string hkdf(const Bytes& key, const Bytes& salt, const Bytes& info, std::size_t length) {
    return to_hex(as_bytes(hkdf_sha256(secret_of(key), salt, info, length)->expose()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(symmetric_tests)

// RFC 5869, appendix A.1 to A.3.
BOOST_AUTO_TEST_CASE(hkdf_of_the_rfc) {
    BOOST_TEST(hkdf(Bytes(22, 0x0b), counting(0, 13), counting(0xf0, 10), 42) ==
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b8871858"
               "65");
    BOOST_TEST(
        hkdf(counting(0, 80), counting(0x60, 80), counting(0xb0, 80), 82) ==
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271"
        "cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
    BOOST_TEST(hkdf(Bytes(22, 0x0b), {}, {}, 42) ==
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96"
               "c8");
}

BOOST_AUTO_TEST_CASE(hkdf_is_bounded) {
    const Secret key("key");
    BOOST_TEST(hkdf_sha256(key, {}, {}, limits::kHkdfBytes)->size() == limits::kHkdfBytes);
    BOOST_TEST(hkdf_sha256(key, {}, {}, limits::kHkdfBytes + 1).has_error());
    BOOST_TEST(hkdf_sha256(key, {}, {}, 0).has_error());
}

// The Galois/Counter Mode of Operation (McGrew, Viega), appendix B, test case 14.
BOOST_AUTO_TEST_CASE(gcm_of_the_specification) {
    const Secret key(std::string(32, '\0'));
    Bytes sealed(12, 0);
    const auto text = from_hex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    sealed.insert(sealed.end(), text->begin(), text->end());
    BOOST_TEST(gcm_decrypt(key, sealed, {})->expose() == std::string(16, '\0'));
    sealed.back() ^= 1;
    BOOST_TEST(gcm_decrypt(key, sealed, {}).has_error());
}

BOOST_AUTO_TEST_CASE(gcm_goes_there_and_back) {
    SystemRandom random;
    const Secret key("0123456789abcdef0123456789abcdef");
    const Bytes sealed = gcm_encrypt(key, as_bytes("text"), as_bytes("context"), random);
    BOOST_TEST(sealed.size() == 12U + 4U + 16U);
    BOOST_TEST(gcm_decrypt(key, sealed, as_bytes("context"))->expose() == "text");
    BOOST_TEST(gcm_decrypt(key, sealed, as_bytes("other")).has_error());
    BOOST_TEST(sealed != gcm_encrypt(key, as_bytes("text"), as_bytes("context"), random));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::keys
