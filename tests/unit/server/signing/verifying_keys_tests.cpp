#include "tests/support/test_token_signer.hpp"

#include <boost/test/unit_test.hpp>

namespace rekey::server::signing {

BOOST_AUTO_TEST_SUITE(verifying_keys_tests)

BOOST_AUTO_TEST_CASE(a_token_verifies_with_the_key_that_its_header_names) {
    testing::TestTokenSigner signer;
    const auto jws = keys::parse_compact(*signer.sign("at+jwt", "{}"));
    BOOST_REQUIRE(jws.has_value());
    const auto before = signer.verifying_keys();
    const keys::PublicKey* key = before->find(jws->header.kid);
    BOOST_REQUIRE(key != nullptr);
    BOOST_TEST(keys::verify(*jws, *key));
    signer.rotate();
    const auto after = signer.verifying_keys();
    BOOST_TEST(after->find(jws->header.kid) == nullptr);
    BOOST_TEST(after->change() > before->change());
    BOOST_TEST(before->find("") == nullptr);
}

BOOST_AUTO_TEST_CASE(the_text_for_others_holds_the_same_keys) {
    const testing::TestTokenSigner signer;
    const auto keys = signer.verifying_keys();
    const auto read = keys::parse_jwks(keys->jwks_text());
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->ignored == 0U);
    BOOST_REQUIRE(read->keys.size() == keys->keys().size());
    BOOST_TEST(read->keys[0].kid == keys->keys()[0].kid);
    BOOST_TEST(read->keys[0].key.numbers() == keys->keys()[0].key.numbers());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::server::signing
