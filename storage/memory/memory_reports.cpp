#include "base/limits.hpp"
#include "storage/memory/memory_tables.hpp"
#include "storage/names.hpp"

#include <algorithm>
#include <tuple>

namespace rekey::storage::memory {

Result<std::vector<ReportRow>> MemoryReports::list(std::string_view agent_id) {
    std::vector<ReportRow> rows;
    for (const auto& [key, row] : data.reports)
        if (row.report.agent_id == agent_id) rows.push_back(row);
    std::sort(rows.begin(), rows.end(), [](const ReportRow& left, const ReportRow& right) {
        return std::tuple(name_of(left.report.kind), std::string_view(left.report.name)) <
               std::tuple(name_of(right.report.kind), std::string_view(right.report.name));
    });
    return rows;
}

Result<Noted> MemoryReports::note(const Report& report, Time now) {
    REKEY_TRY(journal.require_write());
    const auto key = std::tuple(report.agent_id, report.kind, report.name);
    const auto found = data.reports.find(key);
    if (found != data.reports.end()) {
        journal.remember(data.reports, key);
        found->second.report.details = report.details;
        found->second.last_seen_at = now;
        ++found->second.times;
        return Noted::repeated;
    }
    const auto there =
        std::count_if(data.reports.begin(), data.reports.end(), [&](const auto& entry) {
            const Report& other = entry.second.report;
            return other.agent_id == report.agent_id && other.kind == report.kind;
        });
    if (static_cast<std::size_t>(there) >= limits::kReportsAKind) return Noted::full;
    REKEY_TRY(require_agent(report.agent_id));
    journal.remember(data.reports, key);
    data.reports.insert_or_assign(
        key, ReportRow{.report = report, .first_seen_at = now, .last_seen_at = now, .times = 1});
    return Noted::added;
}

}  // namespace rekey::storage::memory
