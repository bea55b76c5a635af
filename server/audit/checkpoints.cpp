#include "server/audit/checkpoints.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace rekey::server::audit {
namespace {

using protocol::AuditCheckpoint;

// One look signs at most so many, and leaves the rest to the next.
constexpr std::size_t kPlacesALook = 64;

bool is_old(const std::optional<storage::AuditCheckpointRow>& newest, Time now) {
    // In either direction, in case that the clock was set back.
    return !newest || std::chrono::abs(now - newest->time) >= Milliseconds(limits::kCheckpointAge);
}

Result<> add_place(storage::Transaction& transaction, std::uint64_t seq, Time now,
                   std::vector<AuditCheckpoint>& places) {
    REKEY_TRY_ASSIGN(rows, transaction.audit().walk(seq - 1, 1));
    if (rows.empty() || rows.front().seq != seq)
        return Error(Code::corrupt, "audit row " + std::to_string(seq) + " is missing");
    places.push_back({std::string(storage::kMainStream), seq, rows.front().hash, now});
    return {};
}

// Nothing is signed behind a place that is not what was signed before: that would vouch for it.
Result<> require_unbroken(storage::Transaction& transaction, const storage::ChainEnds& ends,
                          const std::optional<storage::AuditCheckpointRow>& newest) {
    REKEY_TRY_ASSIGN(beyond, transaction.audit_checkpoints().list(ends.head.seq, 1));
    if (!beyond.empty())
        return Error(Code::corrupt, "the audit's newest rows are gone: it was signed up to row " +
                                        std::to_string(beyond.front().seq));
    if (!newest || newest->seq < ends.first_seq) return {};
    REKEY_TRY_ASSIGN(rows, transaction.audit().walk(newest->seq - 1, 1));
    if (rows.empty() || rows.front().seq != newest->seq || rows.front().hash != newest->hash)
        return Error(Code::corrupt, "audit row " + std::to_string(newest->seq) +
                                        " is not the one that was signed");
    return {};
}

// The places that are due for a signature.
Result<> find_places(storage::Transaction& transaction, Checkpoints::Newest wanted, Time now,
                     std::vector<AuditCheckpoint>& places) {
    REKEY_TRY_ASSIGN(ends, transaction.audit().ends());
    if (ends.first_seq == 0) return {};
    REKEY_TRY_ASSIGN(newest, transaction.audit_checkpoints().newest_up_to(ends.head.seq));
    REKEY_TRY(require_unbroken(transaction, ends, newest));
    std::uint64_t last = newest ? newest->seq : ends.first_seq - 1;
    while (ends.head.seq - last >= limits::kCheckpointRows && places.size() < kPlacesALook) {
        last += limits::kCheckpointRows;
        REKEY_TRY(add_place(transaction, last, now, places));
    }
    const bool due = wanted == Checkpoints::Newest::always || is_old(newest, now);
    if (due && ends.head.seq > last && places.size() < kPlacesALook)
        places.push_back({std::string(storage::kMainStream), ends.head.seq, ends.head.hash, now});
    return {};
}

}  // namespace

void Checkpoints::look(Newest newest, std::function<void(Result<>)> done) {
    auto places = std::make_shared<std::vector<AuditCheckpoint>>();
    parts_.store.read(
        [places, newest, now = parts_.clock.now()](storage::Transaction& transaction) {
            places->clear();
            return find_places(transaction, newest, now, *places);
        },
        [parts = parts_, places, done = std::move(done)](const Result<>& read) mutable {
            if (read.has_error() || places->empty()) return done(read);
            std::vector<storage::AuditCheckpointRow> rows;
            for (const AuditCheckpoint& place : *places) {
                auto row = parts.key.sign(place);
                if (row.has_error()) return done(row.error());
                rows.push_back(*std::move(row));
            }
            parts.store.write(
                [rows](storage::Transaction& transaction) -> Result<> {
                    for (const auto& row : rows)
                        REKEY_TRY(transaction.audit_checkpoints().put(row));
                    return {};
                },
                [&log = parts.log, places, done = std::move(done)](const Result<>& written) {
                    if (written.has_value())
                        for (const AuditCheckpoint& place : *places)
                            log.info("audit.checkpoint",
                                     {{"seq", place.seq}, {"hash", to_hex(place.hash)}});
                    done(written);
                });
        });
}

}  // namespace rekey::server::audit
