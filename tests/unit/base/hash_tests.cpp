#include "base/hash.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace rekey;

namespace {

Bytes hex(std::string_view text) { return *from_hex(text); }

std::string hmac_hex(ByteView key, ByteView message) { return to_hex(hmac_sha256(key, message)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(hash_tests)

// FIPS 180-4's examples, as NIST publishes them.
BOOST_AUTO_TEST_CASE(sha256_has_the_vectors_of_nist) {
    BOOST_TEST(to_hex(sha256("")) ==
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    BOOST_TEST(to_hex(sha256("abc")) ==
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(to_hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    BOOST_TEST(to_hex(sha256(std::string(1'000'000, 'a'))) ==
               "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// RFC 4231, section 4: test cases 1 to 7.
BOOST_AUTO_TEST_CASE(hmac_has_the_vectors_of_rfc_4231) {
    BOOST_TEST(hmac_hex(Bytes(20, 0x0b), as_bytes("Hi There")) ==
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    BOOST_TEST(hmac_hex(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")) ==
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    BOOST_TEST(hmac_hex(Bytes(20, 0xaa), Bytes(50, 0xdd)) ==
               "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    BOOST_TEST(
        hmac_hex(hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), Bytes(50, 0xcd)) ==
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    // Case 5 is truncated to 128 bits.
    BOOST_TEST(hmac_hex(Bytes(20, 0x0c), as_bytes("Test With Truncation")).substr(0, 32) ==
               "a3b6167473100ee06e0c796c2955552b");
    BOOST_TEST(hmac_hex(Bytes(131, 0xaa),
                        as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")) ==
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    BOOST_TEST(
        hmac_hex(Bytes(131, 0xaa),
                 as_bytes("This is a test using a larger than block-size key and a larger than "
                          "block-size data. The key needs to be hashed before being used by the "
                          "HMAC algorithm.")) ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

BOOST_AUTO_TEST_CASE(a_key_of_one_block_is_used_as_it_is) {
    // Calculated with Python's hmac, on both sides of the border.
    BOOST_TEST(hmac_hex(Bytes(64, 'k'), as_bytes("m")) ==
               "3b7a8d453e76edb519238a515105a57508d0f169f480ebeee120a9e7803289fa");
    BOOST_TEST(hmac_hex(Bytes(65, 'k'), as_bytes("m")) ==
               "c2d7d4c2256ddb097409ec0c67e1d58fa1a007fc6932cac0d892a525d08af7cc");
    BOOST_TEST(hmac_hex({}, {}) ==
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

BOOST_AUTO_TEST_CASE(threads_do_not_mix_their_hashes) {
    std::vector<std::thread> threads;
    threads.reserve(4);
    std::vector<int> wrong(4, 0);
    for (std::size_t t = 0; t < wrong.size(); ++t)
        threads.emplace_back([t, &wrong] {
            const std::string text(1000, static_cast<char>('a' + t));
            const Bytes32 expected = sha256(text);
            for (int i = 0; i < 2000; ++i)
                if (sha256(text) != expected) ++wrong[t];
        });
    for (auto& thread : threads) thread.join();
    for (const int count : wrong) BOOST_TEST(count == 0);
}

BOOST_AUTO_TEST_CASE(comparison_looks_at_every_byte) {
    const Bytes32 one = sha256("one");
    BOOST_TEST(equal_in_constant_time(one, sha256("one")));
    for (std::size_t i = 0; i < one.size(); ++i) {
        Bytes32 other = one;
        other[i] = static_cast<std::uint8_t>(other[i] ^ 0x80U);
        BOOST_TEST(!equal_in_constant_time(one, other));
    }
    BOOST_TEST(!equal_in_constant_time(one, ByteView(one).first(31)));
    BOOST_TEST(equal_in_constant_time({}, {}));
}

BOOST_AUTO_TEST_SUITE_END()
