#pragma once

#include "base/encoding.hpp"
#include "storage/audit_tables.hpp"
#include "storage/provider_keys.hpp"
#include "storage/rows.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace rekey::storage {

struct Capability {
    std::string granted_by;
    Time granted_at{};
};

[[nodiscard]] std::map<std::string, CapabilityRow, std::less<>> own_capabilities();

// What the in-memory engine would have on disk: it outlives the MemoryStore that works on it, as a
// file outlives a process. A copy is a backup; assigning one is a restore. Keys are the tables'
// primary keys.
struct MemoryDatabase {
    using Id = std::string;
    template <class Key, class Row>
    using Table = std::map<Key, Row, std::less<>>;

    Table<Id, AgentRow> agents;
    Table<std::string, Id> agents_by_name;
    Table<std::pair<Id, Bytes32>, Tombstone> tombstones;
    Table<Id, EnrollmentCodeRow> enrollment_codes;
    Table<Id, ApiKeyRow> api_keys;
    Table<std::pair<Id, Bytes32>, IdempotentAnswerRow> idempotent_answers;  // by caller
    Table<std::pair<Id, std::string>, Capability> capabilities;
    // Rekey's own stand in it from the first.
    Table<std::string, CapabilityRow> capability_registry = own_capabilities();  // by name
    Table<Id, RotationRow> rotations;
    Table<std::tuple<Id, Time, Id>, bool> recovery_charges;  // a set; (agent, charged, rotation)
    Table<Id, std::uint64_t> recovery_grants;
    Table<std::tuple<Id, ReportKind, std::string>, ReportRow> reports;
    Table<std::string, boost::json::value> settings;
    Table<std::string, Bytes> meta;
    Table<Id, ProviderKeyRow> provider_keys;
    std::vector<AuditRow> audit;  // without gaps; what retention took away is not there
    ChainHead audit_head;
    Table<std::uint64_t, AuditCheckpointRow> audit_checkpoints;  // by their place
};

}  // namespace rekey::storage
