#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "server/rotation/agent_link.hpp"
#include "server/rotation/transitions.hpp"
#include "storage/store.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace rekey::server::rotation {

// Who caused a transition, for its audit row.
struct Cause {
    std::string actor;  // agent id, or "system"
    boost::json::object details;
    // Why a token was minted, when the transition mints one.
    RotationCause minted_for = RotationCause::schedule;
};

// An agent's own doing, on a connection from `address` (no port; empty: not known).
[[nodiscard]] Cause came_from(std::string agent_id, const std::string& address);

// Writes one transition in the transaction at hand: the row (compare-and-swap: `conflict` means
// read again and decide again, I14), its tombstones, the progress of its rotation and its audit row
// (I11). An unchanged transition writes nothing. `row` is what the decision was made on and becomes
// what is stored.
[[nodiscard]] Result<> apply(storage::Transaction& transaction, storage::AgentRow& row,
                             const Transition& transition, const Cause& cause, Time now);

// What `transition.sessions` asks for; after the commit.
void close_sessions(ConnectedAgents& agents, const std::string& agent_id,
                    const Transition& transition);

}  // namespace rekey::server::rotation
