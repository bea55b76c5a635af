#pragma once

#include "protocol/methods/reports_view.hpp"
#include "storage/names.hpp"
#include "storage/rows.hpp"

#include <vector>

// What agents reported, as admins see it. Nothing else reads these rows: authorisation must not.
namespace rekey::server::methods {

[[nodiscard]] protocol::AgentReports show_reports(const std::vector<storage::ReportRow>& rows);

}  // namespace rekey::server::methods
