#include "base/limits.hpp"
#include "storage/names.hpp"
#include "storage/sqlite/json_columns.hpp"
#include "storage/sqlite/tables.hpp"

#include <algorithm>

// The columns of an agent stand in one order everywhere: here in the SQL, in read_agent and in
// bind_agent.
#define REKEY_AGENT_TOKEN_COLUMNS                                                            \
    "status, epoch, next_generation, activated_generation, rotate_at, token_generation, "    \
    "token_rotation_id, token_hash, token_issued_at, token_expires_at, pending_generation, " \
    "pending_rotation_id, pending_token_hash, sealed_pending_token, pending_offered_at, "    \
    "pending_attempts, pending_last_reason, previous_generation, previous_rotation_id, "     \
    "previous_token_hash, previous_expires_at, previous_retire_after, requested_cause, "     \
    "requested_by, requested_at, reuse_floor, reuse, contested"
#define REKEY_AGENT_COLUMNS                                                        \
    "owner, labels, metadata, created_at, updated_at, last_seen_at, enrolled_at, " \
    "identity_public_key, hostname, version, last_address, "                       \
    "rotation_count, " REKEY_AGENT_TOKEN_COLUMNS
#define REKEY_SELECT_AGENT \
    "SELECT agent_id, name, row_version, type, " REKEY_AGENT_COLUMNS " FROM agents "
// 40 columns of REKEY_AGENT_COLUMNS.
#define REKEY_AGENT_PARAMETERS \
    "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"

namespace rekey::storage::sqlite {
namespace {

std::optional<CurrentToken> read_current(Columns& columns) {
    if (columns.null()) {
        columns.skip(5);
        return std::nullopt;
    }
    CurrentToken token;
    token.generation = columns.number();
    token.rotation_id = columns.text();
    token.token_hash = columns.bytes32();
    token.issued_at = columns.time();
    token.expires_at = columns.optional_time();
    return token;
}

std::optional<PendingToken> read_pending(Columns& columns) {
    if (columns.null()) {
        columns.skip(7);
        return std::nullopt;
    }
    PendingToken token;
    token.generation = columns.number();
    token.rotation_id = columns.text();
    token.token_hash = columns.bytes32();
    token.sealed_token = columns.bytes();
    token.offered_at = columns.time();
    token.attempts = static_cast<std::uint32_t>(columns.integer());
    token.last_reason = columns.text();
    return token;
}

std::optional<PreviousToken> read_previous(Columns& columns) {
    if (columns.null()) {
        columns.skip(5);
        return std::nullopt;
    }
    PreviousToken token;
    token.generation = columns.number();
    token.rotation_id = columns.text();
    token.token_hash = columns.bytes32();
    token.expires_at = columns.optional_time();
    token.retire_after = columns.optional_time();
    return token;
}

std::optional<RotationRequest> read_requested(Columns& columns) {
    if (columns.null()) {
        columns.skip(3);
        return std::nullopt;
    }
    RotationRequest request;
    const auto cause = rotation_cause_of(columns.view());
    if (!cause) columns.wrong("requested_cause");
    request.cause = cause.value_or(RotationCause::admin);
    request.actor = columns.text();
    request.requested_at = columns.time();
    return request;
}

Result<AgentRow> read_agent(Columns& columns) {
    AgentRow row;
    row.agent_id = columns.text();
    row.name = columns.text();
    row.row_version = columns.number();
    row.type = columns.text();
    row.owner = columns.text();
    row.labels = read_labels(columns);
    row.metadata = read_object(columns);
    row.created_at = columns.time();
    row.updated_at = columns.time();
    row.last_seen_at = columns.optional_time();
    row.enrolled_at = columns.optional_time();
    row.identity_public_key = columns.optional_bytes32();
    row.hostname = columns.text();
    row.version = columns.text();
    row.last_address = columns.text();
    row.rotation_count = columns.number();
    Credentials& credentials = row.credentials;
    const auto status = agent_status_of(columns.view());
    if (!status) columns.wrong("status");
    credentials.status = status.value_or(AgentStatus::revoked);
    credentials.epoch = columns.number();
    credentials.next_generation = columns.number();
    credentials.activated_generation = columns.number();
    credentials.rotate_at = columns.optional_time();
    credentials.current = read_current(columns);
    credentials.pending = read_pending(columns);
    credentials.previous = read_previous(columns);
    credentials.requested = read_requested(columns);
    credentials.reuse_floor = columns.number();
    credentials.reuse = read_sighting(columns);
    credentials.contested = read_sighting(columns);
    return columns.finish(std::move(row));
}

void bind_nulls(Execution& execution, int count) {
    for (int i = 0; i < count; ++i) execution.bind_null();
}

// What is stored as JSON text; lives until the statement has run.
struct Texts {
    explicit Texts(const AgentRow& row)
        : labels(labels_text(row.labels)),
          metadata(object_text(row.metadata)),
          reuse(sighting_text(row.credentials.reuse)),
          contested(sighting_text(row.credentials.contested)) {}

    std::string labels;
    std::string metadata;
    std::optional<std::string> reuse;
    std::optional<std::string> contested;
};

void bind_credentials(Execution& execution, const Credentials& credentials, const Texts& texts) {
    execution.bind(name_of(credentials.status))
        .bind(credentials.epoch)
        .bind(credentials.next_generation)
        .bind(credentials.activated_generation)
        .bind(credentials.rotate_at);
    if (const auto& token = credentials.current)
        execution.bind(token->generation)
            .bind(token->rotation_id)
            .bind(token->token_hash)
            .bind(token->issued_at)
            .bind(token->expires_at);
    else
        bind_nulls(execution, 5);
    if (const auto& token = credentials.pending)
        execution.bind(token->generation)
            .bind(token->rotation_id)
            .bind(token->token_hash)
            .bind(token->sealed_token)
            .bind(token->offered_at)
            .bind(std::int64_t{token->attempts})
            .bind(token->last_reason);
    else
        bind_nulls(execution, 7);
    if (const auto& token = credentials.previous)
        execution.bind(token->generation)
            .bind(token->rotation_id)
            .bind(token->token_hash)
            .bind(token->expires_at)
            .bind(token->retire_after);
    else
        bind_nulls(execution, 5);
    if (const auto& request = credentials.requested)
        execution.bind(name_of(request->cause)).bind(request->actor).bind(request->requested_at);
    else
        bind_nulls(execution, 3);
    execution.bind(credentials.reuse_floor).bind(texts.reuse).bind(texts.contested);
}

// REKEY_AGENT_COLUMNS; `texts` are the row's own.
void bind_agent(Execution& execution, const AgentRow& row, const Texts& texts) {
    execution.bind(row.owner)
        .bind(texts.labels)
        .bind(texts.metadata)
        .bind(row.created_at)
        .bind(row.updated_at)
        .bind(row.last_seen_at)
        .bind(row.enrolled_at)
        .bind(row.identity_public_key)
        .bind(row.hostname)
        .bind(row.version)
        .bind(row.last_address)
        .bind(row.rotation_count);
    bind_credentials(execution, row.credentials, texts);
}

}  // namespace

SqliteAgents::SqliteAgents(Connection& connection)
    : find_(connection, REKEY_SELECT_AGENT "WHERE agent_id = ?"),
      standing_(connection, "SELECT status, epoch FROM agents WHERE agent_id = ?"),
      find_by_name_(connection, REKEY_SELECT_AGENT "WHERE name = ?"),
      list_(connection, REKEY_SELECT_AGENT
            "WHERE agent_id > ?1 AND (?2 = '' OR status = ?2) AND (?3 = '' OR type = ?3) "
            "AND substr(name, 1, length(?4)) = ?4 AND (?6 = '' OR owner = ?6) "
            "AND (?7 IS NULL OR (enrolled_at IS NOT NULL OR identity_public_key IS NOT NULL) = ?7) "
            "AND (?8 = '{}' OR NOT EXISTS (SELECT 1 FROM json_each(?8) AS want WHERE NOT EXISTS "
            "(SELECT 1 FROM json_each(agents.labels) AS have WHERE have.key = want.key "
            "AND have.value = want.value))) "
            "AND (?9 = '[]' OR EXISTS (SELECT 1 FROM capabilities AS held WHERE "
            "held.agent_id = agents.agent_id "
            "AND held.capability IN (SELECT value FROM json_each(?9)))) "
            "ORDER BY agent_id LIMIT ?5"),
      totals_(connection, "SELECT agents, admins FROM agent_totals"),
      due_(connection,
           "SELECT agent_id FROM agents WHERE previous_retire_after IS NOT NULL "
           "AND previous_retire_after <= ? ORDER BY previous_retire_after, agent_id LIMIT ?"),
      sealed_(connection, "SELECT 1 FROM agents WHERE sealed_pending_token IS NOT NULL LIMIT 1"),
      insert_(connection,
              "INSERT INTO agents (agent_id, name, row_version, type, " REKEY_AGENT_COLUMNS
              ") VALUES (?,?,?,?," REKEY_AGENT_PARAMETERS ")"),
      // Name and type stand in the WHERE, not in the SET: while they stay as they are, the index
      // of names and the totals are left alone.
      update_(connection, "UPDATE agents SET row_version = row_version + 1, (" REKEY_AGENT_COLUMNS
                          ") = (" REKEY_AGENT_PARAMETERS
                          ") WHERE agent_id = ? AND row_version = ? AND name = ? AND type = ?"),
      rename_(connection, "UPDATE agents SET row_version = row_version + 1, (" REKEY_AGENT_COLUMNS
                          ", name, type) = (" REKEY_AGENT_PARAMETERS
                          ", ?, ?) WHERE agent_id = ? AND row_version = ?"),
      remove_(connection, "DELETE FROM agents WHERE agent_id = ?"),
      touch_(connection,
             "UPDATE agents SET last_seen_at = ?1 WHERE agent_id = ?2 "
             "AND (last_seen_at IS NULL OR last_seen_at < ?1)"),
      exists_(connection, "SELECT 1 FROM agents WHERE agent_id = ?") {}

Result<AgentRow> SqliteAgents::find(std::string_view agent_id) {
    return find_.start().bind(agent_id).one("agent", read_agent);
}

Result<AgentStanding> SqliteAgents::standing(std::string_view agent_id) {
    return standing_.start().bind(agent_id).one(
        "agent", [](Columns& columns) -> Result<AgentStanding> {
            AgentStanding standing;
            const auto status = agent_status_of(columns.view());
            if (!status) columns.wrong("status");
            standing.status = status.value_or(AgentStatus::revoked);
            standing.epoch = columns.number();
            return columns.finish(standing);
        });
}

Result<AgentRow> SqliteAgents::find_by_name(std::string_view name) {
    return find_by_name_.start().bind(name).one("agent", read_agent);
}

Result<std::vector<AgentRow>> SqliteAgents::list(const AgentFilter& filter, std::string_view after,
                                                 std::size_t limit) {
    const std::string_view status = filter.status ? name_of(*filter.status) : std::string_view();
    const std::string labels = labels_text(filter.labels);
    const std::string granted = names_text(filter.granted_any_of);
    std::optional<std::int64_t> enrolled;
    if (filter.enrolled) enrolled = *filter.enrolled ? 1 : 0;
    return list_.start()
        .bind(after)
        .bind(status)
        .bind(filter.type)
        .bind(filter.name_prefix)
        .bind(std::uint64_t{std::min(limit, limits::kPageRows)})
        .bind(filter.owner)
        .bind(enrolled)
        .bind(labels)
        .bind(granted)
        .all<AgentRow>(read_agent);
}

Result<AgentTotals> SqliteAgents::totals() {
    return totals_.start().one("totals", [](Columns& row) -> Result<AgentTotals> {
        AgentTotals totals;
        totals.agents = row.number();
        totals.admins = row.number();
        return totals;
    });
}

Result<std::vector<std::string>> SqliteAgents::due_for_retirement(Time now, std::size_t limit) {
    return due_.start()
        .bind(now)
        .bind(std::uint64_t{limit})
        .all<std::string>([](Columns& row) -> Result<std::string> { return row.text(); });
}

Result<bool> SqliteAgents::any_sealed() { return sealed_.start().step(); }

Result<> SqliteAgents::insert(const AgentRow& row) {
    const Texts texts(row);
    Execution execution = insert_.start();
    execution.bind(row.agent_id).bind(row.name).bind(row.row_version).bind(row.type);
    bind_agent(execution, row, texts);
    REKEY_TRY(execution.change());
    return {};
}

Result<> SqliteAgents::update(AgentRow& row) {
    const Texts texts(row);
    const auto write = [&](Statement& statement, auto... last) {
        Execution execution = statement.start();
        bind_agent(execution, row, texts);
        (execution.bind(last), ...);
        return execution.change();
    };
    const std::string_view name = row.name;
    const std::string_view type = row.type;
    const std::string_view agent_id = row.agent_id;
    REKEY_TRY_ASSIGN(updated, write(update_, agent_id, row.row_version, name, type));
    if (updated == 0) {
        // A new name or type, a lost race, or no such agent.
        REKEY_TRY_ASSIGN(renamed, write(rename_, name, type, agent_id, row.row_version));
        if (renamed == 0) {
            REKEY_TRY_ASSIGN(exists, exists_.start().bind(agent_id).step());
            if (exists) return Error(Code::conflict, "the agent was changed by somebody else");
            return Error(Code::not_found, "no such agent");
        }
    }
    ++row.row_version;
    return {};
}

Result<> SqliteAgents::remove(std::string_view agent_id) {
    REKEY_TRY_ASSIGN(removed, remove_.start().bind(agent_id).change());
    if (removed == 0) return Error(Code::not_found, "no such agent");
    return {};
}

Result<> SqliteAgents::touch_last_seen(const std::vector<std::pair<std::string, Time>>& seen) {
    for (const auto& [agent_id, time] : seen)
        REKEY_TRY(touch_.start().bind(time).bind(agent_id).change());
    return {};
}

}  // namespace rekey::storage::sqlite
