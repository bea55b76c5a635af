#include "base/limits.hpp"
#include "storage/sqlite/tables.hpp"

namespace rekey::storage::sqlite {

SqliteRecoveries::SqliteRecoveries(Connection& connection)
    : since_(connection,
             "SELECT charged_at FROM recovery_charges WHERE agent_id = ? AND charged_at > ? "
             "ORDER BY charged_at DESC LIMIT ?"),
      forget_(connection, "DELETE FROM recovery_charges WHERE agent_id = ? AND charged_at <= ?"),
      charge_(connection,
              "INSERT INTO recovery_charges (agent_id, charged_at, rotation_id) "
              "SELECT agent_id, ?2, ?3 FROM agents WHERE agent_id = ?1"),
      grants_(connection, "SELECT units FROM recovery_grants WHERE agent_id = ?"),
      grant_(connection,
             "INSERT INTO recovery_grants (agent_id, units) "
             "SELECT agent_id, 1 FROM agents WHERE agent_id = ? "
             "ON CONFLICT (agent_id) DO UPDATE SET units = units + 1"),
      spend_(connection,
             "UPDATE recovery_grants SET units = units - 1 WHERE agent_id = ? AND units > 0") {}

Result<std::vector<Time>> SqliteRecoveries::charged_since(std::string_view agent_id, Time since,
                                                          std::size_t limit) {
    return since_.start()
        .bind(agent_id)
        .bind(since)
        .bind(std::uint64_t{limit})
        .all<Time>([](Columns& columns) -> Result<Time> { return columns.time(); });
}

Result<> SqliteRecoveries::charge(std::string_view agent_id, Time now,
                                  std::string_view rotation_id) {
    REKEY_TRY(forget_.start().bind(agent_id).bind(now - limits::kRecoveryWindow).change());
    REKEY_TRY_ASSIGN(charged, charge_.start().bind(agent_id).bind(now).bind(rotation_id).change());
    if (charged == 0) return Error(Code::not_found, "no such agent");
    return {};
}

Result<std::uint64_t> SqliteRecoveries::grants(std::string_view agent_id) {
    Execution execution = grants_.start();
    execution.bind(agent_id);
    REKEY_TRY_ASSIGN(found, execution.step());
    if (!found) return std::uint64_t{0};
    return execution.columns().number();
}

Result<> SqliteRecoveries::grant(std::string_view agent_id) {
    REKEY_TRY_ASSIGN(units, grants(agent_id));
    if (units >= limits::kRecoveryGrants)
        return Error(Code::wrong_state, "the agent has as many granted recoveries as it can have");
    REKEY_TRY_ASSIGN(granted, grant_.start().bind(agent_id).change());
    if (granted == 0) return Error(Code::not_found, "no such agent");
    return {};
}

Result<> SqliteRecoveries::spend_grant(std::string_view agent_id) {
    REKEY_TRY_ASSIGN(spent, spend_.start().bind(agent_id).change());
    if (spent == 0) return Error(Code::conflict, "no granted recovery is left");
    return {};
}

}  // namespace rekey::storage::sqlite
