#include "keys/seal.hpp"
#include "tests/unit/keys/key_provider_conformance.hpp"

#include <boost/test/unit_test.hpp>

#include <concepts>

namespace rekey::keys {
namespace {

const Initiator kAdmin{"admin-1", {}};

struct Fixture : testing::LocalProvider {
    std::string kid = held->create({}, kAdmin)->kid;

    Result<std::unique_ptr<LocalKeyProvider>> open_again() {
        return LocalKeyProvider::open({records, master_key, clock, random});
    }
    KeyVersionRecord& version(std::size_t index) { return records.records[kid].versions[index]; }
};

// The law of exports, as the compiler sees it: there is no call that takes the name of a key, or a
// description of it, and returns a secret.
template <class P, class K>
concept CanExport = requires(P& provider, const K& key, const Initiator& by) {
    { provider.export_secret(key, 1, by) } -> std::same_as<Result<Secret>>;
};
static_assert(CanExport<ExportingKeyProvider, ExportableKey>);
static_assert(!CanExport<KeyProvider, ExportableKey>);
static_assert(!CanExport<ExportingKeyProvider, std::string>);
static_assert(!CanExport<ExportingKeyProvider, KeyDescription>);
static_assert(!std::constructible_from<ExportableKey, std::string>);
static_assert(!std::default_initializable<ExportableKey>);

}  // namespace

BOOST_FIXTURE_TEST_SUITE(local_key_provider_tests, Fixture)

BOOST_AUTO_TEST_CASE(only_a_key_that_was_made_for_it_leaves) {
    BOOST_TEST(exporting().exportable(kid).has_error());
    const ExportableKey key = *exporting().create_exportable({}, kAdmin);
    const auto pem = exporting().export_secret(key, 1, kAdmin);
    BOOST_REQUIRE(pem.has_value());
    BOOST_TEST(
        PrivateKey::from_pem(*pem)->public_key().verify("m", held->sign(key.kid(), "m")->bytes));
    BOOST_TEST((records.trail.back() == std::tuple{std::string("signing_key.exported"),
                                                   std::vector<std::uint64_t>{1},
                                                   std::string("admin-1")}));
    BOOST_TEST(exporting().export_secret(key, 2, kAdmin).has_error());
    reopen();
    BOOST_TEST(exporting().exportable(key.kid()).has_value());
    BOOST_TEST(exporting().exportable(kid).has_error());
}

BOOST_AUTO_TEST_CASE(secrets_are_sealed_for_their_key_and_version) {
    BOOST_REQUIRE(held->pre_publish(kid, kAdmin).has_value());
    const std::string stored(version(0).sealed_secret->begin(), version(0).sealed_secret->end());
    BOOST_TEST(stored.find("PRIVATE KEY") == std::string::npos);
    BOOST_TEST(open_again().has_value());
    const auto swap = [&] { std::swap(version(0).sealed_secret, version(1).sealed_secret); };
    swap();
    BOOST_CHECK(open_again().error().code() == Code::corrupt);
    swap();
    BOOST_TEST(open_again().has_value());
    // A public half that somebody put in place of ours, to have their tokens believed.
    std::swap(version(0).public_key, version(1).public_key);
    BOOST_CHECK(open_again().error().code() == Code::corrupt);
    std::swap(version(0).public_key, version(1).public_key);
    (*version(0).sealed_secret)[30] ^= 1;
    BOOST_CHECK(open_again().error().code() == Code::corrupt);
    (*version(0).sealed_secret)[30] ^= 1;
    const MasterKey other = MasterKey::generate(random);
    BOOST_TEST(LocalKeyProvider::open({records, other, clock, random}).has_error());
}

BOOST_AUTO_TEST_CASE(a_destroyed_secret_is_nowhere) {
    BOOST_REQUIRE(held->rotate(kid, RotateRule::at_once, kAdmin).has_value());
    BOOST_REQUIRE(held->schedule_destruction(kid, 1, std::chrono::days{7}, kAdmin).has_value());
    clock.advance(std::chrono::days{7});
    BOOST_REQUIRE(*held->destroy_due() == 1U);
    BOOST_TEST(!version(0).sealed_secret.has_value());
    BOOST_TEST(!version(0).public_key.empty());
    BOOST_TEST(std::get<2>(records.trail.back()) == "system");
    BOOST_TEST(open_again().has_value());
}

BOOST_AUTO_TEST_CASE(a_change_that_was_not_stored_did_not_happen) {
    const auto before = held->describe(kid)->versions.size();
    for (const Code code : {Code::unavailable, Code::conflict}) {
        records.fail_next = Error(code, "not now");
        BOOST_CHECK(held->pre_publish(kid, kAdmin).error().code() == code);
        BOOST_TEST(held->describe(kid)->versions.size() == before);
        records.fail_next = Error(code, "not now");
        BOOST_CHECK(held->rotate(kid, RotateRule::at_once, kAdmin).error().code() == code);
        BOOST_TEST(held->sign(kid, "m")->version == 1U);
        records.fail_next = Error(code, "not now");
        BOOST_TEST(held->create({}, kAdmin).has_error());
        BOOST_TEST(held->list().size() == 1U);
    }
    BOOST_TEST(records.trail.size() == 1U);
}

BOOST_AUTO_TEST_CASE(another_process_that_changed_the_key_is_noticed) {
    auto second = *open_again();
    BOOST_REQUIRE(second->rotate(kid, RotateRule::at_once, kAdmin).has_value());
    BOOST_TEST(held->sign(kid, "m")->version == 1U);
    // The next change of ours begins with what the other one left.
    BOOST_TEST(held->pre_publish(kid, kAdmin)->versions.size() == 3U);
    BOOST_TEST(held->sign(kid, "m")->version == 2U);
}

BOOST_AUTO_TEST_CASE(every_change_says_who_made_it) {
    BOOST_REQUIRE(held->pre_publish(kid, kAdmin).has_value());
    BOOST_REQUIRE(held->rotate(kid, RotateRule::at_once, kAdmin).has_value());
    BOOST_REQUIRE(held->schedule_destruction(kid, 1, std::chrono::days{7}, kAdmin).has_value());
    BOOST_REQUIRE(held->cancel_destruction(kid, 1, kAdmin).has_value());
    const std::vector<std::string> expected{
        "signing_key.created", "signing_key.published", "signing_key.rotated",
        "signing_key.destruction_scheduled", "signing_key.destruction_cancelled"};
    BOOST_REQUIRE(records.trail.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        BOOST_TEST(std::get<0>(records.trail[i]) == expected[i]);
        BOOST_TEST(std::get<2>(records.trail[i]) == "admin-1");
    }
}

BOOST_AUTO_TEST_CASE(a_stored_spec_is_read_back_or_refused) {
    const KeySpec spec = *checked({Algorithm::hmac_sha256, 0, {KeyUse::derive}, "l", {{"a", "b"}}});
    const auto json = to_json(spec, ExportPolicy::exportable);
    const auto read = spec_from_json(json);
    BOOST_REQUIRE(read.has_value());
    BOOST_CHECK(read->spec.uses == spec.uses);
    BOOST_CHECK(read->spec.tags == spec.tags);
    BOOST_CHECK(read->policy == ExportPolicy::exportable);
    for (const auto& member : json) {
        if (member.key() == "class") continue;  // follows from the algorithm
        auto broken = json;
        broken[member.key()] = 7;
        BOOST_TEST((member.key() == "size_bits" || spec_from_json(broken).has_error()));
        broken.erase(member.key());
        BOOST_TEST(spec_from_json(broken).has_error());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::keys
