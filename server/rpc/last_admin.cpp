#include "server/rpc/last_admin.hpp"

#include "base/limits.hpp"
#include "server/rpc/capabilities.hpp"

#include <algorithm>
#include <string>

namespace rekey::server::rpc {
namespace {

// A key counts for somebody else only if it lasts: one that was rotated has a successor that counts
// itself, and one that ends soon may be gone before anybody makes another.
constexpr std::chrono::days kLasting{1};

bool administers(const storage::ApiKeyRow& key, Time now, Keys which) {
    const Time needed = which == Keys::that_last ? now + kLasting : now;
    const auto over = [needed](const std::optional<Time>& end) { return end && needed >= *end; };
    if (key.revoked_at || over(key.expires_at) || over(key.valid_until)) return false;
    return !key.capabilities || covers(*key.capabilities, kEverything);
}

Result<bool> others_administer_in(storage::Transaction& transaction, std::string_view agent_id,
                                  Time now) {
    std::string after;
    for (;;) {
        REKEY_TRY_ASSIGN(holders,
                         transaction.capabilities().holders(kEverything, after, limits::kPageRows));
        for (const std::string& holder : holders) {
            if (holder == agent_id) continue;
            REKEY_TRY_ASSIGN(administers,
                             administers_in(transaction, holder, now, Keys::that_last));
            if (administers) return true;
        }
        if (holders.size() < limits::kPageRows) return false;
        after = holders.back();
    }
}

}  // namespace

Result<bool> administers_in(storage::Transaction& transaction, std::string_view agent_id, Time now,
                            Keys which, std::string_view without_key) {
    // First, because most do not hold it, and this look-up is by primary key.
    const auto grant = transaction.capabilities().find(agent_id, kEverything);
    if (grant.has_error()) {
        if (grant.error().code() == Code::not_found) return false;
        return grant.error();
    }
    REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
    if (row.credentials.status != storage::AgentStatus::active) return false;
    REKEY_TRY_ASSIGN(keys, transaction.api_keys().list(agent_id));
    return std::any_of(keys.begin(), keys.end(), [&](const storage::ApiKeyRow& key) {
        return key.key_id != without_key && administers(key, now, which);
    });
}

Result<bool> is_last_admin_in(storage::Transaction& transaction, std::string_view agent_id,
                              Time now) {
    REKEY_TRY_ASSIGN(administers, administers_in(transaction, agent_id, now, Keys::that_work));
    if (!administers) return false;
    REKEY_TRY_ASSIGN(others, others_administer_in(transaction, agent_id, now));
    return !others;
}

Result<bool> is_last_admin_key_in(storage::Transaction& transaction, std::string_view agent_id,
                                  std::string_view key_id, Time now) {
    REKEY_TRY_ASSIGN(key, transaction.api_keys().find(key_id));
    if (!administers(key, now, Keys::that_work)) return false;
    REKEY_TRY_ASSIGN(still, administers_in(transaction, agent_id, now, Keys::that_last, key_id));
    if (still) return false;
    return is_last_admin_in(transaction, agent_id, now);
}

Result<> require_other_admin_in(storage::Transaction& transaction, std::string_view agent_id,
                                std::string_view what, Time now) {
    REKEY_TRY_ASSIGN(last, is_last_admin_in(transaction, agent_id, now));
    if (!last) return {};
    return Error(Code::wrong_state, std::string(what) +
                                        " would leave nobody who administers this server: grant "
                                        "admin:* to another identity with an API key first");
}

}  // namespace rekey::server::rpc
