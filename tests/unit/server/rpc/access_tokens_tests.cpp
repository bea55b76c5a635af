#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"
#include "keys/jwt.hpp"
#include "server/rpc/access_tokens.hpp"
#include "tests/unit/server/support/door_world.hpp"

#include <utility>

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

constexpr std::string_view kIssuer = "https://rekey.example.com:7443";

// Signs whatever it is told to.
class Forger final : public keys::JwsSigner {
  public:
    explicit Forger(std::string kid) : kid_(std::move(kid)) {}
    [[nodiscard]] keys::Algorithm algorithm() const override { return key_.algorithm(); }
    [[nodiscard]] const std::string& kid() const override { return kid_; }
    [[nodiscard]] Result<Bytes> sign(std::string_view message) const override {
        return key_.sign(message);
    }

  private:
    keys::PrivateKey key_ = *keys::PrivateKey::generate(keys::Algorithm::ed25519);
    std::string kid_;
};

struct Fixture : DoorWorld {
    std::string token_of(const rpc::Caller& caller) {
        const auto answer = ok(caller, "auth.token");
        return std::string(answer.at("access_token").as_string());
    }
    Result<rpc::Caller> show(std::string_view credential) {
        return run(authenticator.authenticate(credential, "192.0.2.7"));
    }
    Code refusal_of(std::string_view credential) {
        const auto caller = show(credential);
        BOOST_REQUIRE(caller.has_error());
        return caller.error().code();
    }
    // What our own tokens say of the admin, to be spoilt in one place.
    keys::JwtClaims claims() {
        keys::JwtClaims claims;
        claims.iss = kIssuer;
        claims.aud = kIssuer;
        claims.sub = admin.agent_id;
        claims.iat = claims.nbf = clock.now();
        claims.exp = clock.now() + std::chrono::minutes(5);
        claims.jti = "j";
        claims.others = {{"epoch", admin.epoch}, {"api_key_id", admin.key_id}};
        return claims;
    }
    std::string signed_by_us(const keys::JwtClaims& claims, std::string_view typ = "at+jwt") {
        return *signer.sign(typ, keys::encode_claims(claims));
    }
    std::string kid() const { return signer.verifying_keys()->keys().front().kid; }
    void set_status(const rpc::Caller& caller, storage::AgentStatus status) {
        change_row(caller.agent_id, [&](storage::AgentRow& row) {
            row.credentials.status = status;
            if (status != storage::AgentStatus::active) ++row.credentials.epoch;
        });
    }
};

std::string with_header(std::string_view token, std::string_view header) {
    const auto dot = token.find('.');
    return to_base64url(as_bytes(header)) + std::string(token.substr(dot));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(access_tokens_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_key_makes_a_token_that_is_its_agent) {
    const auto narrow = identity("narrow", {"agents:*"}, std::vector<std::string>{"agents:read"});
    const std::string token = token_of(narrow);
    const auto caller = show(token);
    BOOST_REQUIRE(caller.has_value());
    BOOST_TEST(caller->agent_id == narrow.agent_id);
    BOOST_TEST(caller->key_id == narrow.key_id);
    BOOST_TEST(caller->may("agents:read"));
    BOOST_TEST(!caller->may("agents:write"));
    // A token makes no other token.
    BOOST_TEST((refused(*caller, "auth.token") == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(its_claims_are_the_documented_ones) {
    const auto jws = keys::parse_compact(token_of(admin));
    BOOST_REQUIRE(jws.has_value());
    BOOST_TEST((jws->header.algorithm == keys::Algorithm::ed25519));
    BOOST_TEST(jws->header.typ == "at+jwt");
    BOOST_TEST(jws->header.kid == kid());
    const auto read = keys::check_claims(*jws, {kIssuer, kIssuer, "at+jwt"}, clock.now());
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->sub == admin.agent_id);
    BOOST_TEST((read->exp - read->iat == std::chrono::minutes(30)));
    BOOST_TEST((read->nbf == read->iat));
    BOOST_TEST(read->others.at("epoch").as_int64() == 0);
    BOOST_TEST(read->others.at("api_key_id").as_string() == admin.key_id);
    BOOST_TEST(read->others.at("scope").as_string() == "admin:*");
    BOOST_TEST(read->others.size() == 3U);
    BOOST_TEST(ok(admin, "auth.token").at("expires_in").as_int64() == 1800);
    BOOST_TEST(ok(admin, "auth.token").at("token_type").as_string() == "Bearer");
}

BOOST_AUTO_TEST_CASE(it_never_outlives_its_key) {
    rpc::Caller caller = admin;
    static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
        REKEY_TRY_ASSIGN(row, transaction.api_keys().find(admin.key_id));
        row.key_id = make_uuid_v7(clock, random);
        row.expires_at = clock.now() + std::chrono::minutes(2);
        caller.key_id = row.key_id;
        REKEY_TRY(transaction.api_keys().insert(row));
        return true;
    }));
    const auto answer = ok(caller, "auth.token");
    BOOST_TEST(answer.at("expires_in").as_int64() == 120);
    const std::string token(answer.at("access_token").as_string());
    BOOST_TEST(show(token).has_value());
    clock.advance(std::chrono::minutes(2));
    // No leeway for the key's own end.
    BOOST_TEST((refusal_of(token) == Code::token_expired));
}

BOOST_AUTO_TEST_CASE(times_count_with_sixty_seconds_of_leeway) {
    auto given = claims();
    given.nbf = given.iat = clock.now() + std::chrono::seconds(60);
    BOOST_TEST(show(signed_by_us(given)).has_value());
    given.nbf += std::chrono::seconds(1);
    BOOST_TEST((refusal_of(signed_by_us(given)) == Code::unknown_credential));
    given = claims();
    given.exp = clock.now() - std::chrono::seconds(59);
    BOOST_TEST(show(signed_by_us(given)).has_value());
    given.exp = clock.now() - std::chrono::seconds(60);
    BOOST_TEST((refusal_of(signed_by_us(given)) == Code::token_expired));
}

// The verdict about the signature is remembered; that its time is over is seen all the same.
BOOST_AUTO_TEST_CASE(a_remembered_token_expires_to_the_millisecond) {
    const std::string token = signed_by_us(claims());
    BOOST_TEST(show(token).has_value());
    clock.advance(std::chrono::minutes(6) - Milliseconds(1));
    BOOST_TEST(show(token).has_value());
    BOOST_TEST(tokens.remembered() == 1U);
    clock.advance(Milliseconds(1));
    BOOST_TEST((refusal_of(token) == Code::token_expired));
    // Nor does a clock that was set back let it in before its time.
    clock.advance(-std::chrono::minutes(8));
    BOOST_TEST((refusal_of(token) == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(what_others_made_is_unknown) {
    const auto refused_with = [&](auto spoil) {
        auto given = claims();
        spoil(given);
        return refusal_of(signed_by_us(given)) == Code::unknown_credential;
    };
    BOOST_TEST(refused_with([](auto& one) { one.iss = "https://elsewhere.example.com"; }));
    BOOST_TEST(refused_with([](auto& one) { one.aud = "https://elsewhere.example.com"; }));
    BOOST_TEST(refused_with([](auto& one) { one.sub = "nobody"; }));
    BOOST_TEST(refused_with([](auto& one) { one.others.erase("epoch"); }));
    BOOST_TEST(refused_with([](auto& one) { one.others["epoch"] = "0"; }));
    BOOST_TEST(refused_with([](auto& one) { one.others["epoch"] = -1; }));
    BOOST_TEST(refused_with([](auto& one) { one.others["api_key_id"] = 7; }));
    BOOST_TEST(refused_with([](auto& one) { one.others["api_key_id"] = ""; }));
    BOOST_TEST(refused_with([](auto& one) { one.others["api_key_id"] = "nobody's"; }));
    // Somebody else's key beside our sub.
    const auto other = identity("other", {"agents:read"});
    BOOST_TEST(refused_with([&](auto& one) { one.others["api_key_id"] = other.key_id; }));
    BOOST_TEST((refusal_of(signed_by_us(claims(), "JWT")) == Code::unknown_credential));
    BOOST_TEST((refusal_of(signed_by_us(claims(), "")) == Code::unknown_credential));
    BOOST_TEST(tokens.remembered() <= 3U);  // those whose signature and claims were in order
}

BOOST_AUTO_TEST_CASE(the_signature_is_ours_by_the_key_that_it_names) {
    const std::string payload = keys::encode_claims(claims());
    const Forger same_kid(kid());
    const Forger other_kid("other");
    BOOST_TEST(
        (refusal_of(*keys::jws_sign(same_kid, "at+jwt", payload)) == Code::unknown_credential));
    BOOST_TEST(
        (refusal_of(*keys::jws_sign(other_kid, "at+jwt", payload)) == Code::unknown_credential));
    const std::string good = signed_by_us(claims());
    const std::string none = R"({"alg":"none","typ":"at+jwt"})";
    BOOST_TEST((refusal_of(with_header(good, none)) == Code::unknown_credential));
    BOOST_TEST((refusal_of(with_header(good, none).substr(0, good.rfind('.') + 1)) ==
                Code::unknown_credential));
    const std::string no_kid = R"({"alg":"EdDSA","typ":"at+jwt"})";
    BOOST_TEST((refusal_of(with_header(good, no_kid)) == Code::unknown_credential));
}

// The public key's text as a shared secret (RFC 8725, section 2.1).
BOOST_AUTO_TEST_CASE(the_public_key_is_no_shared_secret) {
    const std::string header = R"({"alg":"HS256","typ":"at+jwt","kid":")" + kid() + "\"}";
    const std::string input = to_base64url(as_bytes(header)) + "." +
                              to_base64url(as_bytes(keys::encode_claims(claims())));
    const auto& key = signer.verifying_keys()->keys().front().key;
    const Bytes raw = key.numbers().front().second;
    const std::string pem = key.to_pem();
    for (const Bytes& secret : {raw, Bytes(pem.begin(), pem.end())}) {
        std::string token = input + ".";
        token += to_base64url(hmac_sha256(secret, as_bytes(input)));
        BOOST_TEST((refusal_of(token) == Code::unknown_credential));
    }
}

BOOST_AUTO_TEST_CASE(an_altered_token_is_unknown) {
    const std::string good = token_of(admin);
    BOOST_TEST(show(good).has_value());
    for (std::size_t at = 0; at < good.size(); at += 7) {
        std::string bad = good;
        bad[at] = bad[at] == 'A' ? 'B' : 'A';
        BOOST_TEST((refusal_of(bad) == Code::unknown_credential), "byte " << at);
    }
    BOOST_TEST((refusal_of(good.substr(0, good.size() - 1)) == Code::unknown_credential));
    BOOST_TEST((refusal_of(good + "A") == Code::unknown_credential));
    BOOST_TEST((refusal_of(good + ".") == Code::unknown_credential));
    BOOST_TEST(
        (refusal_of(std::string(limits::kAccessTokenBytes + 1, '.')) == Code::unknown_credential));
    BOOST_TEST(show(good).has_value());
}

BOOST_AUTO_TEST_CASE(what_opens_other_doors_opens_none_here) {
    for (const auto kind : {protocol::TokenKind::agent, protocol::TokenKind::enrollment_code}) {
        const auto text = protocol::mint_token(kind, admin.key_id, random);
        BOOST_TEST((refusal_of(text.expose()) == Code::unknown_credential));
    }
    BOOST_TEST((refusal_of("") == Code::unknown_credential));
    BOOST_TEST((refusal_of("..") == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(suspending_voids_what_was_issued_for_good) {
    const auto reader = identity("reader", {"agents:read"});
    const std::string token = token_of(reader);
    const auto before = show(token).value();
    static_cast<void>(ok(before, "agents.list"));
    static_cast<void>(ok(admin, "agents.suspend", {{"agent_id", reader.agent_id}}));
    BOOST_TEST((refusal_of(token) == Code::agent_suspended));
    BOOST_TEST((refused(before, "agents.list") == Code::agent_suspended));
    static_cast<void>(ok(admin, "agents.reactivate", {{"agent_id", reader.agent_id}}));
    BOOST_TEST((refusal_of(token) == Code::token_expired));
    BOOST_TEST((refused(before, "agents.list") == Code::token_expired));
    // The key itself works again, and makes tokens that do.
    BOOST_TEST(show(token_of(reader)).has_value());
    static_cast<void>(ok(admin, "agents.revoke", {{"agent_id", reader.agent_id}}));
    BOOST_TEST((refusal_of(token) != Code::internal));
    BOOST_TEST(show(token).has_error());
}

BOOST_AUTO_TEST_CASE(the_key_behind_a_token_is_read_at_every_call) {
    const auto reader = identity("reader", {"agents:read"});
    const auto by_token = show(token_of(reader)).value();
    static_cast<void>(ok(by_token, "agents.list"));
    const boost::json::object key{{"agent_id", reader.agent_id}, {"key_id", reader.key_id}};
    static_cast<void>(ok(admin, "keys.revoke", key));
    BOOST_TEST((refused(by_token, "agents.list") == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(a_capability_change_holds_for_tokens_that_are_out) {
    const auto reader = identity("reader", {"agents:read"});
    const auto by_token = show(token_of(reader)).value();
    BOOST_TEST((refused(by_token, "audit.query") == Code::permission_denied));
    static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
        REKEY_TRY(
            transaction.capabilities().grant(reader.agent_id, "audit:read", "test", clock.now()));
        return true;
    }));
    static_cast<void>(ok(by_token, "audit.query"));
}

BOOST_AUTO_TEST_CASE(a_verdict_goes_with_its_signing_key) {
    const std::string token = token_of(admin);
    const auto before = show(token).value();
    BOOST_TEST(tokens.remembered() == 1U);
    signer.rotate();
    BOOST_TEST((refusal_of(token) == Code::unknown_credential));
    BOOST_TEST((refused(before, "agents.list") == Code::unknown_credential));
    BOOST_TEST(tokens.remembered() == 0U);
    BOOST_TEST(show(token_of(admin)).has_value());
}

BOOST_AUTO_TEST_CASE(so_many_verdicts_are_remembered_and_no_more) {
    auto given = claims();
    for (std::size_t i = 0; i < limits::kTokenVerdicts + 10; ++i) {
        given.jti = std::to_string(i);
        BOOST_REQUIRE(tokens.verify(signed_by_us(given)).has_value());
    }
    BOOST_TEST(tokens.remembered() == limits::kTokenVerdicts);
}

BOOST_AUTO_TEST_SUITE_END()
