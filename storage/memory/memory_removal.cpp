#include "storage/memory/memory_tables.hpp"

#include <functional>
#include <vector>

// What ON DELETE CASCADE does in the other engine.
namespace rekey::storage::memory {
namespace {

template <class Table, class Belongs>
void erase_those(Journal& journal, Table& table, Belongs belongs) {
    for (auto at = table.begin(); at != table.end();) {
        if (!belongs(*at)) {
            ++at;
            continue;
        }
        journal.remember(table, at->first);
        at = table.erase(at);
    }
}

}  // namespace

Result<> MemoryAgents::remove(std::string_view agent_id) {
    REKEY_TRY(journal.require_write());
    const auto found = data.agents.find(agent_id);
    if (found == data.agents.end()) return Error(Code::not_found, "no such agent");
    const auto in_key = [&](const auto& entry) { return std::get<0>(entry.first) == agent_id; };
    const auto in_row = [&](const auto& entry) { return entry.second.agent_id == agent_id; };
    erase_those(journal, data.tombstones, in_key);
    erase_those(journal, data.enrollment_codes, in_row);
    erase_those(journal, data.api_keys, in_row);
    erase_those(journal, data.idempotent_answers, in_key);
    erase_those(journal, data.capabilities, in_key);
    erase_those(journal, data.recovery_charges, in_key);
    erase_those(journal, data.reports, in_key);
    const std::string id(agent_id);
    journal.remember(data.recovery_grants, id);
    data.recovery_grants.erase(id);
    journal.remember(data.agents_by_name, found->second.name);
    data.agents_by_name.erase(found->second.name);
    journal.remember(data.agents, id);
    data.agents.erase(found);
    return {};
}

}  // namespace rekey::storage::memory
