#include "keys/seal.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

namespace rekey::keys {
namespace {

struct Fixture {
    SeededRandom random{1};
    MasterKey master = MasterKey::generate(random);
    Secret token{"rka_agent_secret"};
    TokenContext context{"agent-1", "rotation-1", 3};
};

template <class T>
bool corrupt(const Result<T>& result) {
    return result.has_error() && result.error().code() == Code::corrupt;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(seal_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_token_opens_where_it_was_sealed) {
    const Bytes sealed = seal_token(master, context, token, random);
    const auto opened = open_token(master, context, sealed);
    BOOST_REQUIRE(opened.has_value());
    BOOST_CHECK(*opened == token);
    BOOST_TEST(sealed.size() == 1 + 4 + 12 + token.size() + 16);
    BOOST_TEST(sealed[0] == 1);
    BOOST_TEST(*sealing_key_id(sealed) == master.id());
    const std::string text(sealed.begin(), sealed.end());
    BOOST_TEST(text.find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_token_opens_nowhere_else) {
    const Bytes sealed = seal_token(master, context, token, random);
    BOOST_TEST(corrupt(open_token(master, {"agent-2", "rotation-1", 3}, sealed)));
    BOOST_TEST(corrupt(open_token(master, {"agent-1", "rotation-2", 3}, sealed)));
    BOOST_TEST(corrupt(open_token(master, {"agent-1", "rotation-1", 4}, sealed)));
    // The same bytes, cut elsewhere between two parts.
    BOOST_TEST(corrupt(open_token(master, {"agent-1r", "otation-1", 3}, sealed)));
    BOOST_TEST(corrupt(open(master, "rekey-token-v1", sealed)));
    BOOST_TEST(corrupt(open(master, "token", sealed)));
}

BOOST_AUTO_TEST_CASE(every_altered_byte_is_noticed) {
    const Bytes sealed = seal_token(master, context, token, random);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        Bytes altered = sealed;
        altered[i] ^= 1;
        BOOST_TEST(corrupt(open_token(master, context, altered)));
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        BOOST_TEST(corrupt(open_token(master, context, ByteView(sealed).first(size))));
    Bytes longer = sealed;
    longer.push_back(0);
    BOOST_TEST(corrupt(open_token(master, context, longer)));
}

BOOST_AUTO_TEST_CASE(another_master_key_opens_nothing_and_both_are_named) {
    const Bytes sealed = seal_token(master, context, token, random);
    const MasterKey other = MasterKey::generate(random);
    const auto opened = open_token(other, context, sealed);
    BOOST_REQUIRE(corrupt(opened));
    BOOST_TEST(opened.error().message().find(master.id()) != std::string::npos);
    BOOST_TEST(opened.error().message().find(other.id()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_secrets_are_bound_to_their_purpose) {
    const Secret key("-----BEGIN PRIVATE KEY-----");
    const Bytes sealed = seal(master, "ca-private-key", key, random);
    BOOST_CHECK(*open(master, "ca-private-key", sealed) == key);
    BOOST_TEST(corrupt(open(master, "ca-private-keys", sealed)));
    BOOST_TEST(corrupt(open_token(master, {}, sealed)));
    const Bytes nothing = seal(master, "ca-private-key", Secret(), random);
    BOOST_TEST(open(master, "ca-private-key", nothing)->empty());
}

BOOST_AUTO_TEST_CASE(no_nonce_comes_twice) {
    std::set<Bytes> nonces;
    for (int i = 0; i < 1000; ++i) {
        const Bytes sealed = seal_token(master, context, token, random);
        nonces.emplace(sealed.begin() + 5, sealed.begin() + 17);
    }
    BOOST_TEST(nonces.size() == 1000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::keys
