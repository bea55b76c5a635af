#include "protocol/audit_verifier.hpp"

#include <utility>

namespace rekey::protocol {

AuditVerifier::AuditVerifier(std::string stream_id, Open open)
    : stream_id_(std::move(stream_id)), open_(std::move(open)) {}

std::optional<AuditCheckpoint> AuditVerifier::open(const StoredCheckpoint& checkpoint) const {
    auto opened = open_(checkpoint.signature);
    if (!opened || checkpoint.stream_id != stream_id_ || opened->stream_id != stream_id_ ||
        opened->seq != checkpoint.seq || opened->hash != checkpoint.hash)
        return std::nullopt;
    return opened;
}

std::optional<ChainFault> AuditVerifier::begin_behind(const StoredCheckpoint& checkpoint,
                                                      Start start) {
    const auto opened = open(checkpoint);
    if (!opened) return ChainFault{ChainFaultKind::bad_checkpoint, checkpoint.seq};
    // Whoever cuts off the oldest rows can end at a checkpoint, but cannot sign that it was right.
    if (start == Start::kept && !opened->beginning)
        return ChainFault{ChainFaultKind::missing, checkpoint.seq};
    head_ = {checkpoint.seq, checkpoint.hash};
    pass_checkpoint();
    return std::nullopt;
}

std::optional<ChainFault> AuditVerifier::expect(const StoredCheckpoint& checkpoint) {
    if (!open(checkpoint)) return ChainFault{ChainFaultKind::bad_checkpoint, checkpoint.seq};
    if (checkpoint.seq > head_.seq)
        expected_.emplace(checkpoint.seq, Expected{checkpoint.hash, true});
    return std::nullopt;
}

std::optional<ChainFault> AuditVerifier::expect(const ChainHead& known) {
    if (known.seq > head_.seq) {
        expected_.emplace(known.seq, Expected{known.hash, false});
    } else if (known.seq == head_.seq && known.hash != head_.hash) {
        return ChainFault{ChainFaultKind::wrong_hash, known.seq};
    }
    return std::nullopt;
}

std::optional<ChainFault> AuditVerifier::row(const AuditFacts& facts, const Bytes32& hash) {
    if (facts.stream_id != stream_id_) return ChainFault{ChainFaultKind::altered, facts.seq};
    if (auto fault = follow(facts, hash, head_)) return fault;
    ++rows_;
    while (!expected_.empty() && expected_.begin()->first == head_.seq) {
        const auto [known, is_checkpoint] = expected_.begin()->second;
        if (known != head_.hash) return ChainFault{ChainFaultKind::wrong_hash, head_.seq};
        if (is_checkpoint) pass_checkpoint();
        expected_.erase(expected_.begin());
    }
    return std::nullopt;
}

void AuditVerifier::pass_checkpoint() {
    ++checkpoints_;
    last_checkpoint_ = head_.seq;
}

std::optional<ChainFault> AuditVerifier::finish() const {
    if (expected_.empty()) return std::nullopt;
    return ChainFault{ChainFaultKind::truncated, head_.seq + 1};
}

}  // namespace rekey::protocol
