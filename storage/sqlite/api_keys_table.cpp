#include "base/limits.hpp"
#include "storage/sqlite/json_columns.hpp"
#include "storage/sqlite/tables.hpp"

#include <utility>

// API keys, and the answers that held one.
namespace rekey::storage::sqlite {
namespace {

#define REKEY_API_KEY_COLUMNS                                                              \
    "key_id, agent_id, name, key_hash, capabilities, created_at, expires_at, revoked_at, " \
    "created_by, first_used_at, last_used_at, valid_until, successor_key_id, predecessor_key_id "

Result<ApiKeyRow> read_api_key(Columns& columns) {
    ApiKeyRow row;
    row.key_id = columns.text();
    row.agent_id = columns.text();
    row.name = columns.text();
    row.key_hash = columns.bytes32();
    if (columns.null()) {
        columns.skip(1);
    } else {
        row.capabilities = read_names(columns);
    }
    row.created_at = columns.time();
    row.expires_at = columns.optional_time();
    row.revoked_at = columns.optional_time();
    row.created_by = columns.text();
    row.first_used_at = columns.optional_time();
    row.last_used_at = columns.optional_time();
    row.valid_until = columns.optional_time();
    row.successor_key_id = columns.text();
    row.predecessor_key_id = columns.text();
    return columns.finish(std::move(row));
}

std::optional<std::string> capabilities_text(const ApiKeyRow& row) {
    if (!row.capabilities) return std::nullopt;
    return names_text(*row.capabilities);
}

}  // namespace

SqliteApiKeys::SqliteApiKeys(Connection& connection)
    : find_(connection, "SELECT " REKEY_API_KEY_COLUMNS "FROM api_keys WHERE key_id = ?"),
      list_(connection,
            "SELECT " REKEY_API_KEY_COLUMNS "FROM api_keys WHERE agent_id = ? ORDER BY key_id"),
      insert_(connection, "INSERT INTO api_keys (" REKEY_API_KEY_COLUMNS
                          ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      succeed_(connection,
               "UPDATE api_keys SET successor_key_id = ?, valid_until = ? "
               "WHERE key_id = ? AND successor_key_id = ?"),
      first_used_(connection,
                  "UPDATE api_keys SET first_used_at = ?1, last_used_at = ?1 "
                  "WHERE key_id = ?2 AND first_used_at IS NULL"),
      last_used_(connection,
                 "UPDATE api_keys SET last_used_at = ?1 WHERE key_id = ?2 "
                 "AND ifnull(last_used_at < ?1, 1)"),
      revoke_(connection,
              "UPDATE api_keys SET revoked_at = ifnull(revoked_at, ?) "
              "WHERE key_id = ?"),
      revoke_all_(connection,
                  "UPDATE api_keys SET revoked_at = ? WHERE agent_id = ? "
                  "AND revoked_at IS NULL"),
      trim_(connection,
            "DELETE FROM api_keys WHERE key_id IN (SELECT key_id FROM api_keys "
            "WHERE agent_id = ?1 AND (revoked_at IS NOT NULL OR expires_at <= ?2 "
            "OR valid_until <= ?2) ORDER BY key_id DESC LIMIT -1 OFFSET ?3)") {}

Result<ApiKeyRow> SqliteApiKeys::find(std::string_view key_id) {
    return find_.start().bind(key_id).one("API key", read_api_key);
}

Result<std::vector<ApiKeyRow>> SqliteApiKeys::list(std::string_view agent_id) {
    return list_.start().bind(agent_id).all<ApiKeyRow>(read_api_key);
}

Result<> SqliteApiKeys::insert(const ApiKeyRow& row) {
    const std::optional<std::string> capabilities = capabilities_text(row);
    REKEY_TRY(insert_.start()
                  .bind(row.key_id)
                  .bind(row.agent_id)
                  .bind(row.name)
                  .bind(row.key_hash)
                  .bind(capabilities)
                  .bind(row.created_at)
                  .bind(row.expires_at)
                  .bind(row.revoked_at)
                  .bind(row.created_by)
                  .bind(row.first_used_at)
                  .bind(row.last_used_at)
                  .bind(row.valid_until)
                  .bind(row.successor_key_id)
                  .bind(row.predecessor_key_id)
                  .change());
    return {};
}

Result<> SqliteApiKeys::succeed(const ApiKeyRow& successor, std::string_view replaced,
                                Time valid_until) {
    REKEY_TRY_ASSIGN(noted, succeed_.start()
                                .bind(successor.key_id)
                                .bind(valid_until)
                                .bind(successor.predecessor_key_id)
                                .bind(replaced)
                                .change());
    if (noted == 0) return Error(Code::conflict, "the API key was rotated by somebody else");
    return insert(successor);
}

Result<bool> SqliteApiKeys::mark_first_used(std::string_view key_id, Time now) {
    REKEY_TRY_ASSIGN(marked, first_used_.start().bind(now).bind(key_id).change());
    return marked > 0;
}

Result<> SqliteApiKeys::touch_last_used(const std::vector<std::pair<std::string, Time>>& used) {
    for (const auto& [key_id, time] : used)
        REKEY_TRY(last_used_.start().bind(time).bind(key_id).change());
    return {};
}

Result<> SqliteApiKeys::revoke(std::string_view key_id, Time now) {
    REKEY_TRY_ASSIGN(revoked, revoke_.start().bind(now).bind(key_id).change());
    if (revoked == 0) return Error(Code::not_found, "no such API key");
    return {};
}

Result<std::uint64_t> SqliteApiKeys::revoke_all(std::string_view agent_id, Time now) {
    return revoke_all_.start().bind(now).bind(agent_id).change();
}

Result<std::uint64_t> SqliteApiKeys::trim_dead(std::string_view agent_id, Time now,
                                               std::size_t keep) {
    return trim_.start().bind(agent_id).bind(now).bind(std::uint64_t{keep}).change();
}

namespace {

Result<IdempotentAnswerRow> read_answer(Columns& columns) {
    IdempotentAnswerRow row;
    row.caller_id = columns.text();
    row.idempotency_key_hash = columns.bytes32();
    row.method = columns.text();
    row.params_hash = columns.bytes32();
    row.sealed_answer = columns.bytes();
    row.key_id = columns.text();
    row.expires_at = columns.time();
    return columns.finish(std::move(row));
}

}  // namespace

SqliteIdempotentAnswers::SqliteIdempotentAnswers(Connection& connection)
    : find_(connection,
            "SELECT caller_id, idempotency_key_hash, method, params_hash, sealed_answer, key_id, "
            "expires_at FROM idempotent_answers "
            "WHERE caller_id = ? AND idempotency_key_hash = ?"),
      count_(connection, "SELECT count(*) FROM idempotent_answers WHERE caller_id = ?"),
      all_(connection,
           "SELECT caller_id, idempotency_key_hash, method, params_hash, sealed_answer, key_id, "
           "expires_at FROM idempotent_answers"),
      put_(connection,
           "INSERT OR REPLACE INTO idempotent_answers (caller_id, idempotency_key_hash, method, "
           "params_hash, sealed_answer, key_id, expires_at) "
           "SELECT agent_id, ?2, ?3, ?4, ?5, ?6, ?7 FROM agents WHERE agent_id = ?1"),
      remove_of_key_(connection, "DELETE FROM idempotent_answers WHERE key_id = ?"),
      remove_expired_(connection,
                      "DELETE FROM idempotent_answers WHERE (caller_id, idempotency_key_hash) IN "
                      "(SELECT caller_id, idempotency_key_hash FROM idempotent_answers "
                      "WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)") {}

Result<IdempotentAnswerRow> SqliteIdempotentAnswers::find(std::string_view caller_id,
                                                          const Bytes32& key_hash) {
    return find_.start().bind(caller_id).bind(key_hash).one("idempotent answer", read_answer);
}

Result<std::uint64_t> SqliteIdempotentAnswers::count(std::string_view caller_id) {
    return count_.start().bind(caller_id).one(
        "count", [](Columns& row) { return Result<std::uint64_t>(row.number()); });
}

Result<std::vector<IdempotentAnswerRow>> SqliteIdempotentAnswers::all() {
    return all_.start().all<IdempotentAnswerRow>(read_answer);
}

Result<> SqliteIdempotentAnswers::put(const IdempotentAnswerRow& row) {
    REKEY_TRY_ASSIGN(stored, put_.start()
                                 .bind(row.caller_id)
                                 .bind(row.idempotency_key_hash)
                                 .bind(row.method)
                                 .bind(row.params_hash)
                                 .bind(ByteView(row.sealed_answer))
                                 .bind(row.key_id)
                                 .bind(row.expires_at)
                                 .change());
    if (stored == 0) return Error(Code::not_found, "no such agent");
    return {};
}

Result<std::uint64_t> SqliteIdempotentAnswers::remove_of_key(std::string_view key_id) {
    return remove_of_key_.start().bind(key_id).change();
}

Result<std::uint64_t> SqliteIdempotentAnswers::remove_expired(Time now) {
    return remove_expired_.start().bind(now).bind(std::uint64_t{limits::kSweepRows}).change();
}

}  // namespace rekey::storage::sqlite
