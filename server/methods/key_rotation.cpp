#include "server/methods/key_rotation.hpp"

#include "base/ids.hpp"
#include "base/limits.hpp"
#include "base/time_format.hpp"
#include "protocol/token.hpp"
#include "server/rpc/capabilities.hpp"

#include <algorithm>
#include <utility>

namespace rekey::server::methods {
namespace {

using protocol::KeysRotate;
using protocol::RotatedKey;
using storage::ApiKeyRow;

Result<ApiKeyRow> find_working(storage::Transaction& transaction, const KeyRotation& rotation) {
    auto row = transaction.api_keys().find(rotation.key_id);
    if (row.has_value() && row->agent_id != rotation.agent_id) {
        return Error(Code::not_found, "no such API key");
    }
    if (row.has_error() || row->works(rotation.now)) return row;
    return Error(Code::wrong_state, "the API key works no more: make another");
}

// Which successor gives its place, if any; `wrong_state` for one that is in use.
Result<> require_unused_successor(storage::Transaction& transaction, const ApiKeyRow& old) {
    if (old.successor_key_id.empty()) return {};
    const auto successor = transaction.api_keys().find(old.successor_key_id);
    if (successor.has_error()) {
        return successor.error().code() == Code::not_found ? Result<>() : successor.error();
    }
    if (!successor->first_used_at) return {};
    return Error(Code::wrong_state, "the API key was rotated, and its successor is in use")
        .with("successor_key_id", boost::json::string(old.successor_key_id));
}

// What the old key lists may be more than its agent holds by now: with it, whoever rotates would
// get what the agent is granted again later.
std::optional<std::vector<std::string>> capabilities_of_successor(const ApiKeyRow& old,
                                                                  const KeyRotation& rotation) {
    if (!rotation.ceiling) return old.capabilities;
    if (!old.capabilities) return rotation.ceiling;
    return rpc::narrowed(*old.capabilities, *rotation.ceiling);
}

ApiKeyRow successor_of(const ApiKeyRow& old, const KeyRotation& rotation,
                       const rpc::Caller& caller) {
    ApiKeyRow row;
    row.key_id = rotation.fresh.key_id;
    row.agent_id = old.agent_id;
    row.name = old.name;
    row.key_hash = protocol::token_hash(rotation.fresh.text);
    row.capabilities = capabilities_of_successor(old, rotation);
    row.created_at = rotation.now;
    if (old.expires_at) {
        row.expires_at =
            std::min(rotation.now + (*old.expires_at - old.created_at), kLastRfc3339Time);
    }
    row.created_by = caller.agent_id;
    row.predecessor_key_id = old.key_id;
    return row;
}

Time end_of(const ApiKeyRow& old, const KeyRotation& rotation) {
    Time end = rotation.now + rotation.grace;
    if (old.expires_at) end = std::min(end, *old.expires_at);
    if (old.valid_until) end = std::min(end, *old.valid_until);
    return end;
}

}  // namespace

FreshKey mint_key(const Clock& clock, Random& random) {
    FreshKey fresh;
    fresh.key_id = make_uuid_v7(clock, random);
    fresh.text = protocol::mint_token(protocol::TokenKind::api_key, fresh.key_id, random);
    return fresh;
}

Result<> require_room_for_key(storage::Transaction& transaction, const std::string& agent_id,
                              Time now) {
    REKEY_TRY(transaction.api_keys().trim_dead(agent_id, now, limits::kDeadApiKeysAnAgent));
    REKEY_TRY_ASSIGN(rows, transaction.api_keys().list(agent_id));
    const auto working = std::count_if(rows.begin(), rows.end(),
                                       [&](const ApiKeyRow& one) { return one.works(now); });
    if (static_cast<std::size_t>(working) < limits::kApiKeysAnAgent) return {};
    return Error(Code::wrong_state, "the agent has as many API keys as one may: revoke some");
}

Result<RotatedKey> rotate_key_in(storage::Transaction& transaction, const rpc::Caller& caller,
                                 const KeyRotation& rotation) {
    REKEY_TRY_ASSIGN(old, find_working(transaction, rotation));
    REKEY_TRY(require_unused_successor(transaction, old));
    const std::string& replaced = old.successor_key_id;
    auto& table = transaction.api_keys();
    if (!replaced.empty()) {
        REKEY_TRY(transaction.idempotent_answers().remove_of_key(replaced));
        const auto revoked = table.revoke(replaced, rotation.now);
        if (revoked.has_error() && revoked.error().code() != Code::not_found)
            return revoked.error();
    }
    // Not only when keys are made: one that rotates and rotates would gather them without end.
    REKEY_TRY(require_room_for_key(transaction, old.agent_id, rotation.now));
    const ApiKeyRow successor = successor_of(old, rotation, caller);
    if (successor.capabilities && successor.capabilities->size() > limits::kKeyCapabilitiesKept) {
        return Error(Code::wrong_state,
                     "the API key's list of capabilities would be too long: make another key");
    }
    const Time end = end_of(old, rotation);
    REKEY_TRY(table.succeed(successor, replaced, end));

    auto event = rpc::audit_event(caller, "api_key.rotated", old.agent_id, rotation.now);
    event.details["key_id"] = successor.key_id;
    event.details["previous_key_id"] = old.key_id;
    event.details["previous_valid_until"] = to_rfc3339(end);
    if (!replaced.empty()) event.details["replaced_key_id"] = replaced;
    transaction.audit().append(std::move(event));

    RotatedKey answer;
    answer.key_id = successor.key_id;
    answer.key = rotation.fresh.text;
    answer.expires_at = successor.expires_at;
    answer.previous_valid_until = end;
    return answer;
}

rpc::Task<Result<RotatedKey>> rotate_own_key(const Parts& parts, const rpc::Caller& caller,
                                             std::optional<std::string> idempotency_key) {
    // Else one that leaked would become a key, which outlives it and its own key.
    if (caller.token) {
        co_return Result<RotatedKey>(
            Error(Code::permission_denied,
                  "an access token rotates no API key: show the API key itself"));
    }
    if (caller.key_id.empty()) {
        co_return Result<RotatedKey>(
            Error(Code::wrong_state, "this call came without an API key that could be rotated"));
    }
    KeyRotation rotation;
    rotation.agent_id = caller.agent_id;
    rotation.key_id = caller.key_id;
    rotation.grace = std::chrono::hours(parts.settings.snapshot()->key_rotation_grace_hours);
    rotation.fresh = mint_key(parts.clock, parts.random);
    rotation.now = parts.clock.now();
    KeysRotate::Params params;
    params.key = {caller.agent_id, caller.key_id};
    params.idempotency_key = std::move(idempotency_key);
    const auto call = idempotent_call<KeysRotate>(caller.agent_id, std::move(params), rotation.now);
    auto unit = [&parts, caller, rotation,
                 call](storage::Transaction& transaction) -> Result<RotatedKey> {
        REKEY_TRY(rpc::read_again(transaction, caller, rotation.now));
        return once<KeysRotate>(transaction, {parts.master_key, parts.random}, call,
                                [&] { return rotate_key_in(transaction, caller, rotation); });
    };
    co_return co_await rpc::write_to<RotatedKey>(parts.store, std::move(unit));
}

}  // namespace rekey::server::methods
