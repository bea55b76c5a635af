#include "server/rpc/caller.hpp"

#include "base/hash.hpp"
#include "protocol/token.hpp"
#include "server/rpc/capabilities.hpp"

namespace rekey::server::rpc {
namespace {

Error unknown() { return Error(Code::unknown_credential, "the API key is not known"); }

// Everything but the secret, for one who has shown it.
Result<Caller> read_caller(storage::Transaction& transaction, const storage::ApiKeyRow& key,
                           Time now) {
    if (key.revoked_at) return unknown();
    REKEY_TRY_ASSIGN(agent, transaction.agents().find(key.agent_id));
    if (agent.credentials.status == storage::AgentStatus::revoked) {
        return Error(Code::agent_revoked, "the identity behind this API key is revoked");
    }
    if (agent.credentials.status == storage::AgentStatus::suspended) {
        return Error(Code::agent_suspended, "the identity behind this API key is suspended");
    }
    if (key.expires_at && now >= *key.expires_at) {
        return Error(Code::token_expired, "the API key has expired");
    }
    REKEY_TRY_ASSIGN(capabilities, transaction.capabilities().list(key.agent_id));
    Caller caller;
    caller.agent_id = key.agent_id;
    caller.key_id = key.key_id;
    caller.epoch = agent.credentials.epoch;
    caller.capabilities = std::move(capabilities);
    caller.key_capabilities = key.capabilities;
    return caller;
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
    return Error(Code::permission_denied,
                 "the API key's capabilities do not cover " + std::string(needed_capability))
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
    return read_caller(transaction, *row, now);
}

Result<Caller> read_again(storage::Transaction& transaction, const Caller& caller, Time now) {
    auto row = transaction.api_keys().find(caller.key_id);
    if (row.has_error()) {
        return row.error().code() == Code::not_found ? unknown() : row.error();
    }
    REKEY_TRY_ASSIGN(again, read_caller(transaction, *row, now));
    again.address = caller.address;
    again.request_id = caller.request_id;
    return again;
}

Result<> require_still(storage::Transaction& transaction, const Caller& caller,
                       std::string_view capability, Time now) {
    REKEY_TRY_ASSIGN(again, read_again(transaction, caller, now));
    if (again.may(capability)) return {};
    return permission_denied(capability);
}

}  // namespace rekey::server::rpc
