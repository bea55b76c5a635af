#pragma once

#include "storage/audit_tables.hpp"
#include "storage/sqlite/statement.hpp"

#include <utility>
#include <vector>

namespace rekey::storage::sqlite {

// Rows stand in the order in which they were written, and their times nearly so: a clock may be set
// back. `disorder` is the most by which a row's time was below that of one before it, rounded up to
// a power of two of seconds and kept in the table meta; with it, times are found by bisection, and
// no index on time has to be written with every rotation.
class SqliteAudit final : public AuditTable {
  public:
    explicit SqliteAudit(Connection& connection);
    [[nodiscard]] Result<std::vector<AuditRow>> query(const AuditFilter& filter,
                                                      std::size_t limit) override;
    [[nodiscard]] Result<std::vector<AuditRow>> walk(std::uint64_t after_seq,
                                                     std::size_t limit) override;
    [[nodiscard]] Result<ChainEnds> ends() override;
    [[nodiscard]] Result<SeqRange> places_of(std::optional<Time> from,
                                             std::optional<Time> until) override;
    void append(AuditEvent event) override { waiting_.push_back(std::move(event)); }
    [[nodiscard]] Result<std::uint64_t> remove_up_to(std::uint64_t seq) override;

    // For the writer. Before its first insert: finds out what a fresh connection has to know; the
    // newest stored row of the stream. Then the events that the unit appended, which are forgotten
    // here; and a row with its place in the chain.
    [[nodiscard]] Result<ChainHead> start_writing();
    [[nodiscard]] std::vector<AuditEvent> take_waiting() { return std::exchange(waiting_, {}); }
    [[nodiscard]] Result<> insert(const AuditRow& row);

  private:
    [[nodiscard]] Result<Milliseconds> disorder();
    [[nodiscard]] Result<> note_disorder(Milliseconds disorder);
    [[nodiscard]] Result<std::optional<Time>> time_at(std::uint64_t seq);
    // The first place in [first, last] whose row is at `time` or after it; last + 1 if none is.
    [[nodiscard]] Result<std::uint64_t> bisect(SeqRange range, Time time);

    Statement oldest_first_, newest_first_, walk_, first_, head_, time_, disorder_of_all_,
        get_disorder_, set_disorder_, insert_, remove_;
    std::vector<AuditEvent> waiting_;
    Time newest_time_{};
    Milliseconds known_disorder_{};
};

class SqliteAuditCheckpoints final : public AuditCheckpointsTable {
  public:
    explicit SqliteAuditCheckpoints(Connection& connection);
    [[nodiscard]] Result<std::vector<AuditCheckpointRow>> list(std::uint64_t after_seq,
                                                               std::size_t limit) override;
    [[nodiscard]] Result<std::optional<AuditCheckpointRow>> newest_up_to(
        std::uint64_t seq) override;
    [[nodiscard]] Result<> put(const AuditCheckpointRow& row) override;
    [[nodiscard]] Result<> remove_before(std::uint64_t seq) override;

  private:
    Statement list_, newest_, put_, remove_;
};

}  // namespace rekey::storage::sqlite
