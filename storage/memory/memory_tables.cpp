#include "storage/memory/memory_tables.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <tuple>

namespace rekey::storage::memory {
namespace {

template <class Table, class Key>
auto find_in(const Table& table, const Key& key, std::string_view noun)
    -> Result<typename Table::mapped_type> {
    const auto found = table.find(key);
    if (found == table.end()) return Error(Code::not_found, "no such " + std::string(noun));
    return found->second;
}

Error taken(std::string_view column) {
    return Error(Code::already_exists, "taken already: " + std::string(column));
}

bool fits(const MemoryDatabase& data, const AgentRow& row, const AgentFilter& filter) {
    if (!filter.owner.empty() && row.owner != filter.owner) return false;
    const bool enrolled = row.enrolled_at.has_value() || row.identity_public_key.has_value();
    if (filter.enrolled && enrolled != *filter.enrolled) return false;
    for (const auto& [name, value] : filter.labels) {
        const auto label = row.labels.find(name);
        if (label == row.labels.end() || label->second != value) return false;
    }
    if (filter.granted_any_of.empty()) return true;
    const auto granted = [&](const std::string& capability) {
        return data.capabilities.contains(std::pair(row.agent_id, capability));
    };
    return std::any_of(filter.granted_any_of.begin(), filter.granted_any_of.end(), granted);
}

}  // namespace

Result<> Journal::require_write() const {
    if (access_ == Access::write) return {};
    return Error(Code::internal, "a unit wrote to the database in a read transaction");
}

void Journal::roll_back() {
    for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) (*step)();
    undo_.clear();
    events.clear();
}

Result<> TableBase::require_agent(std::string_view agent_id) const {
    if (data.agents.contains(agent_id)) return {};
    return Error(Code::not_found, "no such agent");
}

Result<AgentRow> MemoryAgents::find(std::string_view agent_id) {
    return find_in(data.agents, agent_id, "agent");
}

Result<AgentStanding> MemoryAgents::standing(std::string_view agent_id) {
    const auto found = data.agents.find(agent_id);
    if (found == data.agents.end()) return Error(Code::not_found, "no such agent");
    return AgentStanding{found->second.credentials.status, found->second.credentials.epoch};
}

Result<AgentRow> MemoryAgents::find_by_name(std::string_view name) {
    REKEY_TRY_ASSIGN(agent_id, find_in(data.agents_by_name, name, "agent"));
    return find(agent_id);
}

Result<std::vector<AgentRow>> MemoryAgents::list(const AgentFilter& filter, std::string_view after,
                                                 std::size_t limit) {
    std::vector<AgentRow> rows;
    const std::size_t most = std::min(limit, limits::kPageRows);
    for (auto at = data.agents.upper_bound(after); at != data.agents.end() && rows.size() < most;
         ++at) {
        const AgentRow& row = at->second;
        if (filter.status && row.credentials.status != *filter.status) continue;
        if (!filter.type.empty() && row.type != filter.type) continue;
        if (!row.name.starts_with(filter.name_prefix)) continue;
        if (!fits(data, row, filter)) continue;
        rows.push_back(row);
    }
    return rows;
}

Result<std::vector<std::string>> MemoryAgents::due_for_retirement(Time now, std::size_t limit) {
    std::vector<std::pair<Time, std::string>> due;
    for (const auto& [agent_id, row] : data.agents) {
        const auto& previous = row.credentials.previous;
        if (previous && previous->retire_after && *previous->retire_after <= now)
            due.emplace_back(*previous->retire_after, agent_id);
    }
    std::sort(due.begin(), due.end());
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < std::min(limit, due.size()); ++i) ids.push_back(due[i].second);
    return ids;
}

Result<AgentTotals> MemoryAgents::totals() {
    const auto admins = std::ranges::count_if(
        data.agents, [](const auto& entry) { return entry.second.type == kAdminType; });
    return AgentTotals{data.agents.size(), static_cast<std::uint64_t>(admins)};
}

Result<bool> MemoryAgents::any_sealed() {
    return std::any_of(data.agents.begin(), data.agents.end(),
                       [](const auto& entry) { return entry.second.credentials.pending; });
}

Result<> MemoryAgents::insert(const AgentRow& row) {
    REKEY_TRY(journal.require_write());
    if (data.agents.contains(row.agent_id)) return taken("agents.agent_id");
    if (data.agents_by_name.contains(row.name)) return taken("agents.name");
    journal.remember(data.agents, row.agent_id);
    journal.remember(data.agents_by_name, row.name);
    data.agents.emplace(row.agent_id, row);
    data.agents_by_name.emplace(row.name, row.agent_id);
    return {};
}

Result<> MemoryAgents::update(AgentRow& row) {
    REKEY_TRY(journal.require_write());
    const auto found = data.agents.find(row.agent_id);
    if (found == data.agents.end()) return Error(Code::not_found, "no such agent");
    if (found->second.row_version != row.row_version)
        return Error(Code::conflict, "the agent was changed by somebody else");
    const std::string old_name = found->second.name;
    if (old_name != row.name) {
        if (data.agents_by_name.contains(row.name)) return taken("agents.name");
        journal.remember(data.agents_by_name, old_name);
        journal.remember(data.agents_by_name, row.name);
        data.agents_by_name.erase(old_name);
        data.agents_by_name.emplace(row.name, row.agent_id);
    }
    journal.remember(data.agents, row.agent_id);
    ++row.row_version;
    found->second = row;
    return {};
}

Result<> MemoryAgents::touch_last_seen(const std::vector<std::pair<std::string, Time>>& seen) {
    REKEY_TRY(journal.require_write());
    for (const auto& [agent_id, time] : seen) {
        const auto found = data.agents.find(agent_id);
        if (found == data.agents.end()) continue;
        std::optional<Time>& last = found->second.last_seen_at;
        if (last && *last >= time) continue;
        journal.remember(data.agents, agent_id);
        last = time;
    }
    return {};
}

Result<bool> MemoryTombstones::contains(std::string_view agent_id, const Bytes32& hash) {
    return data.tombstones.contains(std::pair(std::string(agent_id), hash));
}

Result<Tombstone> MemoryTombstones::find(std::string_view agent_id, const Bytes32& hash) {
    return find_in(data.tombstones, std::pair(std::string(agent_id), hash), "tombstone");
}

Result<> MemoryTombstones::insert(const Tombstone& tombstone) {
    REKEY_TRY(journal.require_write());
    REKEY_TRY(require_agent(tombstone.agent_id));
    const auto key = std::pair(tombstone.agent_id, tombstone.hash);
    if (data.tombstones.contains(key)) return {};
    journal.remember(data.tombstones, key);
    data.tombstones.emplace(key, tombstone);

    std::vector<const Tombstone*> kept;
    for (auto at = data.tombstones.lower_bound(std::pair(tombstone.agent_id, Bytes32{}));
         at != data.tombstones.end() && at->first.first == tombstone.agent_id; ++at)
        kept.push_back(&at->second);
    if (kept.size() <= limits::kTombstonesAnAgent) return {};
    const auto oldest =
        *std::min_element(kept.begin(), kept.end(), [](const Tombstone* a, const Tombstone* b) {
            return std::tie(a->retired_at, a->generation) < std::tie(b->retired_at, b->generation);
        });
    const auto oldest_key = std::pair(oldest->agent_id, oldest->hash);
    journal.remember(data.tombstones, oldest_key);
    data.tombstones.erase(oldest_key);
    return {};
}

Result<std::uint64_t> MemoryTombstones::remove_older_than(Time time) {
    REKEY_TRY(journal.require_write());
    std::uint64_t removed = 0;
    for (auto at = data.tombstones.begin();
         at != data.tombstones.end() && removed < limits::kSweepRows;) {
        if (at->second.retired_at < time) {
            journal.remember(data.tombstones, at->first);
            at = data.tombstones.erase(at);
            ++removed;
        } else {
            ++at;
        }
    }
    return removed;
}

Result<EnrollmentCodeRow> MemoryEnrollmentCodes::find(std::string_view code_id) {
    return find_in(data.enrollment_codes, code_id, "enrollment code");
}

Result<> MemoryEnrollmentCodes::insert(const EnrollmentCodeRow& row) {
    REKEY_TRY(journal.require_write());
    if (data.enrollment_codes.contains(row.code_id)) return taken("enrollment_codes.code_id");
    REKEY_TRY(require_agent(row.agent_id));
    journal.remember(data.enrollment_codes, row.code_id);
    data.enrollment_codes.emplace(row.code_id, row);
    return {};
}

Result<> MemoryEnrollmentCodes::bind(std::string_view code_id, const Bytes32& public_key,
                                     Time used_at, std::string_view rotation_id) {
    REKEY_TRY(journal.require_write());
    const auto found = data.enrollment_codes.find(code_id);
    if (found == data.enrollment_codes.end())
        return Error(Code::not_found, "no such enrollment code");
    EnrollmentCodeRow& row = found->second;
    if (row.bound_public_key)
        return Error(Code::conflict, "the enrollment code is bound to a key already");
    journal.remember(data.enrollment_codes, found->first);
    row.bound_public_key = public_key;
    row.used_at = used_at;
    row.rotation_id = rotation_id;
    return {};
}

Result<> MemoryEnrollmentCodes::expire_unused(std::string_view agent_id, Time now) {
    REKEY_TRY(journal.require_write());
    for (auto& [code_id, row] : data.enrollment_codes) {
        if (row.agent_id != agent_id || row.used_at || row.expires_at <= now) continue;
        journal.remember(data.enrollment_codes, code_id);
        row.expires_at = now;
    }
    return {};
}

Result<RotationRow> MemoryRotations::find(std::string_view rotation_id) {
    return find_in(data.rotations, rotation_id, "rotation");
}

Result<std::vector<RotationRow>> MemoryRotations::list(const RotationFilter& filter,
                                                       std::string_view after, std::size_t limit) {
    std::vector<RotationRow> rows;
    const std::size_t most = std::min(limit, limits::kPageRows);
    auto at = after.empty() ? data.rotations.end() : data.rotations.lower_bound(after);
    while (at != data.rotations.begin() && rows.size() < most) {
        --at;
        if (filter.agent_id.empty() || at->second.agent_id == filter.agent_id)
            rows.push_back(at->second);
    }
    return rows;
}

Result<> MemoryRotations::insert(const RotationRow& row) {
    REKEY_TRY(journal.require_write());
    if (data.rotations.contains(row.rotation_id)) return taken("rotations.rotation_id");
    REKEY_TRY(require_agent(row.agent_id));
    journal.remember(data.rotations, row.rotation_id);
    data.rotations.emplace(row.rotation_id, row).first->second.offers = {};
    return {};
}

Result<> MemoryRotations::mark(std::string_view rotation_id,
                               std::optional<Time> RotationRow::* instant, Time time,
                               const OfferHistory* offers) {
    REKEY_TRY(journal.require_write());
    const auto found = data.rotations.find(rotation_id);
    if (found == data.rotations.end() || found->second.*instant) return {};
    journal.remember(data.rotations, found->first);
    found->second.*instant = time;
    if (offers != nullptr) found->second.offers = *offers;
    return {};
}

Result<> MemoryRotations::mark_committed(std::string_view rotation_id, Time time,
                                         const OfferHistory& offers) {
    return mark(rotation_id, &RotationRow::committed_at, time, &offers);
}
Result<> MemoryRotations::mark_activated(std::string_view rotation_id, Time time) {
    return mark(rotation_id, &RotationRow::activated_at, time, nullptr);
}
Result<> MemoryRotations::mark_ended(std::string_view rotation_id, Time time,
                                     const OfferHistory& offers) {
    return mark(rotation_id, &RotationRow::ended_at, time, &offers);
}

Result<boost::json::object> MemorySettings::all() {
    boost::json::object settings;
    for (const auto& [name, value] : data.settings) settings.emplace(name, value);
    return settings;
}

Result<> MemorySettings::set(std::string_view name, const boost::json::value& value) {
    REKEY_TRY(journal.require_write());
    journal.remember(data.settings, std::string(name));
    data.settings.insert_or_assign(std::string(name), value);
    return {};
}

Result<std::optional<Bytes>> MemoryMeta::get(std::string_view name) {
    const auto found = data.meta.find(name);
    if (found == data.meta.end()) return std::optional<Bytes>();
    return std::optional<Bytes>(found->second);
}

Result<> MemoryMeta::set(std::string_view name, ByteView value) {
    REKEY_TRY(journal.require_write());
    journal.remember(data.meta, std::string(name));
    data.meta.insert_or_assign(std::string(name), Bytes(value.begin(), value.end()));
    return {};
}

}  // namespace rekey::storage::memory
