#include "base/limits.hpp"
#include "storage/names.hpp"
#include "storage/sqlite/json_columns.hpp"
#include "storage/sqlite/tables.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

// Rotations and the audit chain, which say what happened, and settings and meta, which say what
// holds.
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

#define REKEY_SELECT_AUDIT                                                                        \
    "SELECT stream_id, seq, time, actor, action, subject, outcome, details, previous_hash, hash " \
    "FROM audit WHERE stream_id = 'main' AND seq > ?1 AND (?2 = 0 OR seq < ?2) "                  \
    "AND (?3 = '' OR subject = ?3) AND (?4 = '' OR actor = ?4) "                                  \
    "AND (?5 = '' OR action = ?5) AND substr(action, 1, length(?6)) = ?6 "

SqliteAudit::SqliteAudit(Connection& connection)
    : oldest_first_(connection, REKEY_SELECT_AUDIT "ORDER BY seq LIMIT ?7"),
      newest_first_(connection, REKEY_SELECT_AUDIT "ORDER BY seq DESC LIMIT ?7"),
      head_(connection,
            "SELECT seq, hash FROM audit WHERE stream_id = ? ORDER BY seq DESC "
            "LIMIT 1"),
      insert_(connection,
              "INSERT INTO audit (stream_id, seq, time, actor, action, subject, outcome, details, "
              "previous_hash, hash) VALUES (?,?,?,?,?,?,?,?,?,?)") {}

Result<std::vector<AuditRow>> SqliteAudit::query(const AuditFilter& filter, std::size_t limit) {
    std::string_view action = filter.action;
    std::string_view action_prefix;
    if (action.ends_with(".*")) {
        action_prefix = action.substr(0, action.size() - 1);
        action = {};
    }
    const bool newest_first = filter.order == AuditFilter::Order::newest_first;
    return (newest_first ? newest_first_ : oldest_first_)
        .start()
        .bind(filter.after_seq)
        .bind(filter.before_seq)
        .bind(filter.subject)
        .bind(filter.actor)
        .bind(action)
        .bind(action_prefix)
        .bind(std::uint64_t{std::min(limit, limits::kPageRows)})
        .all<AuditRow>([](Columns& columns) -> Result<AuditRow> {
            AuditRow row;
            row.stream_id = columns.text();
            row.seq = columns.number();
            row.event.time = columns.time();
            row.event.actor = columns.text();
            row.event.action = columns.text();
            row.event.subject = columns.text();
            row.event.outcome = columns.text();
            // Details that are no JSON any more were altered: verify_chain says so of this row,
            // where an error here would hide all others.
            Columns details = columns;
            row.event.details = read_object(details);
            row.details_json = columns.text();
            row.previous_hash = columns.bytes32();
            row.hash = columns.bytes32();
            return columns.finish(std::move(row));
        });
}

Result<ChainHead> SqliteAudit::head(std::string_view stream_id) {
    Execution execution = head_.start();
    execution.bind(stream_id);
    REKEY_TRY_ASSIGN(found, execution.step());
    if (!found) return ChainHead{};
    Columns columns = execution.columns();
    ChainHead head;
    head.seq = columns.number();
    head.hash = columns.bytes32();
    return columns.finish(head);
}

Result<> SqliteAudit::insert(const AuditRow& row) {
    const AuditEvent& event = row.event;
    REKEY_TRY(insert_.start()
                  .bind(row.stream_id)
                  .bind(row.seq)
                  .bind(event.time)
                  .bind(event.actor)
                  .bind(event.action)
                  .bind(event.subject)
                  .bind(event.outcome)
                  .bind(row.details_json)
                  .bind(row.previous_hash)
                  .bind(row.hash)
                  .change());
    return {};
}

}  // namespace rekey::storage::sqlite
