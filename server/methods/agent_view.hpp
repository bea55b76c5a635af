#pragma once

#include "protocol/methods/agents.hpp"
#include "server/sessions/registry.hpp"
#include "storage/rows.hpp"

#include <optional>
#include <string_view>

// An agent's row as admins see it.
namespace rekey::server::methods {

// Whether the agent is connected, and when it was heard last if so: its row learns that later.
struct Presence {
    bool connected = false;
    std::optional<Time> heard_at;
};

struct Parts;
[[nodiscard]] Presence presence_of(const Parts& parts, std::string_view agent_id);

[[nodiscard]] protocol::AgentSummary summarise(const storage::AgentRow& row,
                                               const Presence& presence);
[[nodiscard]] protocol::AgentDetail describe(const storage::AgentRow& row, const Presence& presence,
                                             const std::optional<sessions::SessionFacts>& session);

// "Has enrolled at least once": from then on another enrollment ends what it holds.
[[nodiscard]] bool has_enrolled(const storage::AgentRow& row);

}  // namespace rekey::server::methods
