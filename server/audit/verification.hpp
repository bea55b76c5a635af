#pragma once

#include "protocol/audit_verifier.hpp"
#include "server/audit/checkpoint_key.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <functional>
#include <optional>

namespace rekey::server::audit {

// For who goes on behind `place` in a transaction of its own: `conflict` if retention has removed
// rows behind it since, as it signed itself. Rows that somebody else removed are for the chain to
// show: no error.
[[nodiscard]] Result<> require_kept_behind(storage::Transaction& transaction,
                                           const CheckpointKey& key, std::uint64_t place);

// The chain of a database, walked in pages, each in a read transaction of its own; it may grow, and
// retention may remove its oldest rows, in between. Used by one thread at a time.
class Verification {
  public:
    // `known`: goes on behind a place that was verified before; none: from the beginning.
    Verification(const CheckpointKey& key, std::optional<protocol::ChainHead> known);

    enum class Progress : std::uint8_t { goes_on, ended };
    // The next limits::kVerifyPage rows, on a thread of the store. `ended`: at the newest row, at a
    // fault, or after limits::kVerifyRows rows. `conflict` if retention went past a place that was
    // known: whether what it removed was right can no more be found.
    [[nodiscard]] Result<Progress> page(storage::Transaction& transaction);

    [[nodiscard]] const std::optional<protocol::ChainFault>& fault() const { return fault_; }
    // It ended with the newest row.
    [[nodiscard]] bool complete() const { return complete_; }
    [[nodiscard]] const protocol::AuditVerifier& verifier() const { return verifier_; }
    // 0 if there was no row.
    [[nodiscard]] std::uint64_t first_seq() const { return first_seq_; }

  private:
    [[nodiscard]] Result<bool> open(storage::Transaction& transaction);
    [[nodiscard]] Result<bool> open_behind(storage::Transaction& transaction,
                                           const protocol::ChainHead& known);
    [[nodiscard]] Result<> expect_up_to(storage::Transaction& transaction, std::uint64_t seq);
    [[nodiscard]] bool failed(std::optional<protocol::ChainFault> fault);

    std::reference_wrapper<const CheckpointKey> key_;
    protocol::AuditVerifier verifier_;
    std::optional<protocol::ChainHead> known_;
    bool opened_ = false;
    bool complete_ = false;
    std::uint64_t first_seq_ = 0;
    std::uint64_t expected_up_to_ = 0;  // checkpoints that were told to the verifier
    std::optional<protocol::ChainFault> fault_;
};

}  // namespace rekey::server::audit
