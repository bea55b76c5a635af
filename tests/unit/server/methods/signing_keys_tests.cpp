#include "base/ed25519.hpp"
#include "keys/jwk.hpp"
#include "tests/unit/server/support/door_world.hpp"

#include <boost/json/serialize.hpp>

#include <future>
#include <thread>

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;
namespace json = boost::json;

namespace {

struct Fixture : DoorWorld {
    std::string create(const json::object& params = {{"algorithm", "ed25519"}}) {
        return std::string(ok(admin, "signing_keys.create", params).at("kid").as_string());
    }
    json::object with(const std::string& kid, std::int64_t version) {
        return {{"kid", kid}, {"version", version}};
    }
    // Which field was wrong.
    std::string wrong(std::string_view method, const json::object& params) {
        const auto answer = call(admin, method, params);
        if (answer.has_value() || answer.error().code() != Code::invalid_params) return "none";
        return std::string(answer.error().details()->at("path").as_string());
    }
};

std::vector<std::string> states(const json::object& key) {
    std::vector<std::string> all;
    for (const auto& version : key.at("versions").as_array())
        all.emplace_back(version.at("state").as_string());
    return all;
}

using States = std::vector<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(signing_keys_tests, Fixture)

BOOST_AUTO_TEST_CASE(only_an_admin_may) {
    const auto reader = identity("reader", {"agents:read", "keys:manage"});
    const std::string kid = signing_keys.token_kid();
    const std::vector<std::pair<std::string_view, json::object>> calls_of_all{
        {"signing_keys.list", {}},
        {"signing_keys.get", {{"kid", kid}}},
        {"signing_keys.create", {{"algorithm", "ed25519"}}},
        {"signing_keys.import", {{"algorithm", "ed25519"}, {"private_key", "x"}}},
        {"signing_keys.rotate", {{"kid", kid}, {"at_once", true}}},
        {"signing_keys.destroy", with(kid, 2)},
        {"signing_keys.cancel_destruction", with(kid, 2)}};
    for (const auto& [method, params] : calls_of_all)
        BOOST_TEST((refused(reader, method, params) == Code::permission_denied), method);
    BOOST_TEST(states(ok(admin, "signing_keys.get", {{"kid", kid}})) ==
               (States{"active", "pre_published"}));
}

// Others may have waited for long when its turn comes: what it was asked with has to be good still.
BOOST_AUTO_TEST_CASE(a_change_whose_key_was_revoked_while_it_waited_is_not_made) {
    const auto thief = identity("thief", {"admin:*"});
    std::promise<void> go;
    const auto asked =
        signing_keys.change({.run = [&, waits = go.get_future().share()](auto&) { waits.wait(); },
                             .still_allowed = {},
                             .done = [] {}});
    BOOST_REQUIRE(asked.has_value());
    std::thread defender([&] {
        static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
            REKEY_TRY(transaction.api_keys().revoke(thief.key_id, clock.now()));
            return true;
        }));
        go.set_value();
    });
    const boost::json::value params{{"algorithm", "ed25519"}};
    const auto answer = run(dispatcher.call(thief, "signing_keys.create", &params,
                                            rpc::Dispatcher::Seen::for_this_call));
    defender.join();
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST((answer.error().code() == Code::unknown_credential));
    BOOST_TEST(ok(admin, "signing_keys.list").at("keys").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(more_changes_than_may_wait_are_refused) {
    std::promise<void> go;
    const auto waits = go.get_future().share();
    std::size_t taken = 0;
    const signing::SigningKeys::Change change{
        .run = [waits](auto&) { waits.wait(); }, .still_allowed = {}, .done = [] {}};
    while (taken <= limits::kKeyChangesWaiting && signing_keys.change(change).has_value()) ++taken;
    BOOST_TEST(taken == limits::kKeyChangesWaiting);
    BOOST_TEST(
        (refused(admin, "signing_keys.create", {{"algorithm", "ed25519"}}) == Code::overloaded));
    go.set_value();
}

BOOST_AUTO_TEST_CASE(a_key_is_made_shown_and_rotated) {
    const auto made = ok(admin, "signing_keys.create",
                         {{"algorithm", "ecdsa-p256"}, {"label", "mine"}, {"tags", {{"a", "b"}}}});
    BOOST_TEST(made.at("label").as_string() == "mine");
    BOOST_TEST(made.at("tags").at("a").as_string() == "b");
    BOOST_TEST(!made.at("signs_access_tokens").as_bool());
    BOOST_TEST(made.at("export_policy").as_string() == "never");
    const std::string kid(made.at("kid").as_string());
    const auto& first = made.at("versions").as_array()[0].as_object();
    const auto jwk = keys::jwk_from_json(first.at("jwk").as_object());
    BOOST_REQUIRE(jwk.has_value());
    BOOST_TEST(jwk->kid == kid + ".1");
    BOOST_TEST(jwk->key.to_pem() == first.at("public_key_pem").as_string());
    const auto early = call(admin, "signing_keys.rotate", {{"kid", kid}});
    BOOST_REQUIRE(early.has_error());
    BOOST_TEST((early.error().code() == Code::wrong_state));
    BOOST_TEST(early.error().details()->contains("not_before"));
    clock.advance(limits::kPublicationLead);
    BOOST_TEST(states(ok(admin, "signing_keys.rotate", {{"kid", kid}})) ==
               (States{"retiring", "active", "pre_published"}));
    const auto listed = ok(admin, "signing_keys.list");
    BOOST_TEST(listed.at("keys").as_array().size() == 2U);
    BOOST_TEST(json::serialize(listed).find("PRIVATE") == std::string::npos);
    BOOST_TEST(audited("signing_key.rotated") == 1U);
}

BOOST_AUTO_TEST_CASE(the_key_of_the_tokens_rotates_for_verifiers_too) {
    const std::string kid = signing_keys.token_kid();
    const auto before = signing_keys.verifying_keys();
    ok(admin, "signing_keys.rotate", {{"kid", kid}, {"at_once", true}});
    // Already when the answer is there.
    const auto after = signing_keys.verifying_keys();
    BOOST_TEST(after->change() > before->change());
    BOOST_TEST(after->find(kid + ".3") != nullptr);
    ok(admin, "signing_keys.destroy", with(kid, 1));
    BOOST_TEST(signing_keys.verifying_keys()->find(kid + ".1") == nullptr);
    ok(admin, "signing_keys.cancel_destruction", with(kid, 1));
    BOOST_TEST(signing_keys.verifying_keys()->find(kid + ".1") != nullptr);
    BOOST_TEST(audited("signing_key.destruction_scheduled") == 1U);
    BOOST_TEST(audited("signing_key.destruction_cancelled") == 1U);
}

BOOST_AUTO_TEST_CASE(a_key_is_imported_and_never_shown) {
    const Secret pem = Ed25519Key::generate().to_pem();
    const auto made =
        ok(admin, "signing_keys.import",
           {{"algorithm", "ed25519"}, {"private_key", json::string_view(pem.expose())}});
    BOOST_TEST(json::serialize(made).find("PRIVATE") == std::string::npos);
    const json::string raw("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY");
    const auto mac =
        ok(admin, "signing_keys.import", {{"algorithm", "hmac-sha256"}, {"private_key", raw}});
    BOOST_TEST(!mac.at("versions").as_array()[0].as_object().contains("jwk"));
    BOOST_TEST(json::serialize(mac).find("MDEyMzQ1") == std::string::npos);
    BOOST_TEST(wrong("signing_keys.import", {{"algorithm", "ecdsa-p256"},
                                             {"private_key", json::string_view(pem.expose())}}) ==
               "private_key");
    BOOST_TEST(wrong("signing_keys.import",
                     {{"algorithm", "aes-256-gcm"}, {"private_key", "AAAA"}}) == "private_key");
    BOOST_TEST(wrong("signing_keys.import", {{"algorithm", "aes-256-gcm"}, {"private_key", "!"}}) ==
               "private_key");
    BOOST_TEST(audited("signing_key.imported") == 2U);
}

BOOST_AUTO_TEST_CASE(bad_wishes_name_their_field) {
    const std::string method = "signing_keys.create";
    BOOST_TEST(wrong(method, {{"algorithm", "rs256"}}) == "algorithm");
    BOOST_TEST(wrong(method, {}) == "algorithm");
    BOOST_TEST(wrong(method, {{"algorithm", "rsa-pss"}, {"size_bits", 1024}}) == "size_bits");
    BOOST_TEST(wrong(method, {{"algorithm", "rsa-pss"}, {"size_bits", 5000}}) == "size_bits");
    BOOST_TEST(wrong(method, {{"algorithm", "ed25519"}, {"uses", {"mac"}}}) == "uses");
    BOOST_TEST(wrong(method, {{"algorithm", "ed25519"},
                              {"tags", {{"rekey.purpose", "access-tokens"}}}}) == "tags");
    const std::string kid = create();
    BOOST_TEST(wrong("signing_keys.destroy", {{"kid", kid}, {"version", 2}, {"days", 6}}) ==
               "days");
    BOOST_TEST(wrong("signing_keys.get", {{"kid", "x"}}) == "kid");
    const std::string nobody = "0190a000-0000-7000-8000-000000000009";
    BOOST_TEST((refused(admin, "signing_keys.get", {{"kid", nobody}}) == Code::not_found));
    BOOST_TEST((refused(admin, "signing_keys.rotate", {{"kid", nobody}}) == Code::not_found));
    BOOST_TEST((refused(admin, "signing_keys.destroy", with(kid, 9)) == Code::not_found));
    BOOST_TEST((refused(admin, "signing_keys.destroy", with(kid, 1)) == Code::wrong_state));
    BOOST_TEST(
        (refused(admin, "signing_keys.cancel_destruction", with(kid, 1)) == Code::wrong_state));
}

BOOST_AUTO_TEST_SUITE_END()
