#include "server/rpc/caller.hpp"

#include "base/hash.hpp"
#include "protocol/token.hpp"
#include "server/rpc/access_tokens.hpp"
#include "server/rpc/capabilities.hpp"

#include <utility>

namespace rekey::server::rpc {
namespace {

Error unknown() { return Error(Code::unknown_credential, "the credential is not known"); }

// Of one who has shown a right secret, or a token with a right signature.
Result<storage::AgentStanding> require_active(storage::Transaction& transaction,
                                              std::string_view agent_id) {
    auto standing = transaction.agents().standing(agent_id);
    if (standing.has_error()) {
        return standing.error().code() == Code::not_found ? unknown() : standing.error();
    }
    if (standing->status == storage::AgentStatus::revoked) {
        return Error(Code::agent_revoked, "the identity behind this credential is revoked");
    }
    if (standing->status == storage::AgentStatus::suspended) {
        return Error(Code::agent_suspended, "the identity behind this credential is suspended");
    }
    return standing;
}

Result<> require_working(const storage::ApiKeyRow& key, Time now) {
    if (key.expires_at && now >= *key.expires_at) {
        return Error(Code::token_expired, "the API key has expired");
    }
    if (key.valid_until && now >= *key.valid_until) {
        return Error(Code::token_expired,
                     "the API key was rotated, and its grace period is over: use its successor");
    }
    return {};
}

// Everything but the secret, for one who has shown it.
Result<Caller> read_caller(storage::Transaction& transaction, storage::ApiKeyRow key, Time now) {
    if (key.revoked_at) return unknown();
    REKEY_TRY_ASSIGN(standing, require_active(transaction, key.agent_id));
    REKEY_TRY(require_working(key, now));
    REKEY_TRY_ASSIGN(capabilities, transaction.capabilities().list(key.agent_id));
    Caller caller;
    caller.key_is_unused = !key.first_used_at;
    caller.key_ends_at = key.valid_until ? key.valid_until : key.expires_at;
    caller.agent_id = std::move(key.agent_id);
    caller.key_id = std::move(key.key_id);
    caller.epoch = standing.epoch;
    caller.capabilities = std::move(capabilities);
    caller.key_capabilities = std::move(key.capabilities);
    return caller;
}

Result<Caller> read_caller_of_session(storage::Transaction& transaction, const TokenFacts& facts) {
    REKEY_TRY_ASSIGN(standing, require_active(transaction, facts.agent_id));
    REKEY_TRY_ASSIGN(capabilities, transaction.capabilities().list(facts.agent_id));
    Caller caller;
    caller.agent_id = facts.agent_id;
    caller.epoch = standing.epoch;
    caller.capabilities = std::move(capabilities);
    return caller;
}

Result<Caller> read_caller_of_key(storage::Transaction& transaction, std::string_view key_id,
                                  Time now) {
    auto row = transaction.api_keys().find(key_id);
    if (row.has_error()) {
        return row.error().code() == Code::not_found ? unknown() : row.error();
    }
    return read_caller(transaction, *std::move(row), now);
}

}  // namespace

bool Caller::may(std::string_view capability) const {
    return covers(capabilities, capability) &&
           (!key_capabilities || covers(*key_capabilities, capability));
}

std::vector<std::string> Caller::effective() const {
    return key_capabilities ? narrowed(capabilities, *key_capabilities) : capabilities;
}

boost::json::object audit_details(const Caller& caller) {
    boost::json::object details;
    if (!caller.key_id.empty()) details["api_key_id"] = caller.key_id;
    if (!caller.address.empty()) details["address"] = caller.address;
    if (!caller.request_id.empty()) details["request_id"] = caller.request_id;
    return details;
}

storage::AuditEvent audit_event(const Caller& caller, std::string action, std::string subject,
                                Time now) {
    return {.time = now,
            .actor = caller.agent_id,
            .action = std::move(action),
            .subject = std::move(subject),
            .outcome = "ok",
            .details = audit_details(caller)};
}

Error permission_denied(std::string_view needed_capability) {
    return Error(Code::permission_denied, "the capabilities of this credential do not cover " +
                                              std::string(needed_capability))
        .with("needs", boost::json::string(needed_capability));
}

Result<Caller> authenticate(storage::Transaction& transaction, std::string_view key, Time now) {
    const auto parsed = protocol::parse_token(key);
    if (!parsed || parsed->kind != protocol::TokenKind::api_key) return unknown();
    auto row = transaction.api_keys().find(parsed->id);
    if (row.has_error() && row.error().code() != Code::not_found) return row.error();
    // A stranger's attempt costs the same whether the id exists or not.
    const Bytes32 stored = row.has_error() ? Bytes32{} : row->key_hash;
    const bool matches = equal_in_constant_time(protocol::token_hash(key), stored);
    if (row.has_error() || !matches) return unknown();
    return read_caller(transaction, *std::move(row), now);
}

Result<Caller> authenticate_token(storage::Transaction& transaction,
                                  const std::shared_ptr<const TokenFacts>& facts, Time now) {
    REKEY_TRY(facts->check_times(now));
    auto caller = facts->key_id.empty() ? read_caller_of_session(transaction, *facts)
                                        : read_caller_of_key(transaction, facts->key_id, now);
    if (caller.has_error()) return caller;
    if (caller->agent_id != facts->agent_id) return unknown();
    // Suspending and revoking void what was issued before, also after a reactivation.
    if (caller->epoch != facts->epoch) {
        return Error(Code::token_expired,
                     "the access token is from before its identity was suspended: make another");
    }
    caller->token = facts;
    return caller;
}

Result<Caller> read_again(storage::Transaction& transaction, const Caller& caller, Time now) {
    auto again = caller.token ? authenticate_token(transaction, caller.token, now)
                              : read_caller_of_key(transaction, caller.key_id, now);
    if (again.has_error()) return again;
    again->address = caller.address;
    again->request_id = caller.request_id;
    return again;
}

Result<> require_still(storage::Transaction& transaction, const Caller& caller,
                       std::string_view capability, Time now) {
    REKEY_TRY_ASSIGN(again, read_again(transaction, caller, now));
    if (again.may(capability)) return {};
    return permission_denied(capability);
}

}  // namespace rekey::server::rpc
