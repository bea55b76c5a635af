#pragma once

#include "storage/audit_tables.hpp"

namespace rekey::storage {

struct AuditPage {
    std::vector<AuditRow> rows;
    // The place to go on behind, in the filter's order; 0: there is nothing more. A page that was
    // cut short by its bound has one, and fewer rows than were asked for, perhaps none.
    std::uint64_t next = 0;
};

// One page, for which at most limits::kAuditScanRows places are looked at. Bounds by time are found
// without a scan.
[[nodiscard]] Result<AuditPage> scan_audit(AuditTable& audit, const AuditFilter& filter,
                                           std::size_t limit);

}  // namespace rekey::storage
