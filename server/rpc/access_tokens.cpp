#include "server/rpc/access_tokens.hpp"

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "keys/jws.hpp"
#include "keys/jwt.hpp"

#include <utility>

namespace rekey::server::rpc {
namespace {

constexpr std::string_view kType = "at+jwt";
constexpr std::string_view kEpoch = "epoch";
constexpr std::string_view kApiKeyId = "api_key_id";
constexpr std::string_view kScope = "scope";

Error unknown() { return Error(Code::unknown_credential, "the access token is not one of ours"); }

std::string joined(const std::vector<std::string>& scope) {
    std::string text;
    for (const std::string& one : scope) text.append(text.empty() ? "" : " ").append(one);
    return text.size() <= limits::kTokenScopeBytes ? text : std::string();
}

Result<TokenFacts> read_facts(keys::JwtClaims claims, std::string kid) {
    TokenFacts facts;
    facts.agent_id = std::move(claims.sub);
    facts.not_before = claims.nbf;
    facts.expires_at = claims.exp;
    facts.signing_kid = std::move(kid);
    const auto* epoch = claims.others.if_contains(kEpoch);
    if (epoch == nullptr || !epoch->is_int64() || epoch->get_int64() < 0) return unknown();
    facts.epoch = static_cast<std::uint64_t>(epoch->get_int64());
    if (const auto* key_id = claims.others.if_contains(kApiKeyId); key_id != nullptr) {
        if (!key_id->is_string() || key_id->get_string().empty()) return unknown();
        facts.key_id = std::string(key_id->get_string());
    }
    return facts;
}

}  // namespace

Result<> TokenFacts::check_times(Time now) const {
    if (not_before > now + limits::kJwtLeeway) {
        return Error(Code::unknown_credential, "the access token's time has not come yet");
    }
    if (expires_at + limits::kJwtLeeway <= now) {
        return Error(Code::token_expired, "the access token has expired");
    }
    return {};
}

Result<Secret> AccessTokens::issue(const Wish& wish) const {
    const Time now = parts_.clock.now();
    keys::JwtClaims claims;
    claims.iss = parts_.issuer;
    claims.sub = wish.agent_id;
    claims.aud = wish.audience.empty() ? parts_.issuer : wish.audience;
    claims.iat = claims.nbf = now;
    claims.exp = now + wish.life;
    claims.jti = make_uuid_v7(parts_.clock, parts_.random);
    claims.others[kEpoch] = static_cast<std::int64_t>(wish.epoch);
    if (!wish.key_id.empty()) claims.others[kApiKeyId] = wish.key_id;
    if (std::string scope = joined(wish.scope); !scope.empty()) claims.others[kScope] = scope;
    REKEY_TRY_ASSIGN(text, parts_.signer.sign(kType, keys::encode_claims(claims)));
    Secret token(text);
    wipe_string(text);
    return token;
}

Result<std::shared_ptr<const TokenFacts>> AccessTokens::verify(std::string_view text) const {
    if (text.size() > limits::kAccessTokenBytes) return unknown();
    const Time now = parts_.clock.now();
    const auto trusted = parts_.signer.verifying_keys();
    const Bytes32 text_hash = sha256(text);
    if (auto known = recall(text_hash, trusted->change())) {
        REKEY_TRY(known->check_times(now));
        return known;
    }
    auto jws = keys::parse_compact(text, limits::kAccessTokenBytes);
    if (jws.has_error()) return unknown();
    // By kid alone: a token without one is not ours, and no key is tried that it does not name.
    const keys::PublicKey* key = jws->header.kid.empty() ? nullptr : trusted->find(jws->header.kid);
    if (key == nullptr || !keys::verify(*jws, *key)) return unknown();
    auto claims = keys::check_claims(*jws, {parts_.issuer, parts_.issuer, kType}, now);
    if (claims.has_error()) {
        return claims.error().code() == Code::token_expired ? claims.error() : unknown();
    }
    REKEY_TRY_ASSIGN(facts, read_facts(*std::move(claims), jws->header.kid));
    auto shared = std::make_shared<const TokenFacts>(std::move(facts));
    remember({text_hash, trusted->change(), shared});
    return shared;
}

std::string AccessTokens::claimed_id(std::string_view text) const {
    if (text.size() > limits::kAccessTokenBytes) return {};
    const auto known = recall(sha256(text), parts_.signer.verifying_keys()->change());
    if (!known) return {};
    return known->key_id.empty() ? known->agent_id : known->key_id;
}

bool AccessTokens::trusts(std::string_view signing_kid) const {
    return parts_.signer.verifying_keys()->find(signing_kid) != nullptr;
}

std::size_t AccessTokens::remembered() const {
    const std::lock_guard lock(mutex_);
    return by_hash_.size();
}

std::shared_ptr<const TokenFacts> AccessTokens::recall(const Bytes32& text_hash,
                                                       std::uint64_t keys_change) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_hash_.find(text_hash);
    if (found == by_hash_.end()) return nullptr;
    if (found->second->keys_change != keys_change) {
        newest_first_.erase(found->second);
        by_hash_.erase(found);
        return nullptr;
    }
    newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
    return found->second->facts;
}

void AccessTokens::remember(Verdict verdict) const {
    const std::lock_guard lock(mutex_);
    if (by_hash_.contains(verdict.text_hash)) return;
    if (by_hash_.size() >= limits::kTokenVerdicts) {
        by_hash_.erase(newest_first_.back().text_hash);
        newest_first_.pop_back();
    }
    newest_first_.push_front(std::move(verdict));
    by_hash_.emplace(newest_first_.front().text_hash, newest_first_.begin());
}

}  // namespace rekey::server::rpc
