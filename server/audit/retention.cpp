#include "server/audit/retention.hpp"

#include "base/limits.hpp"
#include "storage/store_async.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace rekey::server::audit {
namespace {

using Outcome = Retention::Outcome;
using protocol::AuditCheckpoint;

// The newest checkpoint up to which everything may go, among those that one sweep reaches.
using Place = std::optional<storage::AuditCheckpointRow>;

Result<bool> is_older(storage::Transaction& transaction, const storage::AuditCheckpointRow& place,
                      Time limit) {
    if (place.time >= limit) return false;
    REKEY_TRY_ASSIGN(rows, transaction.audit().walk(place.seq - 1, 1));
    return !rows.empty() && rows.front().event.time < limit;
}

Result<Place> find_place(storage::Transaction& transaction, Time limit) {
    REKEY_TRY_ASSIGN(ends, transaction.audit().ends());
    if (ends.first_seq == 0) return Place();
    REKEY_TRY_ASSIGN(checkpoints, transaction.audit_checkpoints().list(
                                      ends.first_seq - 1, limits::kCheckpointsAnAnswer));
    Place found;
    for (const auto& checkpoint : checkpoints) {
        if (checkpoint.seq < ends.first_seq) continue;
        const bool reached = checkpoint.seq - ends.first_seq < limits::kSweepRows;
        if (!reached || checkpoint.seq >= ends.head.seq) break;
        REKEY_TRY_ASSIGN(older, is_older(transaction, checkpoint, limit));
        if (!older) break;
        found = checkpoint;
    }
    return found;
}

Result<Outcome> remove(storage::Transaction& transaction,
                       const storage::AuditCheckpointRow& beginning, Time now) {
    REKEY_TRY_ASSIGN(ends, transaction.audit().ends());
    REKEY_TRY_ASSIGN(removed, transaction.audit().remove_up_to(beginning.seq));
    if (removed == 0) return Outcome::nothing_due;
    REKEY_TRY(transaction.audit_checkpoints().remove_before(beginning.seq));
    REKEY_TRY(transaction.audit_checkpoints().put(beginning));
    storage::AuditEvent event;
    event.time = now;
    event.actor = "system";
    event.action = "audit.removed";
    event.subject = "audit";
    event.outcome = "ok";
    event.details["first_seq"] = ends.first_seq;
    event.details["last_seq"] = beginning.seq;
    event.details["last_hash"] = to_hex(beginning.hash);
    transaction.audit().append(std::move(event));
    return Outcome::removed;
}

void run_here(const std::function<void()>& action) { action(); }

}  // namespace

void Retention::sweep(std::function<void(Result<Outcome>)> done) {
    const std::int64_t days = parts_.settings.snapshot()->audit_retention_days;
    if (days == 0) return done(Outcome::nothing_due);
    const Moment now = Moment::of(parts_.clock);
    if (started_.jump_until(now) > Milliseconds(limits::kRetentionClockJump)) {
        parts_.log.warning("audit.retention_waits", {{"reason", "the clock was set"}});
        return done(Outcome::nothing_due);
    }
    const Time limit = now.wall - std::chrono::days(days);
    storage::read_as<Place>(
        parts_.store, run_here,
        [limit](storage::Transaction& transaction) { return find_place(transaction, limit); },
        [parts = parts_, now = now.wall, done = std::move(done)](Result<Place> place) mutable {
            if (place.has_error()) return done(place.error());
            if (!*place) return done(Outcome::nothing_due);
            const storage::AuditCheckpointRow& old = **place;
            auto beginning =
                parts.key.sign(AuditCheckpoint{old.stream_id, old.seq, old.hash, now, true});
            if (beginning.has_error()) return done(beginning.error());
            storage::write_as<Outcome>(
                parts.store, run_here,
                [row = *beginning, now](storage::Transaction& transaction) {
                    return remove(transaction, row, now);
                },
                [&log = parts.log, seq = old.seq, done = std::move(done)](Result<Outcome> ended) {
                    if (ended.has_value() && *ended == Outcome::removed)
                        log.info("audit.removed", {{"last_seq", seq}});
                    done(ended);
                });
        });
}

}  // namespace rekey::server::audit
