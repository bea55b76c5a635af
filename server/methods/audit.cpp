#include "protocol/methods/audit.hpp"

#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "server/methods/parts.hpp"
#include "storage/audit_scan.hpp"

#include <charconv>
#include <utility>

namespace rekey::server::methods {
namespace {

using protocol::AuditEntry;
using protocol::AuditQuery;
using rpc::Caller;
using rpc::Task;

AuditEntry show(const storage::AuditRow& row) {
    AuditEntry entry;
    entry.stream_id = row.stream_id;
    entry.seq = row.seq;
    entry.time = row.event.time;
    entry.actor = row.event.actor;
    entry.action = row.event.action;
    entry.subject = row.event.subject;
    entry.outcome = row.event.outcome;
    entry.details = row.event.details;
    entry.previous_hash = to_hex(row.previous_hash);
    entry.hash = to_hex(row.hash);
    return entry;
}

using Order = storage::AuditFilter::Order;

// The rows behind `seq`, in the filter's order.
void go_on_behind(storage::AuditFilter& filter, std::uint64_t seq) {
    (filter.order == Order::newest_first ? filter.before_seq : filter.after_seq) = seq;
}

Result<storage::AuditFilter> filter_of(const AuditQuery::Params& params) {
    storage::AuditFilter filter;
    filter.party = params.agent_id.value_or("");
    filter.subject = params.subject.value_or("");
    filter.actor = params.actor.value_or("");
    filter.action = params.action.value_or("");
    filter.outcome = params.outcome.value_or("");
    filter.from = params.from;
    filter.until = params.until;
    const bool newest_first = params.order == protocol::AuditOrder::newest_first;
    filter.order = newest_first ? Order::newest_first : Order::oldest_first;
    if (!params.cursor) return filter;
    const std::string& cursor = *params.cursor;
    const char* end = cursor.data() + cursor.size();
    std::uint64_t seq = 0;
    const auto [stop, problem] = std::from_chars(cursor.data(), end, seq);
    // Before 0 there is nothing, and storage takes it for "no bound".
    const bool outside = seq > limits::kGenerationCeiling || (newest_first && seq == 0);
    if (cursor.empty() || problem != std::errc() || stop != end || outside) {
        return protocol::bad_field({"cursor", "next_cursor of the page before, or a seq"});
    }
    go_on_behind(filter, seq);
    return filter;
}

Result<AuditQuery::Result> query_in(storage::Transaction& transaction,
                                    const storage::AuditFilter& filter, std::size_t limit) {
    REKEY_TRY_ASSIGN(found, storage::scan_audit(transaction.audit(), filter, limit));
    AuditQuery::Result page;
    for (const auto& row : found.rows) page.entries.push_back(show(row));
    if (found.next != 0) page.next_cursor = std::to_string(found.next);
    return page;
}

Task<Result<AuditQuery::Result>> query(const Parts& parts, AuditQuery::Params params) {
    const auto filter = filter_of(params);
    if (filter.has_error()) co_return Result<AuditQuery::Result>(filter.error());
    const auto limit = static_cast<std::size_t>(params.limit);
    auto unit = [filter = *filter, limit](storage::Transaction& transaction) {
        return query_in(transaction, filter, limit);
    };
    co_return co_await rpc::read_from<AuditQuery::Result>(parts.store, std::move(unit));
}

}  // namespace

void bind_audit(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AuditQuery>([&parts](const Caller&, AuditQuery::Params params) {
        return query(parts, std::move(params));
    });
}

}  // namespace rekey::server::methods
