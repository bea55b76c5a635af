#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <string>

namespace rekey::server::sessions {

// Who asks on an agent's socket: itself and nobody else. The session was opened by a token that was
// good then; what has become of the agent since stands in its row.
struct AgentCaller {
    std::string agent_id;
    std::string address;      // without the port
    std::uint64_t epoch = 0;  // of the row when the session was let in
};

// The agent's row, if it is still what was let in: called first in every transaction that writes
// for an agent or answers a secret, because a socket outlives a suspension by the time that closing
// it takes. Errors: `agent_suspended`, `agent_revoked`, `unknown_credential` (gone, or enrolled
// again since).
[[nodiscard]] Result<storage::AgentRow> require_still(storage::Transaction& transaction,
                                                      const AgentCaller& caller);

// An audit event of the agent's own with outcome "ok" and its address in the details.
[[nodiscard]] storage::AuditEvent audit_event(const AgentCaller& caller, std::string action,
                                              std::string subject, Time now);

}  // namespace rekey::server::sessions
