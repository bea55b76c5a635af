#include "protocol/methods/own_key.hpp"

#include "server/methods/key_rotation.hpp"
#include "server/methods/parts.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

// self.key_status and self.rotate_key.
namespace rekey::server::methods {
namespace {

using protocol::SelfKeyStatus;
using protocol::SelfRotateKey;
using rpc::Task;
using storage::ApiKeyRow;

// AIM's clients rotate when their key has so much life left.
constexpr std::chrono::days kRotateBefore{5};

const ApiKeyRow* find_in(const std::vector<ApiKeyRow>& keys, const std::string& key_id) {
    const auto found = std::ranges::find(keys, key_id, &ApiKeyRow::key_id);
    return found == keys.end() ? nullptr : &*found;
}

std::uint64_t rotations_before(const std::vector<ApiKeyRow>& keys, const ApiKeyRow& key) {
    std::uint64_t count = 0;
    const ApiKeyRow* at = &key;
    // No longer than there are keys, whatever the rows say.
    while (!at->predecessor_key_id.empty() && count < keys.size()) {
        ++count;
        at = find_in(keys, at->predecessor_key_id);
        if (at == nullptr) break;
    }
    return count;
}

std::optional<Time> end_of(const ApiKeyRow& key) {
    if (key.expires_at && key.valid_until) return std::min(*key.expires_at, *key.valid_until);
    return key.expires_at ? key.expires_at : key.valid_until;
}

SelfKeyStatus::Result status_of(const std::vector<ApiKeyRow>& keys, const ApiKeyRow& key,
                                Time now) {
    const ApiKeyRow* successor = find_in(keys, key.successor_key_id);
    const ApiKeyRow* predecessor = find_in(keys, key.predecessor_key_id);
    // Whoever holds this key although it was rotated lost the answer, unless the new one is in use:
    // then somebody has it, and this key cannot be rotated again.
    const bool replaced = successor != nullptr && successor->first_used_at.has_value();
    const std::optional<Time> end = end_of(key);
    SelfKeyStatus::Result status;
    status.key_id = key.key_id;
    status.created_at = status.issued_at = key.created_at;
    status.expires_at = end;
    if (end)
        status.days_until_expiration = std::chrono::floor<std::chrono::days>(*end - now).count();
    status.should_rotate =
        !replaced && (key.valid_until.has_value() || (end && *end - now <= kRotateBefore));
    if (key.valid_until) {
        status.in_grace_period = true;
        status.previous_valid_until = end;
    } else if (predecessor != nullptr && predecessor->works(now)) {
        status.in_grace_period = true;
        status.previous_valid_until = end_of(*predecessor);
    }
    status.rotation_count = rotations_before(keys, key);
    return status;
}

Task<Result<SelfKeyStatus::Result>> key_status(const Parts& parts, rpc::Caller caller) {
    const Time now = parts.clock.now();
    auto unit = [caller, now](storage::Transaction& transaction) -> Result<SelfKeyStatus::Result> {
        REKEY_TRY_ASSIGN(keys, transaction.api_keys().list(caller.agent_id));
        const ApiKeyRow* own = find_in(keys, caller.key_id);
        if (own == nullptr)
            return Error(Code::wrong_state, "this call did not come with an API key");
        return status_of(keys, *own, now);
    };
    co_return co_await rpc::read_from<SelfKeyStatus::Result>(parts.store, std::move(unit));
}

}  // namespace

void bind_own_key(rpc::Registry& registry, const Parts& parts) {
    registry.bind<SelfKeyStatus>([&parts](const rpc::Caller& caller, const SelfKeyStatus::Params&) {
        return key_status(parts, caller);
    });
    registry.bind<SelfRotateKey>([&parts](const rpc::Caller& caller, SelfRotateKey::Params params) {
        return rotate_own_key(parts, caller, std::move(params.idempotency_key));
    });
}

}  // namespace rekey::server::methods
