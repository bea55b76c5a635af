#include "server/audit/verification.hpp"

#include "base/limits.hpp"
#include "storage/audit_chain.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

namespace rekey::server::audit {
namespace {

using protocol::AuditVerifier;
using protocol::ChainFault;
using protocol::ChainFaultKind;

protocol::StoredCheckpoint stored(const storage::AuditCheckpointRow& row) {
    return {row.stream_id, row.seq, row.hash, row.signature};
}

AuditVerifier verifier_with(const CheckpointKey& key) {
    return AuditVerifier(std::string(storage::kMainStream),
                         [&key](std::string_view jws) { return key.open(jws); });
}

}  // namespace

Result<> require_kept_behind(storage::Transaction& transaction, const CheckpointKey& key,
                             std::uint64_t place) {
    REKEY_TRY_ASSIGN(ends, transaction.audit().ends());
    if (ends.first_seq <= place + 1) return {};
    const std::uint64_t before = ends.first_seq - 1;
    REKEY_TRY_ASSIGN(beginning, transaction.audit_checkpoints().newest_up_to(before));
    const bool stands_there = beginning && beginning->seq == before;
    if (!stands_there ||
        verifier_with(key).begin_behind(stored(*beginning), AuditVerifier::Start::kept))
        return {};
    return Error(Code::conflict,
                 fmt::format("retention has removed rows behind row {}: begin again, with row {}",
                             place, ends.first_seq));
}

Verification::Verification(const CheckpointKey& key, std::optional<protocol::ChainHead> known)
    : key_(key), verifier_(verifier_with(key)), known_(known) {}

bool Verification::failed(std::optional<ChainFault> fault) {
    if (!fault) return false;
    fault_ = fault;
    return true;
}

// Where the chain begins; false if it does not begin well.
Result<bool> Verification::open(storage::Transaction& transaction) {
    opened_ = true;
    if (known_) {
        REKEY_TRY_ASSIGN(begun, open_behind(transaction, *known_));
        return begun;
    }
    REKEY_TRY_ASSIGN(ends, transaction.audit().ends());
    if (ends.first_seq <= 1) return true;
    const std::uint64_t before = ends.first_seq - 1;
    REKEY_TRY_ASSIGN(beginning, transaction.audit_checkpoints().newest_up_to(before));
    if (!beginning || beginning->seq != before)
        return !failed(ChainFault{ChainFaultKind::missing, before});
    expected_up_to_ = before;
    return !failed(verifier_.begin_behind(stored(*beginning), AuditVerifier::Start::kept));
}

// The place that is known has to be there: behind one that never was, there is nothing to find.
Result<bool> Verification::open_behind(storage::Transaction& transaction,
                                       const protocol::ChainHead& known) {
    verifier_.go_on_behind(known);
    expected_up_to_ = known.seq;
    REKEY_TRY_ASSIGN(ends, transaction.audit().ends());
    // Before the oldest row that was kept, or before all: the next row says whether it was this
    // one.
    if (known.seq == 0 || known.seq < ends.first_seq) return true;
    REKEY_TRY_ASSIGN(rows, transaction.audit().walk(known.seq - 1, 1));
    if (rows.empty()) return !failed(ChainFault{ChainFaultKind::truncated, known.seq});
    if (rows.front().seq != known.seq)
        return !failed(ChainFault{ChainFaultKind::missing, known.seq});
    if (rows.front().hash != known.hash)
        return !failed(ChainFault{ChainFaultKind::wrong_hash, known.seq});
    return true;
}

Result<> Verification::expect_up_to(storage::Transaction& transaction, std::uint64_t seq) {
    for (;;) {
        REKEY_TRY_ASSIGN(checkpoints, transaction.audit_checkpoints().list(
                                          expected_up_to_, limits::kCheckpointsAnAnswer));
        for (const auto& checkpoint : checkpoints) {
            if (checkpoint.seq > seq) return {};
            expected_up_to_ = checkpoint.seq;
            if (failed(verifier_.expect(stored(checkpoint)))) return {};
        }
        if (checkpoints.size() < limits::kCheckpointsAnAnswer) return {};
    }
}

Result<Verification::Progress> Verification::page(storage::Transaction& transaction) {
    if (opened_) {
        // Retention went past this place: what is left begins anew, and so does the look.
        REKEY_TRY_ASSIGN(ends, transaction.audit().ends());
        if (!known_ && ends.first_seq > verifier_.head().seq + 1) *this = Verification(key_, {});
    }
    if (!opened_) {
        REKEY_TRY_ASSIGN(begun, open(transaction));
        if (!begun) return Progress::ended;
    }
    if (known_) REKEY_TRY(require_kept_behind(transaction, key_, verifier_.head().seq));
    REKEY_TRY_ASSIGN(rows, transaction.audit().walk(verifier_.head().seq, limits::kVerifyPage));
    const bool last = rows.size() < limits::kVerifyPage;
    REKEY_TRY(expect_up_to(transaction,
                           last ? std::numeric_limits<std::int64_t>::max() : rows.back().seq));
    if (fault_) return Progress::ended;
    for (const storage::AuditRow& row : rows) {
        if (first_seq_ == 0) first_seq_ = row.seq;
        if (failed(verifier_.row(storage::facts_of(row), row.hash))) return Progress::ended;
    }
    if (last) {
        complete_ = !failed(verifier_.finish());
        return Progress::ended;
    }
    return verifier_.rows() >= limits::kVerifyRows ? Progress::ended : Progress::goes_on;
}

}  // namespace rekey::server::audit
