#include "base/limits.hpp"
#include "storage/memory/memory_tables.hpp"

#include <algorithm>
#include <string_view>

namespace rekey::storage::memory {
namespace {

bool fits(const AuditRow& row, const AuditFilter& filter) {
    const AuditEvent& event = row.event;
    const auto is = [](const std::string& wanted, const std::string& value) {
        return wanted.empty() || wanted == value;
    };
    if (!is(filter.subject, event.subject) || !is(filter.actor, event.actor)) return false;
    if (!is(filter.party, event.subject) && !is(filter.party, event.actor)) return false;
    if (!is(filter.outcome, event.outcome)) return false;
    if (filter.from && event.time < *filter.from) return false;
    if (filter.until && event.time >= *filter.until) return false;
    const std::string_view action = filter.action;
    if (action.ends_with(".*"))
        return event.action.starts_with(action.substr(0, action.size() - 1));
    return is(filter.action, event.action);
}

}  // namespace

Result<std::vector<AuditRow>> MemoryAudit::query(const AuditFilter& filter, std::size_t limit) {
    std::vector<AuditRow> rows;
    const std::size_t most = std::min(limit, limits::kPageRows);
    const auto visit = [&](const AuditRow& row) {
        const bool inside =
            row.seq > filter.after_seq && (filter.before_seq == 0 || row.seq < filter.before_seq);
        if (rows.size() < most && inside && fits(row, filter)) rows.push_back(row);
    };
    if (filter.order == AuditFilter::Order::newest_first)
        std::for_each(data.audit.rbegin(), data.audit.rend(), visit);
    else
        std::for_each(data.audit.begin(), data.audit.end(), visit);
    return rows;
}

Result<std::vector<AuditRow>> MemoryAudit::walk(std::uint64_t after_seq, std::size_t limit) {
    const auto first = std::ranges::upper_bound(data.audit, after_seq, {}, &AuditRow::seq);
    const auto left = static_cast<std::size_t>(data.audit.end() - first);
    const auto count = std::min({limit, limits::kVerifyPage, left});
    return std::vector<AuditRow>(first, first + static_cast<std::ptrdiff_t>(count));
}

Result<ChainEnds> MemoryAudit::ends() {
    if (data.audit.empty()) return ChainEnds{};
    return ChainEnds{data.audit.front().seq, {data.audit.back().seq, data.audit.back().hash}};
}

Result<SeqRange> MemoryAudit::places_of(std::optional<Time> from, std::optional<Time> until) {
    SeqRange range;
    for (const AuditRow& row : data.audit) {
        if (!fits(row, {.from = from, .until = until})) continue;
        if (range.last == 0) range.first = row.seq;
        range.last = row.seq;
    }
    return range;
}

Result<std::uint64_t> MemoryAudit::remove_up_to(std::uint64_t seq) {
    REKEY_TRY(journal.require_write());
    if (data.audit.empty() || seq < data.audit.front().seq) return std::uint64_t{0};
    if (seq >= data.audit.back().seq)
        return Error(Code::invalid_params, "the newest audit row always stays");
    const std::uint64_t count = seq - data.audit.front().seq + 1;
    if (count > limits::kSweepRows)
        return Error(Code::invalid_params, "too many audit rows to remove at once");
    const auto end = data.audit.begin() + static_cast<std::ptrdiff_t>(count);
    journal.on_roll_back([this_data = &data, old = std::vector(data.audit.begin(), end)] {
        this_data->audit.insert(this_data->audit.begin(), old.begin(), old.end());
    });
    data.audit.erase(data.audit.begin(), end);
    return count;
}

Result<std::vector<AuditCheckpointRow>> MemoryAuditCheckpoints::list(std::uint64_t after_seq,
                                                                     std::size_t limit) {
    std::vector<AuditCheckpointRow> rows;
    const std::size_t most = std::min(limit, limits::kCheckpointsAnAnswer);
    for (auto found = data.audit_checkpoints.upper_bound(after_seq);
         found != data.audit_checkpoints.end() && rows.size() < most; ++found)
        rows.push_back(found->second);
    return rows;
}

Result<std::optional<AuditCheckpointRow>> MemoryAuditCheckpoints::newest_up_to(std::uint64_t seq) {
    const auto behind = data.audit_checkpoints.upper_bound(seq);
    if (behind == data.audit_checkpoints.begin()) return std::optional<AuditCheckpointRow>();
    return std::optional(std::prev(behind)->second);
}

Result<> MemoryAuditCheckpoints::put(const AuditCheckpointRow& row) {
    REKEY_TRY(journal.require_write());
    journal.remember(data.audit_checkpoints, row.seq);
    data.audit_checkpoints.insert_or_assign(row.seq, row);
    return {};
}

Result<> MemoryAuditCheckpoints::remove_before(std::uint64_t seq) {
    REKEY_TRY(journal.require_write());
    while (!data.audit_checkpoints.empty() && data.audit_checkpoints.begin()->first < seq) {
        const std::uint64_t gone = data.audit_checkpoints.begin()->first;
        journal.remember(data.audit_checkpoints, gone);
        data.audit_checkpoints.erase(gone);
    }
    return {};
}

}  // namespace rekey::storage::memory
