#include "base/limits.hpp"
#include "storage/sqlite/tables.hpp"

#include <algorithm>

namespace rekey::storage::sqlite {

namespace {

Result<GrantRow> read_grant(Columns& columns) {
    GrantRow row;
    row.agent_id = columns.text();
    row.capability = columns.text();
    row.granted_by = columns.text();
    row.granted_at = columns.time();
    return columns.finish(std::move(row));
}

Result<std::string> read_text(Columns& columns) { return columns.text(); }

}  // namespace

SqliteCapabilities::SqliteCapabilities(Connection& connection)
    : list_(connection,
            "SELECT capability FROM capabilities WHERE agent_id = ? "
            "ORDER BY capability"),
      grant_(connection,
             "INSERT INTO capabilities (agent_id, capability, granted_by, granted_at) "
             "VALUES (?,?,?,?) ON CONFLICT (agent_id, capability) DO NOTHING"),
      find_(connection,
            "SELECT agent_id, capability, granted_by, granted_at FROM capabilities "
            "WHERE agent_id = ? AND capability = ?"),
      revoke_(connection, "DELETE FROM capabilities WHERE agent_id = ? AND capability = ?"),
      grants_(connection,
              "SELECT agent_id, capability, granted_by, granted_at FROM capabilities "
              "WHERE agent_id = ? ORDER BY capability"),
      holders_(connection,
               "SELECT agent_id FROM capabilities WHERE agent_id > ? AND capability = ? "
               "ORDER BY agent_id LIMIT ?") {}

Result<std::vector<std::string>> SqliteCapabilities::list(std::string_view agent_id) {
    return list_.start().bind(agent_id).all<std::string>(read_text);
}

Result<> SqliteCapabilities::grant(std::string_view agent_id, std::string_view capability,
                                   std::string_view granted_by, Time now) {
    REKEY_TRY(grant_.start().bind(agent_id).bind(capability).bind(granted_by).bind(now).change());
    return {};
}

Result<GrantRow> SqliteCapabilities::find(std::string_view agent_id, std::string_view capability) {
    return find_.start().bind(agent_id).bind(capability).one("grant", read_grant);
}

Result<> SqliteCapabilities::revoke(std::string_view agent_id, std::string_view capability) {
    REKEY_TRY_ASSIGN(revoked, revoke_.start().bind(agent_id).bind(capability).change());
    if (revoked == 0) return Error(Code::not_found, "no such grant");
    return {};
}

Result<std::vector<GrantRow>> SqliteCapabilities::grants(std::string_view agent_id) {
    return grants_.start().bind(agent_id).all<GrantRow>(read_grant);
}

Result<std::vector<std::string>> SqliteCapabilities::holders(std::string_view capability,
                                                             std::string_view after,
                                                             std::size_t limit) {
    return holders_.start()
        .bind(after)
        .bind(capability)
        .bind(std::uint64_t{std::min(limit, limits::kPageRows)})
        .all<std::string>(read_text);
}

namespace {

#define REKEY_SELECT_CAPABILITY \
    "SELECT capability_id, name, description, created_by, created_at FROM capability_registry "

Result<CapabilityRow> read_capability(Columns& columns) {
    CapabilityRow row;
    row.capability_id = columns.text();
    row.name = columns.text();
    row.description = columns.text();
    row.created_by = columns.text();
    row.created_at = columns.time();
    return columns.finish(std::move(row));
}

}  // namespace

SqliteCapabilityRegistry::SqliteCapabilityRegistry(Connection& connection)
    : find_(connection, REKEY_SELECT_CAPABILITY "WHERE capability_id = ?"),
      find_by_name_(connection, REKEY_SELECT_CAPABILITY "WHERE name = ?"),
      list_(connection, REKEY_SELECT_CAPABILITY "WHERE name > ? ORDER BY name LIMIT ?"),
      // Through the index, and not by LIKE, whose wildcards are characters of names.
      any_(connection,
           "SELECT 1 FROM capability_registry WHERE name >= ?1 "
           "AND substr(name, 1, length(?1)) = ?1 ORDER BY name LIMIT 1"),
      insert_(connection,
              "INSERT INTO capability_registry (capability_id, name, description, created_by, "
              "created_at) VALUES (?,?,?,?,?)") {}

Result<CapabilityRow> SqliteCapabilityRegistry::find(std::string_view capability_id) {
    return find_.start().bind(capability_id).one("capability", read_capability);
}

Result<CapabilityRow> SqliteCapabilityRegistry::find_by_name(std::string_view name) {
    return find_by_name_.start().bind(name).one("capability", read_capability);
}

Result<std::vector<CapabilityRow>> SqliteCapabilityRegistry::list(std::string_view after,
                                                                  std::size_t limit) {
    return list_.start()
        .bind(after)
        .bind(std::uint64_t{std::min(limit, limits::kPageRows)})
        .all<CapabilityRow>(read_capability);
}

Result<bool> SqliteCapabilityRegistry::any_under(std::string_view prefix) {
    return any_.start().bind(prefix).step();
}

Result<> SqliteCapabilityRegistry::insert(const CapabilityRow& row) {
    REKEY_TRY(insert_.start()
                  .bind(row.capability_id)
                  .bind(row.name)
                  .bind(row.description)
                  .bind(row.created_by)
                  .bind(row.created_at)
                  .change());
    return {};
}

}  // namespace rekey::storage::sqlite
