#pragma once

#include "base/clock.hpp"
#include "cli/agent_names.hpp"
#include "cli/table.hpp"
#include "protocol/methods/agents.hpp"
#include "protocol/methods/audit.hpp"
#include "protocol/methods/rotations.hpp"
#include "protocol/methods/settings.hpp"
#include "protocol/methods/system.hpp"

#include <optional>
#include <string>
#include <vector>

// How results look to people. `now` is the clock that "in 3d" is told by.
namespace rekey::cli {

[[nodiscard]] Table agents_table(const std::vector<protocol::AgentSummary>& agents, Time now);
[[nodiscard]] Record agent_record(const protocol::AgentSummary& agent, Time now);
[[nodiscard]] Record agent_record(const protocol::AgentDetail& agent, Time now);

[[nodiscard]] Table rotations_table(const std::vector<protocol::RotationView>& rotations,
                                    const NamesById& names, Time now);
[[nodiscard]] Record rotation_record(const protocol::RotationView& rotation, Time now);

[[nodiscard]] Table audit_table(const std::vector<protocol::AuditEntry>& entries,
                                const NamesById& names, Time now);

[[nodiscard]] Table settings_table(const protocol::SettingsView& view);
// One value as text: words without quotes, everything else as JSON.
[[nodiscard]] std::string setting_text(const boost::json::value& value);

[[nodiscard]] Record info_record(const protocol::SystemInfo::Result& info, Time now);

// A point in time in a cell, with its relative form as the brief one; "-" if there is none.
[[nodiscard]] Cell time_cell(const std::optional<Time>& time, Time now);
[[nodiscard]] Cell status_cell(protocol::RotationStatus status);

}  // namespace rekey::cli
