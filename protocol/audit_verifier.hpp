#pragma once

#include "protocol/audit_chain.hpp"
#include "protocol/audit_checkpoint.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rekey::protocol {

// A checkpoint beside its signature, as a database or an export holds it.
struct StoredCheckpoint {
    std::string stream_id;
    std::uint64_t seq = 0;
    Bytes32 hash{};
    std::string signature;
};

// Walks a chain from its beginning to its end, against the checkpoints that were signed along it.
// The same for the server's own look and for an export. One thread.
class AuditVerifier {
  public:
    // What `signature` signs, if a key that is trusted has signed it; else empty.
    using Open = std::function<std::optional<AuditCheckpoint>(std::string_view signature)>;
    AuditVerifier(std::string stream_id, Open open);

    // A chain that does not begin with row 1. `kept`: because retention removed what was before,
    // which the checkpoint has to say. `part`: because only a part was asked for.
    enum class Start : std::uint8_t { kept, part };
    [[nodiscard]] std::optional<ChainFault> begin_behind(const StoredCheckpoint& checkpoint,
                                                         Start start);
    // Goes on behind a place that was verified before.
    void go_on_behind(const ChainHead& head) { head_ = head; }

    // The chain has to pass this place with this hash; before its row comes.
    [[nodiscard]] std::optional<ChainFault> expect(const StoredCheckpoint& checkpoint);
    [[nodiscard]] std::optional<ChainFault> expect(const ChainHead& known);
    // The next row. After a fault nothing else may be asked.
    [[nodiscard]] std::optional<ChainFault> row(const AuditFacts& facts, const Bytes32& hash);
    // There are no more rows.
    [[nodiscard]] std::optional<ChainFault> finish() const;

    [[nodiscard]] const ChainHead& head() const { return head_; }
    [[nodiscard]] std::uint64_t rows() const { return rows_; }
    // Those whose signature and place were found right.
    [[nodiscard]] std::uint64_t checkpoints() const { return checkpoints_; }
    // The place of the newest of them; 0: none.
    [[nodiscard]] std::uint64_t last_checkpoint() const { return last_checkpoint_; }

  private:
    void pass_checkpoint();
    // What it signs, if that is what stands beside it.
    [[nodiscard]] std::optional<AuditCheckpoint> open(const StoredCheckpoint& checkpoint) const;

    std::string stream_id_;
    Open open_;
    ChainHead head_;
    std::uint64_t rows_ = 0;
    std::uint64_t checkpoints_ = 0;
    std::uint64_t last_checkpoint_ = 0;
    struct Expected {
        Bytes32 hash{};
        bool is_checkpoint = false;
    };
    std::multimap<std::uint64_t, Expected> expected_;  // by place
};

}  // namespace rekey::protocol
