#include "storage/audit_chain.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace rekey::storage {

protocol::AuditFacts facts_of(const AuditRow& row) {
    const AuditEvent& event = row.event;
    return {.stream_id = row.stream_id,
            .seq = row.seq,
            .time = event.time,
            .actor = event.actor,
            .action = event.action,
            .subject = event.subject,
            .outcome = event.outcome,
            .details = row.details_json,
            .previous_hash = row.previous_hash};
}

Bytes32 audit_hash(const AuditRow& row) { return protocol::audit_hash(facts_of(row)); }

AuditRow chain_event(std::string_view stream_id, AuditEvent event, ChainHead& head) {
    AuditRow row;
    row.stream_id = stream_id;
    row.seq = head.seq + 1;
    row.details_json = event.details.empty() ? "{}" : boost::json::serialize(event.details);
    row.event = std::move(event);
    row.previous_hash = head.hash;
    row.hash = audit_hash(row);
    head = {row.seq, row.hash};
    return row;
}

std::optional<ChainFault> verify_chain(std::span<const AuditRow> rows, ChainHead& head) {
    for (const AuditRow& row : rows) {
        auto fault = protocol::follow(facts_of(row), row.hash, head);
        if (!fault) continue;
        // A gap that a later row of the same page fills is a row out of its place.
        if (fault->kind == ChainFaultKind::missing &&
            std::ranges::any_of(rows,
                                [&](const AuditRow& other) { return other.seq == fault->seq; }))
            return ChainFault{ChainFaultKind::reordered, row.seq};
        return fault;
    }
    return std::nullopt;
}

std::optional<ChainFault> verify_chain(std::span<const AuditRow> rows) {
    ChainHead head;
    return verify_chain(rows, head);
}

}  // namespace rekey::storage
