#pragma once

#include "base/clock.hpp"
#include "cli/table.hpp"
#include "protocol/methods/reports_view.hpp"

#include <string>

// What an agent reported of itself, as people read it. Everything in it was chosen by the agent.
namespace rekey::cli {

// A heading and a table, newest reports of each kind as the server orders them; empty if there is
// nothing.
[[nodiscard]] std::string reports_text(const protocol::AgentReports& reports, const Screen& screen,
                                       Time now);

}  // namespace rekey::cli
