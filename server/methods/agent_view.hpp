#pragma once

#include "protocol/methods/agents.hpp"
#include "server/sessions/registry.hpp"
#include "storage/rows.hpp"

#include <optional>

// An agent's row as admins see it.
namespace rekey::server::methods {

enum class Presence : std::uint8_t { absent, connected };

[[nodiscard]] protocol::AgentSummary summarise(const storage::AgentRow& row, Presence presence);
[[nodiscard]] protocol::AgentDetail describe(const storage::AgentRow& row, Presence presence,
                                             const std::optional<sessions::SessionFacts>& session);

// "Has enrolled at least once": from then on another enrollment ends what it holds.
[[nodiscard]] bool has_enrolled(const storage::AgentRow& row);

}  // namespace rekey::server::methods
