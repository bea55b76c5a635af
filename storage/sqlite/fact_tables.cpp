#include "base/limits.hpp"
#include "storage/names.hpp"
#include "storage/sqlite/json_columns.hpp"
#include "storage/sqlite/tables.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

// Rotations, which say what happened, and settings and meta, which say what holds.
namespace rekey::storage::sqlite {
namespace {

#define REKEY_SELECT_ROTATION                                                            \
    "SELECT rotation_id, agent_id, generation, cause, actor, started_at, committed_at, " \
    "activated_at, ended_at, attempts, offered_at, last_reason FROM rotations "

Result<RotationRow> read_rotation(Columns& columns) {
    RotationRow row;
    row.rotation_id = columns.text();
    row.agent_id = columns.text();
    row.generation = columns.number();
    const auto cause = rotation_cause_of(columns.view());
    if (!cause) columns.wrong("cause");
    row.cause = cause.value_or(RotationCause::schedule);
    row.actor = columns.text();
    row.started_at = columns.time();
    row.committed_at = columns.optional_time();
    row.activated_at = columns.optional_time();
    row.ended_at = columns.optional_time();
    row.offers.attempts = static_cast<std::uint32_t>(columns.number());
    row.offers.offered_at = columns.optional_time();
    row.offers.last_reason = columns.text();
    return columns.finish(std::move(row));
}

Result<> mark(Statement& statement, std::string_view rotation_id, Time time,
              const OfferHistory& offers) {
    REKEY_TRY(statement.start()
                  .bind(time)
                  .bind(std::uint64_t{offers.attempts})
                  .bind(offers.offered_at)
                  .bind(offers.last_reason)
                  .bind(rotation_id)
                  .change());
    return {};
}

}  // namespace

// Newest first is the order of the ids: UUIDv7. "~" sorts behind every id.
SqliteRotations::SqliteRotations(Connection& connection)
    : find_(connection, REKEY_SELECT_ROTATION "WHERE rotation_id = ?"),
      list_(connection,
            REKEY_SELECT_ROTATION "WHERE rotation_id < ? ORDER BY rotation_id DESC LIMIT ?"),
      list_of_agent_(connection,
                     "WITH RECURSIVE list (id, depth) AS (SELECT CASE ?2 WHEN '' THEN (SELECT "
                     "last_rotation_id FROM agents WHERE agent_id = ?1) ELSE (SELECT "
                     "previous_rotation_id FROM rotations WHERE rotation_id = ?2 AND agent_id = "
                     "?1) END, 1 UNION ALL SELECT previous_rotation_id, depth + 1 FROM list JOIN "
                     "rotations ON rotation_id = id WHERE depth < ?3) " REKEY_SELECT_ROTATION
                     "JOIN list ON rotation_id = id ORDER BY depth LIMIT ?3"),
      insert_(connection,
              "INSERT INTO rotations (rotation_id, agent_id, generation, cause, actor, "
              "started_at, committed_at, activated_at, ended_at, previous_rotation_id) "
              "SELECT ?1, agent_id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, last_rotation_id FROM agents "
              "WHERE agent_id = ?2"),
      link_(connection, "UPDATE agents SET last_rotation_id = ? WHERE agent_id = ?"),
      commit_(connection,
              "UPDATE rotations SET committed_at = ?, attempts = ?, offered_at = ?, "
              "last_reason = ? WHERE rotation_id = ? AND committed_at IS NULL"),
      activate_(connection,
                "UPDATE rotations SET activated_at = ? WHERE rotation_id = ? "
                "AND activated_at IS NULL"),
      end_(connection,
           "UPDATE rotations SET ended_at = ?, attempts = ?, offered_at = ?, "
           "last_reason = ? WHERE rotation_id = ? AND ended_at IS NULL") {}

Result<RotationRow> SqliteRotations::find(std::string_view rotation_id) {
    return find_.start().bind(rotation_id).one("rotation", read_rotation);
}

Result<std::vector<RotationRow>> SqliteRotations::list(const RotationFilter& filter,
                                                       std::string_view after, std::size_t limit) {
    const std::uint64_t rows = std::min(limit, limits::kPageRows);
    if (filter.agent_id.empty())
        return list_.start()
            .bind(after.empty() ? std::string_view("~") : after)
            .bind(rows)
            .all<RotationRow>(read_rotation);
    return list_of_agent_.start()
        .bind(filter.agent_id)
        .bind(after)
        .bind(rows)
        .all<RotationRow>(read_rotation);
}

Result<> SqliteRotations::insert(const RotationRow& row) {
    REKEY_TRY_ASSIGN(inserted, insert_.start()
                                   .bind(row.rotation_id)
                                   .bind(row.agent_id)
                                   .bind(row.generation)
                                   .bind(name_of(row.cause))
                                   .bind(row.actor)
                                   .bind(row.started_at)
                                   .bind(row.committed_at)
                                   .bind(row.activated_at)
                                   .bind(row.ended_at)
                                   .change());
    if (inserted == 0) return Error(Code::not_found, "no such agent");
    REKEY_TRY(link_.start().bind(row.rotation_id).bind(row.agent_id).change());
    return {};
}

Result<> SqliteRotations::mark_committed(std::string_view rotation_id, Time time,
                                         const OfferHistory& offers) {
    return mark(commit_, rotation_id, time, offers);
}
Result<> SqliteRotations::mark_activated(std::string_view rotation_id, Time time) {
    REKEY_TRY(activate_.start().bind(time).bind(rotation_id).change());
    return {};
}
Result<> SqliteRotations::mark_ended(std::string_view rotation_id, Time time,
                                     const OfferHistory& offers) {
    return mark(end_, rotation_id, time, offers);
}

SqliteSettings::SqliteSettings(Connection& connection)
    : all_(connection, "SELECT name, value FROM settings ORDER BY name"),
      set_(connection,
           "INSERT INTO settings (name, value) VALUES (?,?) "
           "ON CONFLICT (name) DO UPDATE SET value = excluded.value") {}

Result<boost::json::object> SqliteSettings::all() {
    boost::json::object settings;
    Execution execution = all_.start();
    for (;;) {
        REKEY_TRY_ASSIGN(more, execution.step());
        if (!more) return settings;
        Columns columns = execution.columns();
        const std::string name = columns.text();
        REKEY_TRY_ASSIGN(value, columns.finish(read_json(columns)));
        settings.insert_or_assign(name, value);
    }
}

Result<> SqliteSettings::set(std::string_view name, const boost::json::value& value) {
    const std::string text = boost::json::serialize(value);
    REKEY_TRY(set_.start().bind(name).bind(text).change());
    return {};
}

SqliteMeta::SqliteMeta(Connection& connection)
    : get_(connection, "SELECT value FROM meta WHERE name = ?"),
      set_(connection,
           "INSERT INTO meta (name, value) VALUES (?,?) "
           "ON CONFLICT (name) DO UPDATE SET value = excluded.value") {}

Result<std::optional<Bytes>> SqliteMeta::get(std::string_view name) {
    Execution execution = get_.start();
    execution.bind(name);
    REKEY_TRY_ASSIGN(found, execution.step());
    if (!found) return std::optional<Bytes>();
    return std::optional<Bytes>(execution.columns().bytes());
}

Result<> SqliteMeta::set(std::string_view name, ByteView value) {
    REKEY_TRY(set_.start().bind(name).bind(value).change());
    return {};
}

}  // namespace rekey::storage::sqlite
