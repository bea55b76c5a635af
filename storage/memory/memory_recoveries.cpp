#include "base/limits.hpp"
#include "storage/memory/memory_tables.hpp"

#include <algorithm>
#include <tuple>

namespace rekey::storage::memory {

Result<std::vector<Time>> MemoryRecoveries::charged_since(std::string_view agent_id, Time since,
                                                          std::size_t limit) {
    std::vector<Time> times;
    for (const auto& [key, unused] : data.recovery_charges)
        if (std::get<0>(key) == agent_id && std::get<1>(key) > since)
            times.push_back(std::get<1>(key));
    std::reverse(times.begin(), times.end());
    times.resize(std::min(times.size(), limit));
    return times;
}

Result<> MemoryRecoveries::charge(std::string_view agent_id, Time now,
                                  std::string_view rotation_id) {
    REKEY_TRY(journal.require_write());
    REKEY_TRY(require_agent(agent_id));
    std::vector<std::tuple<std::string, Time, std::string>> old;
    for (const auto& [key, unused] : data.recovery_charges)
        if (std::get<0>(key) == agent_id && std::get<1>(key) <= now - limits::kRecoveryWindow)
            old.push_back(key);
    for (const auto& key : old) {
        journal.remember(data.recovery_charges, key);
        data.recovery_charges.erase(key);
    }
    const auto key = std::tuple(std::string(agent_id), now, std::string(rotation_id));
    journal.remember(data.recovery_charges, key);
    data.recovery_charges.insert_or_assign(key, true);
    return {};
}

Result<std::uint64_t> MemoryRecoveries::grants(std::string_view agent_id) {
    const auto found = data.recovery_grants.find(agent_id);
    return found == data.recovery_grants.end() ? 0 : found->second;
}

Result<> MemoryRecoveries::grant(std::string_view agent_id) {
    REKEY_TRY(journal.require_write());
    REKEY_TRY(require_agent(agent_id));
    const std::string key(agent_id);
    journal.remember(data.recovery_grants, key);
    std::uint64_t& units = data.recovery_grants[key];
    if (units >= limits::kRecoveryGrants)
        return Error(Code::wrong_state, "the agent has as many granted recoveries as it can have");
    ++units;
    return {};
}

Result<> MemoryRecoveries::spend_grant(std::string_view agent_id) {
    REKEY_TRY(journal.require_write());
    const auto found = data.recovery_grants.find(agent_id);
    if (found == data.recovery_grants.end() || found->second == 0)
        return Error(Code::conflict, "no granted recovery is left");
    journal.remember(data.recovery_grants, found->first);
    --found->second;
    return {};
}

}  // namespace rekey::storage::memory
