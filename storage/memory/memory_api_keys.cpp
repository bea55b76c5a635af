#include "base/limits.hpp"
#include "storage/memory/memory_tables.hpp"

#include <algorithm>
#include <utility>

// API keys, and the answers that held one.
namespace rekey::storage::memory {
namespace {

Error unknown_key() { return Error(Code::not_found, "no such API key"); }
Error raced() { return Error(Code::conflict, "the API key was rotated by somebody else"); }

}  // namespace

Result<ApiKeyRow> MemoryApiKeys::find(std::string_view key_id) {
    const auto found = data.api_keys.find(key_id);
    if (found == data.api_keys.end()) return unknown_key();
    return found->second;
}

Result<std::vector<ApiKeyRow>> MemoryApiKeys::list(std::string_view agent_id) {
    std::vector<ApiKeyRow> rows;
    for (const auto& [key_id, row] : data.api_keys)
        if (row.agent_id == agent_id) rows.push_back(row);
    return rows;
}

Result<> MemoryApiKeys::insert(const ApiKeyRow& row) {
    REKEY_TRY(journal.require_write());
    if (data.api_keys.contains(row.key_id)) {
        return Error(Code::already_exists, "taken already: api_keys.key_id");
    }
    REKEY_TRY(require_agent(row.agent_id));
    journal.remember(data.api_keys, row.key_id);
    data.api_keys.emplace(row.key_id, row);
    return {};
}

Result<> MemoryApiKeys::succeed(const ApiKeyRow& successor, std::string_view replaced,
                                Time valid_until) {
    REKEY_TRY(journal.require_write());
    const auto old = data.api_keys.find(successor.predecessor_key_id);
    if (old == data.api_keys.end() || old->second.successor_key_id != replaced) return raced();
    REKEY_TRY(insert(successor));
    journal.remember(data.api_keys, old->first);
    old->second.successor_key_id = successor.key_id;
    old->second.valid_until = valid_until;
    return {};
}

Result<bool> MemoryApiKeys::mark_first_used(std::string_view key_id, Time now) {
    REKEY_TRY(journal.require_write());
    const auto found = data.api_keys.find(key_id);
    if (found == data.api_keys.end() || found->second.first_used_at) return false;
    journal.remember(data.api_keys, found->first);
    found->second.first_used_at = now;
    found->second.last_used_at = now;
    return true;
}

Result<> MemoryApiKeys::touch_last_used(const std::vector<std::pair<std::string, Time>>& used) {
    REKEY_TRY(journal.require_write());
    for (const auto& [key_id, time] : used) {
        const auto found = data.api_keys.find(key_id);
        if (found == data.api_keys.end()) continue;
        if (found->second.last_used_at && *found->second.last_used_at >= time) continue;
        journal.remember(data.api_keys, found->first);
        found->second.last_used_at = time;
    }
    return {};
}

Result<> MemoryApiKeys::revoke(std::string_view key_id, Time now) {
    REKEY_TRY(journal.require_write());
    const auto found = data.api_keys.find(key_id);
    if (found == data.api_keys.end()) return unknown_key();
    if (found->second.revoked_at) return {};
    journal.remember(data.api_keys, found->first);
    found->second.revoked_at = now;
    return {};
}

Result<std::uint64_t> MemoryApiKeys::revoke_all(std::string_view agent_id, Time now) {
    REKEY_TRY(journal.require_write());
    std::uint64_t revoked = 0;
    for (auto& [key_id, row] : data.api_keys) {
        if (row.agent_id != agent_id || row.revoked_at) continue;
        journal.remember(data.api_keys, key_id);
        row.revoked_at = now;
        ++revoked;
    }
    return revoked;
}

Result<std::uint64_t> MemoryApiKeys::trim_dead(std::string_view agent_id, Time now,
                                               std::size_t keep) {
    REKEY_TRY(journal.require_write());
    std::vector<std::string> dead;
    for (const auto& [key_id, row] : data.api_keys)
        if (row.agent_id == agent_id && !row.works(now)) dead.push_back(key_id);
    const std::size_t removed = dead.size() - std::min(dead.size(), keep);
    for (std::size_t i = 0; i < removed; ++i) {
        journal.remember(data.api_keys, dead[i]);
        data.api_keys.erase(dead[i]);
    }
    return removed;
}

Result<IdempotentAnswerRow> MemoryIdempotentAnswers::find(std::string_view caller_id,
                                                          const Bytes32& key_hash) {
    const auto found = data.idempotent_answers.find(std::pair(std::string(caller_id), key_hash));
    if (found == data.idempotent_answers.end()) {
        return Error(Code::not_found, "no such idempotent answer");
    }
    return found->second;
}

Result<std::uint64_t> MemoryIdempotentAnswers::count(std::string_view caller_id) {
    std::uint64_t rows = 0;
    for (const auto& [key, row] : data.idempotent_answers) rows += key.first == caller_id ? 1 : 0;
    return rows;
}

Result<std::vector<IdempotentAnswerRow>> MemoryIdempotentAnswers::all() {
    std::vector<IdempotentAnswerRow> rows;
    for (const auto& [key, row] : data.idempotent_answers) rows.push_back(row);
    return rows;
}

Result<> MemoryIdempotentAnswers::put(const IdempotentAnswerRow& row) {
    REKEY_TRY(journal.require_write());
    REKEY_TRY(require_agent(row.caller_id));
    const auto key = std::pair(row.caller_id, row.idempotency_key_hash);
    journal.remember(data.idempotent_answers, key);
    data.idempotent_answers.insert_or_assign(key, row);
    return {};
}

template <class Condition>
Result<std::uint64_t> MemoryIdempotentAnswers::remove_where(Condition condition) {
    REKEY_TRY(journal.require_write());
    std::uint64_t removed = 0;
    for (auto at = data.idempotent_answers.begin();
         at != data.idempotent_answers.end() && removed < limits::kSweepRows;) {
        if (!condition(at->second)) {
            ++at;
            continue;
        }
        journal.remember(data.idempotent_answers, at->first);
        at = data.idempotent_answers.erase(at);
        ++removed;
    }
    return removed;
}

Result<std::uint64_t> MemoryIdempotentAnswers::remove_of_key(std::string_view key_id) {
    return remove_where([&](const IdempotentAnswerRow& row) { return row.key_id == key_id; });
}

Result<std::uint64_t> MemoryIdempotentAnswers::remove_expired(Time now) {
    return remove_where([&](const IdempotentAnswerRow& row) { return row.expires_at <= now; });
}

}  // namespace rekey::storage::memory
