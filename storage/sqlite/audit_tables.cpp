#include "storage/sqlite/audit_tables.hpp"

#include "base/limits.hpp"
#include "storage/sqlite/json_columns.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>

namespace rekey::storage::sqlite {
namespace {

#define REKEY_AUDIT_COLUMNS                                                                       \
    "SELECT stream_id, seq, time, actor, action, subject, outcome, details, previous_hash, hash " \
    "FROM audit WHERE stream_id = 'main' "
#define REKEY_SELECT_AUDIT                                                       \
    REKEY_AUDIT_COLUMNS                                                          \
    "AND seq > ?1 AND (?2 = 0 OR seq < ?2) "                                     \
    "AND (?3 = '' OR subject = ?3) AND (?4 = '' OR actor = ?4) "                 \
    "AND (?5 = '' OR action = ?5) AND substr(action, 1, length(?6)) = ?6 "       \
    "AND (?7 = '' OR subject = ?7 OR actor = ?7) AND (?8 = '' OR outcome = ?8) " \
    "AND time >= ?9 AND time < ?10 "

enum class Details : std::uint8_t { as_text, parsed };

Result<AuditRow> read_row(Columns& columns, Details wanted) {
    AuditRow row;
    row.stream_id = columns.text();
    row.seq = columns.number();
    row.event.time = columns.time();
    row.event.actor = columns.text();
    row.event.action = columns.text();
    row.event.subject = columns.text();
    row.event.outcome = columns.text();
    // Details that are no JSON any more were altered: verify_chain says so of this row, where an
    // error here would hide all others.
    if (wanted == Details::parsed) {
        Columns details = columns;
        row.event.details = read_object(details);
    }
    row.details_json = columns.text();
    row.previous_hash = columns.bytes32();
    row.hash = columns.bytes32();
    return columns.finish(std::move(row));
}

constexpr Time kEver{Milliseconds(std::numeric_limits<std::int64_t>::max())};
constexpr Time kNever{Milliseconds(std::numeric_limits<std::int64_t>::min())};

// `time` earlier by `by`, or as early as there is.
Time earlier(Time time, Milliseconds by) { return time < kNever + by ? kNever : time - by; }
Time later(Time time, Milliseconds by) { return time > kEver - by ? kEver : time + by; }

Milliseconds rounded_up(Milliseconds disorder) {
    const auto seconds =
        static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(disorder).count());
    constexpr std::uint64_t kMost = std::uint64_t{1} << 50U;
    return std::chrono::seconds(std::bit_ceil(std::min(seconds, kMost)));
}

Result<AuditCheckpointRow> read_checkpoint(Columns& columns) {
    AuditCheckpointRow row;
    row.stream_id = columns.text();
    row.seq = columns.number();
    row.hash = columns.bytes32();
    row.time = columns.time();
    row.signature = columns.text();
    return columns.finish(std::move(row));
}

}  // namespace

SqliteAudit::SqliteAudit(Connection& connection)
    : oldest_first_(connection, REKEY_SELECT_AUDIT "ORDER BY seq LIMIT ?11"),
      newest_first_(connection, REKEY_SELECT_AUDIT "ORDER BY seq DESC LIMIT ?11"),
      walk_(connection, REKEY_AUDIT_COLUMNS "AND seq > ? ORDER BY seq LIMIT ?"),
      first_(connection, "SELECT seq FROM audit WHERE stream_id = 'main' ORDER BY seq LIMIT 1"),
      head_(connection,
            "SELECT seq, hash FROM audit WHERE stream_id = 'main' ORDER BY seq DESC LIMIT 1"),
      time_(connection,
            "SELECT time FROM audit WHERE stream_id = 'main' AND seq >= ? ORDER BY seq LIMIT 1"),
      disorder_of_all_(connection,
                       "SELECT coalesce(max(newest - time), 0) FROM (SELECT time, max(time) OVER "
                       "(ORDER BY seq) AS newest FROM audit WHERE stream_id = 'main')"),
      get_disorder_(connection, "SELECT value FROM meta WHERE name = 'audit_disorder_ms'"),
      set_disorder_(connection,
                    "INSERT INTO meta (name, value) VALUES ('audit_disorder_ms', ?) "
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"),
      insert_(connection,
              "INSERT INTO audit (stream_id, seq, time, actor, action, subject, outcome, details, "
              "previous_hash, hash) VALUES (?,?,?,?,?,?,?,?,?,?)"),
      remove_(connection, "DELETE FROM audit WHERE stream_id = 'main' AND seq <= ?") {}

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
        .bind(filter.party)
        .bind(filter.outcome)
        .bind(filter.from.value_or(kNever))
        .bind(filter.until.value_or(kEver))
        .bind(std::uint64_t{std::min(limit, limits::kPageRows)})
        .all<AuditRow>([](Columns& columns) { return read_row(columns, Details::parsed); });
}

Result<std::vector<AuditRow>> SqliteAudit::walk(std::uint64_t after_seq, std::size_t limit) {
    return walk_.start()
        .bind(after_seq)
        .bind(std::uint64_t{std::min(limit, limits::kVerifyPage)})
        .all<AuditRow>([](Columns& columns) { return read_row(columns, Details::as_text); });
}

Result<ChainEnds> SqliteAudit::ends() {
    ChainEnds ends;
    Execution first = first_.start();
    REKEY_TRY_ASSIGN(any, first.step());
    if (!any) return ends;
    ends.first_seq = first.columns().number();
    Execution newest = head_.start();
    REKEY_TRY_ASSIGN(found, newest.step());
    if (!found) return ends;
    Columns columns = newest.columns();
    ends.head.seq = columns.number();
    ends.head.hash = columns.bytes32();
    return columns.finish(ends);
}

Result<std::optional<Time>> SqliteAudit::time_at(std::uint64_t seq) {
    Execution execution = time_.start();
    execution.bind(seq);
    REKEY_TRY_ASSIGN(found, execution.step());
    if (!found) return std::optional<Time>();
    return std::optional(execution.columns().time());
}

Result<std::uint64_t> SqliteAudit::bisect(SeqRange range, Time time) {
    std::uint64_t low = range.first;
    std::uint64_t high = range.last + 1;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        REKEY_TRY_ASSIGN(there, time_at(middle));
        if (there && *there < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// A row's time is at most the newest one before it, and below that by at most the disorder D. So if
// the row before a place is older than `from` - D, all before it are older than `from`; and if the
// row at a place is newer than `until` + D, all behind it are newer than `until`.
Result<SeqRange> SqliteAudit::places_of(std::optional<Time> from, std::optional<Time> until) {
    REKEY_TRY_ASSIGN(kept, ends());
    SeqRange range{kept.first_seq, kept.head.seq};
    if (kept.first_seq == 0) return SeqRange{};
    if (!from && !until) return range;
    REKEY_TRY_ASSIGN(slack, disorder());
    SeqRange found = range;
    if (from) {
        REKEY_TRY_ASSIGN(first, bisect(range, earlier(*from, slack)));
        found.first = first;
    }
    if (until) {
        REKEY_TRY_ASSIGN(behind, bisect(range, later(*until, slack)));
        found.last = behind - 1;
    }
    return found;
}

Result<std::uint64_t> SqliteAudit::remove_up_to(std::uint64_t seq) {
    REKEY_TRY_ASSIGN(kept, ends());
    if (kept.first_seq == 0 || seq < kept.first_seq) return std::uint64_t{0};
    if (seq >= kept.head.seq)
        return Error(Code::invalid_params, "the newest audit row always stays");
    if (seq - kept.first_seq >= limits::kSweepRows)
        return Error(Code::invalid_params, "too many audit rows to remove at once");
    return remove_.start().bind(seq).change();
}

Result<Milliseconds> SqliteAudit::disorder() {
    Execution execution = get_disorder_.start();
    REKEY_TRY_ASSIGN(found, execution.step());
    if (!found) return Milliseconds::zero();
    const Bytes text = execution.columns().bytes();
    std::int64_t value = 0;
    for (const std::uint8_t byte : text) value = value << 8 | byte;
    return Milliseconds(value);
}

Result<ChainHead> SqliteAudit::start_writing() {
    REKEY_TRY_ASSIGN(kept, ends());
    {
        Execution execution = get_disorder_.start();
        REKEY_TRY_ASSIGN(found, execution.step());
        if (!found) {
            // A database of before this was noted: looked through once.
            Execution all = disorder_of_all_.start();
            REKEY_TRY(all.step());
            known_disorder_ = Milliseconds(all.columns().integer());
        }
    }
    if (known_disorder_ > Milliseconds::zero()) REKEY_TRY(note_disorder(known_disorder_));
    REKEY_TRY_ASSIGN(noted, disorder());
    known_disorder_ = noted;
    REKEY_TRY_ASSIGN(newest, time_at(kept.head.seq));
    // No row was newer than that.
    newest_time_ = newest && kept.first_seq != 0 ? later(*newest, known_disorder_) : kNever;
    return kept.head;
}

Result<> SqliteAudit::note_disorder(Milliseconds disorder) {
    known_disorder_ = rounded_up(disorder);
    Bytes value(8);
    auto rest = static_cast<std::uint64_t>(known_disorder_.count());
    for (std::size_t i = value.size(); i-- > 0; rest >>= 8U)
        value[i] = static_cast<std::uint8_t>(rest & 0xFFU);
    REKEY_TRY(set_disorder_.start().bind(ByteView(value)).change());
    return {};
}

Result<> SqliteAudit::insert(const AuditRow& row) {
    const AuditEvent& event = row.event;
    if (event.time >= newest_time_)
        newest_time_ = event.time;
    else if (newest_time_ - event.time > known_disorder_)
        REKEY_TRY(note_disorder(newest_time_ - event.time));
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

#define REKEY_SELECT_CHECKPOINT                                                              \
    "SELECT stream_id, seq, hash, time, signature FROM audit_checkpoints WHERE stream_id = " \
    "'main' "

SqliteAuditCheckpoints::SqliteAuditCheckpoints(Connection& connection)
    : list_(connection, REKEY_SELECT_CHECKPOINT "AND seq > ? ORDER BY seq LIMIT ?"),
      newest_(connection, REKEY_SELECT_CHECKPOINT "AND seq <= ? ORDER BY seq DESC LIMIT 1"),
      put_(connection,
           "INSERT INTO audit_checkpoints (stream_id, seq, hash, time, signature) "
           "VALUES (?,?,?,?,?) ON CONFLICT (stream_id, seq) DO UPDATE SET hash = excluded.hash, "
           "time = excluded.time, signature = excluded.signature"),
      remove_(connection, "DELETE FROM audit_checkpoints WHERE stream_id = 'main' AND seq < ?") {}

Result<std::vector<AuditCheckpointRow>> SqliteAuditCheckpoints::list(std::uint64_t after_seq,
                                                                     std::size_t limit) {
    return list_.start()
        .bind(after_seq)
        .bind(std::uint64_t{std::min(limit, limits::kCheckpointsAnAnswer)})
        .all<AuditCheckpointRow>(read_checkpoint);
}

Result<std::optional<AuditCheckpointRow>> SqliteAuditCheckpoints::newest_up_to(std::uint64_t seq) {
    Execution execution = newest_.start();
    execution.bind(seq);
    REKEY_TRY_ASSIGN(found, execution.step());
    if (!found) return std::optional<AuditCheckpointRow>();
    Columns columns = execution.columns();
    REKEY_TRY_ASSIGN(row, read_checkpoint(columns));
    return std::optional(std::move(row));
}

Result<> SqliteAuditCheckpoints::put(const AuditCheckpointRow& row) {
    REKEY_TRY(put_.start()
                  .bind(row.stream_id)
                  .bind(row.seq)
                  .bind(row.hash)
                  .bind(row.time)
                  .bind(row.signature)
                  .change());
    return {};
}

Result<> SqliteAuditCheckpoints::remove_before(std::uint64_t seq) {
    REKEY_TRY(remove_.start().bind(seq).change());
    return {};
}

}  // namespace rekey::storage::sqlite
