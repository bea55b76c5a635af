#include "base/limits.hpp"
#include "storage/memory/memory_tables.hpp"
#include "storage/own_capabilities.hpp"

#include <algorithm>
#include <utility>

namespace rekey::storage {

std::map<std::string, CapabilityRow, std::less<>> own_capabilities() {
    std::map<std::string, CapabilityRow, std::less<>> rows;
    for (const OwnCapability& own : kOwnCapabilities) {
        CapabilityRow row;
        row.capability_id = std::string(own.capability_id);
        row.name = std::string(own.name);
        row.description = std::string(own.description);
        rows.emplace(row.name, std::move(row));
    }
    return rows;
}

}  // namespace rekey::storage

namespace rekey::storage::memory {
namespace {

GrantRow grant_row(const auto& entry) {
    return {entry.first.first, entry.first.second, entry.second.granted_by,
            entry.second.granted_at};
}

auto first_of(auto& capabilities, std::string_view agent_id) {
    return capabilities.lower_bound(std::pair(std::string(agent_id), std::string()));
}

}  // namespace

Result<std::vector<std::string>> MemoryCapabilities::list(std::string_view agent_id) {
    std::vector<std::string> names;
    for (auto at = first_of(data.capabilities, agent_id);
         at != data.capabilities.end() && at->first.first == agent_id; ++at)
        names.push_back(at->first.second);
    return names;
}

Result<> MemoryCapabilities::grant(std::string_view agent_id, std::string_view capability,
                                   std::string_view granted_by, Time now) {
    REKEY_TRY(journal.require_write());
    REKEY_TRY(require_agent(agent_id));
    const auto key = std::pair(std::string(agent_id), std::string(capability));
    if (data.capabilities.contains(key)) return {};
    journal.remember(data.capabilities, key);
    data.capabilities.emplace(key, Capability{std::string(granted_by), now});
    return {};
}

Result<GrantRow> MemoryCapabilities::find(std::string_view agent_id, std::string_view capability) {
    const auto found =
        data.capabilities.find(std::pair(std::string(agent_id), std::string(capability)));
    if (found == data.capabilities.end()) return Error(Code::not_found, "no such grant");
    return grant_row(*found);
}

Result<> MemoryCapabilities::revoke(std::string_view agent_id, std::string_view capability) {
    REKEY_TRY(journal.require_write());
    const auto key = std::pair(std::string(agent_id), std::string(capability));
    if (!data.capabilities.contains(key)) return Error(Code::not_found, "no such grant");
    journal.remember(data.capabilities, key);
    data.capabilities.erase(key);
    return {};
}

Result<std::vector<GrantRow>> MemoryCapabilities::grants(std::string_view agent_id) {
    std::vector<GrantRow> rows;
    for (auto at = first_of(data.capabilities, agent_id);
         at != data.capabilities.end() && at->first.first == agent_id; ++at)
        rows.push_back(grant_row(*at));
    return rows;
}

Result<std::vector<std::string>> MemoryCapabilities::holders(std::string_view capability,
                                                             std::string_view after,
                                                             std::size_t limit) {
    std::vector<std::string> ids;
    const std::size_t most = std::min(limit, limits::kPageRows);
    for (auto at = first_of(data.capabilities, after);
         at != data.capabilities.end() && ids.size() < most; ++at)
        if (at->first.first != after && at->first.second == capability)
            ids.push_back(at->first.first);
    return ids;
}

Result<CapabilityRow> MemoryCapabilityRegistry::find(std::string_view capability_id) {
    for (const auto& [name, row] : data.capability_registry)
        if (row.capability_id == capability_id) return row;
    return Error(Code::not_found, "no such capability");
}

Result<CapabilityRow> MemoryCapabilityRegistry::find_by_name(std::string_view name) {
    const auto found = data.capability_registry.find(name);
    if (found == data.capability_registry.end())
        return Error(Code::not_found, "no such capability");
    return found->second;
}

Result<std::vector<CapabilityRow>> MemoryCapabilityRegistry::list(std::string_view after,
                                                                  std::size_t limit) {
    std::vector<CapabilityRow> rows;
    const std::size_t most = std::min(limit, limits::kPageRows);
    for (auto at = data.capability_registry.upper_bound(after);
         at != data.capability_registry.end() && rows.size() < most; ++at)
        rows.push_back(at->second);
    return rows;
}

Result<bool> MemoryCapabilityRegistry::any_under(std::string_view prefix) {
    const auto at = data.capability_registry.lower_bound(prefix);
    return at != data.capability_registry.end() && at->first.starts_with(prefix);
}

Result<> MemoryCapabilityRegistry::insert(const CapabilityRow& row) {
    REKEY_TRY(journal.require_write());
    const auto has_id = [&](const auto& entry) {
        return entry.second.capability_id == row.capability_id;
    };
    if (data.capability_registry.contains(row.name) ||
        std::any_of(data.capability_registry.begin(), data.capability_registry.end(), has_id))
        return Error(Code::already_exists, "taken already: capability_registry.name");
    journal.remember(data.capability_registry, row.name);
    data.capability_registry.emplace(row.name, row);
    return {};
}

}  // namespace rekey::storage::memory
