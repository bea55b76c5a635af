#include "base/limits.hpp"
#include "tests/unit/keys/key_provider_conformance.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

namespace rekey::keys {
namespace {

using namespace std::chrono_literals;
using testing::Providers;

const Initiator kAdmin{"admin-1", {{"address", "192.0.2.1"}}};

KeySpec spec_of(Algorithm algorithm) {
    return {algorithm, algorithm == Algorithm::rsa_pss ? std::size_t{2048} : 0, {}, "label", {}};
}

template <class T>
bool fails_with(const Result<T>& result, Code code) {
    return result.has_error() && result.error().code() == code;
}

std::vector<std::string> states(const KeyDescription& key) {
    std::vector<std::string> names;
    for (const KeyVersion& version : key.versions) {
        names.emplace_back(name_of(version.state));
        if (version.destroy_at && !version.destroyed_at) names.back() += "!";
    }
    return names;
}

using States = std::vector<std::string>;

std::set<std::string> kids(const std::vector<Jwk>& set) {
    std::set<std::string> names;
    for (const Jwk& jwk : set) names.insert(jwk.kid);
    return names;
}

std::string to_string(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(key_provider_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_algorithm_signs_and_verifies, P, Providers) {
    for (const Algorithm algorithm :
         {Algorithm::ed25519, Algorithm::ecdsa_p256, Algorithm::rsa_pss}) {
        P place;
        KeyProvider& provider = place.provider();
        const KeyDescription key = *provider.create(spec_of(algorithm), kAdmin);
        BOOST_TEST(states(key) == States{"active"});
        const auto signature = provider.sign(key.kid, "message");
        BOOST_REQUIRE(signature.has_value());
        BOOST_TEST(signature->version == 1U);
        BOOST_TEST(*provider.verify(key.kid, 1, "message", signature->bytes));
        BOOST_TEST(!*provider.verify(key.kid, 1, "massage", signature->bytes));
        // What others verify with is the same key.
        const Jwk jwk = *provider.public_jwk(key.kid, 1);
        BOOST_TEST(jwk.kid == key.kid + ".1");
        BOOST_CHECK(jwk.key.algorithm() == algorithm);
        BOOST_TEST(jwk.key.verify("message", signature->bytes));
        BOOST_TEST(PublicKey::from_pem(*provider.public_pem(key.kid, 1))
                       ->verify("message", signature->bytes));
        place.reopen();
        BOOST_TEST(*place.provider().verify(key.kid, 1, "message", signature->bytes));
        BOOST_TEST(jwk.key.verify("again", place.provider().sign(key.kid, "again")->bytes));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_encrypted_opens_where_it_belongs, P, Providers) {
    P place;
    KeyProvider& provider = place.provider();
    const std::string kid = provider.create(spec_of(Algorithm::aes_256_gcm), kAdmin)->kid;
    const std::string other = provider.create(spec_of(Algorithm::aes_256_gcm), kAdmin)->kid;
    const Bytes sealed = *provider.encrypt(kid, as_bytes("text"), as_bytes("context"));
    BOOST_TEST(to_string(sealed).find("text") == std::string::npos);
    BOOST_TEST(provider.decrypt(kid, sealed, as_bytes("context"))->expose() == "text");
    BOOST_TEST(provider.decrypt(kid, sealed, as_bytes("contexT")).has_error());
    BOOST_TEST(provider.decrypt(other, sealed, as_bytes("context")).has_error());
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        Bytes altered = sealed;
        altered[i] ^= 1;
        BOOST_TEST(provider.decrypt(kid, altered, as_bytes("context")).has_error());
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        BOOST_TEST(
            provider.decrypt(kid, ByteView(sealed).first(size), as_bytes("context")).has_error());
    // After a rotation the old version still opens what it sealed, and seals nothing more.
    BOOST_REQUIRE(provider.rotate(kid, RotateRule::when_published, kAdmin).has_value());
    BOOST_TEST(provider.decrypt(kid, sealed, as_bytes("context"))->expose() == "text");
    BOOST_TEST((*provider.encrypt(kid, as_bytes("text"), {}))[7] == 2);
    BOOST_TEST(provider.encrypt(kid, Bytes(limits::kKeyPlaintextBytes + 1), {}).has_error());
    BOOST_TEST(provider.decrypt(kid, *provider.encrypt(kid, {}, {}), {})->empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(macs_and_derived_keys_are_the_versions_own, P, Providers) {
    P place;
    KeyProvider& provider = place.provider();
    const std::string kid = provider.create(spec_of(Algorithm::hmac_sha256), kAdmin)->kid;
    const KeyOutput mac = *provider.mac(kid, "message");
    BOOST_TEST(mac.bytes.size() == 32U);
    BOOST_TEST(*provider.verify_mac(kid, 1, "message", mac.bytes));
    BOOST_TEST(!*provider.verify_mac(kid, 1, "Message", mac.bytes));
    BOOST_TEST(!*provider.verify_mac(kid, 1, "message", {}));
    const Secret derived = *provider.derive(kid, 1, as_bytes("salt"), as_bytes("info"), 40);
    BOOST_TEST(derived.size() == 40U);
    BOOST_REQUIRE(provider.rotate(kid, RotateRule::at_once, kAdmin).has_value());
    BOOST_TEST(provider.mac(kid, "message")->version == 2U);
    BOOST_TEST(*provider.verify_mac(kid, 1, "message", mac.bytes));
    BOOST_TEST(!*provider.verify_mac(kid, 2, "message", mac.bytes));
    BOOST_CHECK(*provider.derive(kid, 1, as_bytes("salt"), as_bytes("info"), 40) == derived);
    BOOST_CHECK(!(*provider.derive(kid, 2, as_bytes("salt"), as_bytes("info"), 40) == derived));
    BOOST_CHECK(!(*provider.derive(kid, 1, as_bytes("salt"), as_bytes("Info"), 40) == derived));
    BOOST_TEST(provider.derive(kid, 1, {}, {}, 0).has_error());
    BOOST_TEST(provider.derive(kid, 1, {}, {}, limits::kHkdfBytes + 1).has_error());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_does_only_what_it_is_for, P, Providers) {
    P place;
    KeyProvider& provider = place.provider();
    KeySpec only_verify = spec_of(Algorithm::ed25519);
    only_verify.uses = {KeyUse::verify};
    const std::string kid = provider.create(only_verify, kAdmin)->kid;
    BOOST_TEST(fails_with(provider.sign(kid, "m"), Code::wrong_state));
    BOOST_TEST(fails_with(provider.mac(kid, "m"), Code::wrong_state));
    BOOST_TEST(fails_with(provider.encrypt(kid, {}, {}), Code::wrong_state));
    BOOST_TEST(fails_with(provider.derive(kid, 1, {}, {}, 32), Code::wrong_state));
    const std::string symmetric = provider.create(spec_of(Algorithm::aes_256_gcm), kAdmin)->kid;
    BOOST_TEST(fails_with(provider.sign(symmetric, "m"), Code::wrong_state));
    BOOST_TEST(fails_with(provider.public_jwk(symmetric, 1), Code::wrong_state));
    BOOST_TEST(fails_with(provider.jwks(symmetric), Code::wrong_state));
    BOOST_TEST(fails_with(provider.pre_publish(symmetric, kAdmin), Code::wrong_state));
    KeySpec impossible = spec_of(Algorithm::ed25519);
    impossible.uses = {KeyUse::encrypt};
    BOOST_TEST(fails_with(provider.create(impossible, kAdmin), Code::invalid_params));
    KeySpec odd = spec_of(Algorithm::rsa_pss);
    odd.size_bits = 1024;
    BOOST_TEST(fails_with(provider.create(odd, kAdmin), Code::invalid_params));
    BOOST_TEST(provider.list().size() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rotation_fails_no_verifier, P, Providers) {
    P place;
    KeyProvider& provider = place.provider();
    const std::string kid = provider.create(spec_of(Algorithm::ed25519), kAdmin)->kid;
    BOOST_TEST(
        fails_with(provider.rotate(kid, RotateRule::when_published, kAdmin), Code::wrong_state));
    BOOST_TEST(states(*provider.pre_publish(kid, kAdmin)) == (States{"active", "pre_published"}));
    BOOST_TEST(states(*provider.pre_publish(kid, kAdmin)) == (States{"active", "pre_published"}));
    // What a verifier read before the rotation, and keeps for as long as it may.
    const auto cached = *provider.jwks(kid);
    BOOST_TEST(kids(cached) == (std::set{kid + ".1", kid + ".2"}));
    const auto early = provider.rotate(kid, RotateRule::when_published, kAdmin);
    BOOST_REQUIRE(fails_with(early, Code::wrong_state));
    BOOST_REQUIRE(early.error().details() != nullptr);
    BOOST_TEST(early.error().details()->contains("not_before"));
    const KeyOutput before = *provider.sign(kid, "before");
    place.clock.advance(limits::kPublicationLead);
    BOOST_TEST(states(*provider.rotate(kid, RotateRule::when_published, kAdmin)) ==
               (States{"retiring", "active"}));
    const KeyOutput after = *provider.sign(kid, "after");
    BOOST_TEST(after.version == 2U);
    // Either side of the rotation, with either side's set: newest first.
    BOOST_TEST(cached[0].key.verify("after", after.bytes));
    BOOST_TEST(provider.jwks(kid)->at(1).key.verify("before", before.bytes));
    BOOST_TEST(*provider.verify(kid, 1, "before", before.bytes));
    BOOST_REQUIRE(provider.pre_publish(kid, kAdmin).has_value());
    BOOST_TEST(kids(*provider.jwks(kid)) == (std::set{kid + ".1", kid + ".2", kid + ".3"}));
    place.reopen();
    BOOST_TEST(kids(*place.provider().jwks(kid)) == (std::set{kid + ".1", kid + ".2", kid + ".3"}));
    BOOST_TEST(place.provider().sign(kid, "m")->version == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_emergency_waits_for_nobody, P, Providers) {
    P place;
    KeyProvider& provider = place.provider();
    const std::string kid = provider.create(spec_of(Algorithm::ecdsa_p256), kAdmin)->kid;
    BOOST_TEST(states(*provider.rotate(kid, RotateRule::at_once, kAdmin)) ==
               (States{"retiring", "active"}));
    BOOST_REQUIRE(provider.pre_publish(kid, kAdmin).has_value());
    BOOST_TEST(states(*provider.rotate(kid, RotateRule::at_once, kAdmin)) ==
               (States{"retiring", "retiring", "active"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(destruction_is_scheduled_and_can_be_cancelled, P, Providers) {
    P place;
    KeyProvider& provider = place.provider();
    const std::string kid = provider.create(spec_of(Algorithm::ed25519), kAdmin)->kid;
    const KeyOutput old = *provider.sign(kid, "message");
    BOOST_TEST(fails_with(provider.schedule_destruction(kid, 1, std::chrono::days{7}, kAdmin),
                          Code::wrong_state));
    BOOST_REQUIRE(provider.rotate(kid, RotateRule::at_once, kAdmin).has_value());
    for (const int days : {0, 6, 31, -7})
        BOOST_TEST(
            fails_with(provider.schedule_destruction(kid, 1, std::chrono::days{days}, kAdmin),
                       Code::invalid_params));
    BOOST_TEST(states(*provider.schedule_destruction(kid, 1, std::chrono::days{7}, kAdmin)) ==
               (States{"retiring!", "active"}));
    // Of no use at once, and unknown to verifiers.
    BOOST_TEST(fails_with(provider.verify(kid, 1, "message", old.bytes), Code::wrong_state));
    BOOST_TEST(kids(*provider.jwks(kid)) == std::set{kid + ".2"});
    BOOST_TEST(fails_with(provider.schedule_destruction(kid, 1, std::chrono::days{7}, kAdmin),
                          Code::wrong_state));
    BOOST_TEST(states(*provider.cancel_destruction(kid, 1, kAdmin)) ==
               (States{"retiring", "active"}));
    BOOST_TEST(*provider.verify(kid, 1, "message", old.bytes));
    BOOST_TEST(fails_with(provider.cancel_destruction(kid, 1, kAdmin), Code::wrong_state));
    BOOST_REQUIRE(provider.schedule_destruction(kid, 1, std::chrono::days{7}, kAdmin).has_value());
    place.clock.advance(std::chrono::days{7} - 1ms);
    BOOST_TEST(*provider.destroy_due() == 0U);
    place.clock.advance(1ms);
    BOOST_TEST(*provider.destroy_due() == 1U);
    BOOST_TEST(*provider.destroy_due() == 0U);
    BOOST_TEST(states(*provider.describe(kid)) == (States{"destroyed", "active"}));
    BOOST_TEST(fails_with(provider.cancel_destruction(kid, 1, kAdmin), Code::wrong_state));
    BOOST_TEST(fails_with(provider.schedule_destruction(kid, 1, std::chrono::days{7}, kAdmin),
                          Code::wrong_state));
    // What it signed can still be verified by who has a reason to.
    BOOST_TEST(provider.public_jwk(kid, 1)->key.verify("message", old.bytes));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(numbers_of_versions_are_never_given_twice, P, Providers) {
    P place;
    const std::string kid = place.provider().create(spec_of(Algorithm::ed25519), kAdmin)->kid;
    for (std::uint64_t expected = 2; expected <= 5; ++expected) {
        BOOST_REQUIRE(place.provider().pre_publish(kid, kAdmin).has_value());
        BOOST_REQUIRE(place.provider()
                          .schedule_destruction(kid, expected, std::chrono::days{7}, kAdmin)
                          .has_value());
        place.clock.advance(std::chrono::days{8});
        BOOST_TEST(*place.provider().destroy_due() == 1U);
        place.reopen();
        BOOST_TEST(place.provider().list_versions(kid)->back().version == expected);
    }
    BOOST_TEST(states(*place.provider().describe(kid)) ==
               (States{"active", "destroyed", "destroyed", "destroyed", "destroyed"}));
    // A next version that is on its way out is none.
    BOOST_REQUIRE(place.provider().pre_publish(kid, kAdmin).has_value());
    BOOST_REQUIRE(
        place.provider().schedule_destruction(kid, 6, std::chrono::days{7}, kAdmin).has_value());
    BOOST_TEST(place.provider().pre_publish(kid, kAdmin)->versions.back().version == 7U);
    BOOST_TEST(fails_with(place.provider().rotate(kid, RotateRule::when_published, kAdmin),
                          Code::wrong_state));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_imported_key_is_the_one_that_came, P, Providers) {
    P place;
    KeyProvider& provider = place.provider();
    const PrivateKey brought = *PrivateKey::generate(Algorithm::ecdsa_p256);
    const auto key = provider.import(spec_of(Algorithm::ecdsa_p256), brought.to_pem(), kAdmin);
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST(brought.public_key().verify("m", provider.sign(key->kid, "m")->bytes));
    for (const Algorithm wrong : {Algorithm::ed25519, Algorithm::rsa_pss, Algorithm::aes_256_gcm})
        BOOST_TEST(fails_with(provider.import(spec_of(wrong), brought.to_pem(), kAdmin),
                              Code::invalid_params));
    const PrivateKey edwards = *PrivateKey::generate(Algorithm::ed25519);
    BOOST_TEST(provider.import(spec_of(Algorithm::ed25519), edwards.to_pem(), kAdmin).has_value());
    KeySpec larger = spec_of(Algorithm::rsa_pss);
    larger.size_bits = 3072;
    const PrivateKey rsa = *PrivateKey::generate(Algorithm::rsa_pss, 2048);
    BOOST_TEST(fails_with(provider.import(larger, rsa.to_pem(), kAdmin), Code::invalid_params));
    const auto mac = provider.import(spec_of(Algorithm::hmac_sha256),
                                     Secret("0123456789abcdef0123456789abcdef"), kAdmin);
    BOOST_REQUIRE(mac.has_value());
    BOOST_TEST(
        fails_with(provider.import(spec_of(Algorithm::hmac_sha256), Secret("too short"), kAdmin),
                   Code::invalid_params));
    BOOST_TEST(provider.list().size() == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keys_say_what_they_are, P, Providers) {
    P place;
    KeySpec spec = spec_of(Algorithm::rsa_pss);
    spec.size_bits = 0;
    spec.tags = {{"team", "blue"}, {"env", "prod"}};
    const std::string kid = place.provider().create(spec, kAdmin)->kid;
    place.reopen();
    const KeyDescription key = *place.provider().describe(kid);
    BOOST_TEST(key.spec.label == "label");
    BOOST_CHECK(key.spec.tags == spec.tags);
    BOOST_TEST(key.spec.size_bits == 3072U);
    BOOST_CHECK(key.spec.uses == (std::vector{KeyUse::sign, KeyUse::verify}));
    BOOST_CHECK(key.policy == ExportPolicy::never);
    BOOST_TEST(place.provider().list().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_not_there_is_not_found, P, Providers) {
    P place;
    KeyProvider& provider = place.provider();
    const std::string kid = provider.create(spec_of(Algorithm::ed25519), kAdmin)->kid;
    for (const std::string& name : {std::string("nobody"), std::string(), kid + "x"}) {
        BOOST_TEST(fails_with(provider.describe(name), Code::not_found));
        BOOST_TEST(fails_with(provider.sign(name, "m"), Code::not_found));
        BOOST_TEST(fails_with(provider.rotate(name, RotateRule::at_once, kAdmin), Code::not_found));
        BOOST_TEST(fails_with(provider.jwks(name), Code::not_found));
    }
    for (const std::uint64_t version : {0U, 2U}) {
        BOOST_TEST(fails_with(provider.public_jwk(kid, version), Code::not_found));
        BOOST_TEST(fails_with(provider.verify(kid, version, "m", {}), Code::not_found));
        BOOST_TEST(
            fails_with(provider.schedule_destruction(kid, version, std::chrono::days{7}, kAdmin),
                       Code::not_found));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(random_bytes_are_bounded_and_differ, P, Providers) {
    P place;
    BOOST_TEST(place.provider().random_bytes(32)->size() == 32U);
    BOOST_CHECK(!(*place.provider().random_bytes(32) == *place.provider().random_bytes(32)));
    BOOST_TEST(place.provider().random_bytes(limits::kRandomBytesACall).has_value());
    BOOST_TEST(place.provider().random_bytes(0).has_error());
    BOOST_TEST(place.provider().random_bytes(limits::kRandomBytesACall + 1).has_error());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::keys
