#include "storage/audit_scan.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace rekey::storage {
namespace {

using Order = AuditFilter::Order;

// The places that the filter leaves, first and last included.
Result<SeqRange> places_left(AuditTable& audit, const AuditFilter& filter) {
    REKEY_TRY_ASSIGN(range, audit.places_of(filter.from, filter.until));
    range.first = std::max(range.first, filter.after_seq + 1);
    if (filter.before_seq != 0) range.last = std::min(range.last, filter.before_seq - 1);
    return range;
}

}  // namespace

Result<AuditPage> scan_audit(AuditTable& audit, const AuditFilter& filter, std::size_t limit) {
    REKEY_TRY_ASSIGN(places, places_left(audit, filter));
    AuditPage page;
    if (places.last < places.first) return page;
    const bool newest_first = filter.order == Order::newest_first;
    SeqRange window = places;
    const bool whole = places.last - places.first < limits::kAuditScanRows;
    if (!whole && newest_first) window.first = places.last - limits::kAuditScanRows + 1;
    if (!whole && !newest_first) window.last = places.first + limits::kAuditScanRows - 1;

    AuditFilter bounded = filter;
    bounded.after_seq = window.first - 1;
    bounded.before_seq = window.last + 1;
    REKEY_TRY_ASSIGN(rows, audit.query(bounded, limit));
    if (rows.size() == limit && limit > 0) {
        // Is there one more? Within the window this is known, else the next page will say.
        AuditFilter rest = bounded;
        (newest_first ? rest.before_seq : rest.after_seq) = rows.back().seq;
        REKEY_TRY_ASSIGN(more, audit.query(rest, 1));
        if (!more.empty() || !whole) page.next = rows.back().seq;
    } else if (!whole) {
        page.next = newest_first ? window.first : window.last;
    }
    page.rows = std::move(rows);
    return page;
}

}  // namespace rekey::storage
