#include "cli/report_views.hpp"

#include "cli/views.hpp"

#include <fmt/format.h>

#include <utility>

namespace rekey::cli {
namespace {

void add(Table& table, std::string_view kind, std::string_view name, const std::string& details,
         const protocol::Reported& reported, Time now) {
    table.add({{std::string(kind)},
               {printable(name)},
               time_cell(reported.first_seen_at, now),
               time_cell(reported.last_seen_at, now),
               {std::to_string(reported.times)},
               {printable(details)}});
}

}  // namespace

std::string reports_text(const protocol::AgentReports& reports, const Screen& screen, Time now) {
    if (reports.capabilities.empty() && reports.integrations.empty() && reports.mcp_servers.empty())
        return {};
    Table table({{"REPORTED"},
                 {"NAME", Column::Fit::cut},
                 {"FIRST SEEN"},
                 {"LAST SEEN"},
                 {"TIMES", Column::Fit::leave_out, Column::Align::right},
                 {"DETAILS", Column::Fit::cut}});
    for (const auto& one : reports.capabilities)
        add(table, "capability", one.name, {}, one.reported, now);
    for (const auto& one : reports.integrations)
        add(table, "integration", one.sdk_version,
            fmt::format("{}: {}", one.platform, fmt::join(one.capabilities, ", ")), one.reported,
            now);
    for (const auto& one : reports.mcp_servers)
        add(table, "MCP server", one.mcp_server_id,
            fmt::format("{}, confidence {:g}", one.detection_method, one.confidence), one.reported,
            now);
    return "\nThe agent says of itself, which gives it no right:\n" + table.render(screen);
}

}  // namespace rekey::cli
