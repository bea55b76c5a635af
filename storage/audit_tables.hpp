#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "storage/audit_chain.hpp"
#include "storage/rows.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// The audit chain and its checkpoints, as one transaction sees them (tables.hpp).
namespace rekey::storage {

struct AuditFilter {
    std::string subject;  // empty: any
    std::string actor;    // empty: any
    std::string action;   // empty: any; "rotation.*" for all that begin with "rotation."
    std::uint64_t after_seq = 0;
    std::uint64_t before_seq = 0;  // 0: up to the newest
    enum class Order : std::uint8_t { oldest_first, newest_first } order = Order::oldest_first;
    std::string party = {};          // subject or actor; empty: any
    std::string outcome = {};        // empty: any
    std::optional<Time> from = {};   // included
    std::optional<Time> until = {};  // not included
};

// What is kept of a stream: rows first_seq to head.seq. Both 0: none.
struct ChainEnds {
    std::uint64_t first_seq = 0;
    ChainHead head;
};

// Places that hold every row of some times, and others perhaps. Empty if last < first.
struct SeqRange {
    std::uint64_t first = 1;
    std::uint64_t last = 0;
};

class AuditTable {
  public:
    virtual ~AuditTable() = default;
    // At most limits::kPageRows; looks at as many rows as it takes (audit_scan.hpp bounds that).
    [[nodiscard]] virtual Result<std::vector<AuditRow>> query(const AuditFilter& filter,
                                                              std::size_t limit) = 0;
    // Rows with these places as they stand, without looking into their details: at most
    // limits::kVerifyPage.
    [[nodiscard]] virtual Result<std::vector<AuditRow>> walk(std::uint64_t after_seq,
                                                             std::size_t limit) = 0;
    [[nodiscard]] virtual Result<ChainEnds> ends() = 0;
    // Where the rows of these times are, also if the clock was set back in between.
    [[nodiscard]] virtual Result<SeqRange> places_of(std::optional<Time> from,
                                                     std::optional<Time> until) = 0;
    // The event gets its place in the chain when its unit is kept (store.hpp); a unit that is
    // rolled back leaves none.
    virtual void append(AuditEvent event) = 0;
    // Takes away the oldest rows up to and with `seq`, for retention alone. The newest one stays.
    // `invalid_params` for more than limits::kSweepRows at once; returns how many there were.
    [[nodiscard]] virtual Result<std::uint64_t> remove_up_to(std::uint64_t seq) = 0;
};

// A signed place of the chain.
struct AuditCheckpointRow {
    std::string stream_id;
    std::uint64_t seq = 0;
    Bytes32 hash{};
    Time time{};            // when it was signed
    std::string signature;  // compact JWS over all of these
    friend bool operator==(const AuditCheckpointRow&, const AuditCheckpointRow&) = default;
};

class AuditCheckpointsTable {
  public:
    virtual ~AuditCheckpointsTable() = default;
    // In the order of their places, those behind `after_seq`; at most limits::kCheckpointsAnAnswer.
    [[nodiscard]] virtual Result<std::vector<AuditCheckpointRow>> list(std::uint64_t after_seq,
                                                                       std::size_t limit) = 0;
    // The newest one whose place is at most `seq`.
    [[nodiscard]] virtual Result<std::optional<AuditCheckpointRow>> newest_up_to(
        std::uint64_t seq) = 0;
    // One of the same place is replaced.
    [[nodiscard]] virtual Result<> put(const AuditCheckpointRow& row) = 0;
    [[nodiscard]] virtual Result<> remove_before(std::uint64_t seq) = 0;
};

}  // namespace rekey::storage
