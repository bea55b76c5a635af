#include "base/limits.hpp"
#include "storage/names.hpp"
#include "storage/sqlite/json_columns.hpp"
#include "storage/sqlite/tables.hpp"

// Tombstones and enrollment codes: what belongs to an agent and opens a door, or no
// longer does. API keys stand in api_keys_table.cpp.
namespace rekey::storage::sqlite {

SqliteTombstones::SqliteTombstones(Connection& connection)
    : contains_(connection, "SELECT 1 FROM tombstones WHERE agent_id = ? AND hash = ?"),
      find_(connection,
            "SELECT agent_id, kind, hash, generation, retired_at FROM tombstones "
            "WHERE agent_id = ? AND hash = ?"),
      insert_(connection,
              "INSERT INTO tombstones (agent_id, hash, kind, generation, retired_at) "
              "VALUES (?,?,?,?,?) ON CONFLICT (agent_id, hash) DO NOTHING"),
      count_(connection, "SELECT count(*) FROM tombstones WHERE agent_id = ?"),
      trim_(connection,
            "DELETE FROM tombstones WHERE agent_id = ?1 AND hash NOT IN (SELECT hash FROM "
            "tombstones WHERE agent_id = ?1 ORDER BY retired_at DESC, generation DESC LIMIT ?2)"),
      remove_(connection,
              "DELETE FROM tombstones WHERE (agent_id, hash) IN (SELECT agent_id, hash FROM "
              "tombstones WHERE retired_at < ? ORDER BY retired_at LIMIT ?)") {}

Result<bool> SqliteTombstones::contains(std::string_view agent_id, const Bytes32& hash) {
    return contains_.start().bind(agent_id).bind(hash).step();
}

Result<Tombstone> SqliteTombstones::find(std::string_view agent_id, const Bytes32& hash) {
    return find_.start().bind(agent_id).bind(hash).one(
        "tombstone", [](Columns& columns) -> Result<Tombstone> {
            Tombstone tombstone;
            tombstone.agent_id = columns.text();
            const auto kind = tombstone_kind_of(columns.view());
            if (!kind) columns.wrong("kind");
            tombstone.kind = kind.value_or(TombstoneKind::token);
            tombstone.hash = columns.bytes32();
            tombstone.generation = columns.number();
            tombstone.retired_at = columns.time();
            return columns.finish(std::move(tombstone));
        });
}

Result<> SqliteTombstones::insert(const Tombstone& tombstone) {
    REKEY_TRY(insert_.start()
                  .bind(tombstone.agent_id)
                  .bind(tombstone.hash)
                  .bind(name_of(tombstone.kind))
                  .bind(tombstone.generation)
                  .bind(tombstone.retired_at)
                  .change());
    REKEY_TRY_ASSIGN(count, count_.start().bind(tombstone.agent_id).one("count", [](Columns& row) {
        return Result<std::uint64_t>(row.number());
    }));
    if (count > limits::kTombstonesAnAgent)
        REKEY_TRY(trim_.start()
                      .bind(tombstone.agent_id)
                      .bind(std::uint64_t{limits::kTombstonesAnAgent})
                      .change());
    return {};
}

Result<std::uint64_t> SqliteTombstones::remove_older_than(Time time) {
    return remove_.start().bind(time).bind(std::uint64_t{limits::kSweepRows}).change();
}

namespace {

Result<EnrollmentCodeRow> read_code(Columns& columns) {
    EnrollmentCodeRow row;
    row.code_id = columns.text();
    row.agent_id = columns.text();
    row.code_hash = columns.bytes32();
    row.created_by = columns.text();
    row.created_at = columns.time();
    row.expires_at = columns.time();
    row.bound_public_key = columns.optional_bytes32();
    row.used_at = columns.optional_time();
    row.rotation_id = columns.text();
    row.maker_capabilities = read_names(columns);
    return columns.finish(std::move(row));
}

}  // namespace

SqliteEnrollmentCodes::SqliteEnrollmentCodes(Connection& connection)
    : find_(connection,
            "SELECT code_id, agent_id, code_hash, created_by, created_at, expires_at, "
            "bound_public_key, used_at, rotation_id, maker_capabilities FROM enrollment_codes "
            "WHERE code_id = ?"),
      insert_(connection,
              "INSERT INTO enrollment_codes (code_id, agent_id, code_hash, created_by, "
              "created_at, expires_at, bound_public_key, used_at, rotation_id, "
              "maker_capabilities) VALUES (?,?,?,?,?,?,?,?,?,?)"),
      bind_(connection,
            "UPDATE enrollment_codes SET bound_public_key = ?, used_at = ?, rotation_id = ? "
            "WHERE code_id = ? AND bound_public_key IS NULL"),
      expire_(connection,
              "UPDATE enrollment_codes SET expires_at = ?1 WHERE agent_id = ?2 "
              "AND used_at IS NULL AND expires_at > ?1") {}

Result<EnrollmentCodeRow> SqliteEnrollmentCodes::find(std::string_view code_id) {
    return find_.start().bind(code_id).one("enrollment code", read_code);
}

Result<> SqliteEnrollmentCodes::insert(const EnrollmentCodeRow& row) {
    const std::string maker_capabilities = names_text(row.maker_capabilities);
    REKEY_TRY(insert_.start()
                  .bind(row.code_id)
                  .bind(row.agent_id)
                  .bind(row.code_hash)
                  .bind(row.created_by)
                  .bind(row.created_at)
                  .bind(row.expires_at)
                  .bind(row.bound_public_key)
                  .bind(row.used_at)
                  .bind(row.rotation_id)
                  .bind(maker_capabilities)
                  .change());
    return {};
}

Result<> SqliteEnrollmentCodes::bind(std::string_view code_id, const Bytes32& public_key,
                                     Time used_at, std::string_view rotation_id) {
    REKEY_TRY_ASSIGN(
        bound,
        bind_.start().bind(public_key).bind(used_at).bind(rotation_id).bind(code_id).change());
    if (bound == 1) return {};
    REKEY_TRY(find(code_id));
    return Error(Code::conflict, "the enrollment code is bound to a key already");
}

Result<> SqliteEnrollmentCodes::expire_unused(std::string_view agent_id, Time now) {
    REKEY_TRY(expire_.start().bind(now).bind(agent_id).change());
    return {};
}

}  // namespace rekey::storage::sqlite
