#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "server/rotation/apply.hpp"
#include "storage/store.hpp"

namespace rekey::server::revocation {

// Ends an agent with all that it holds (S8): tokens, API keys, unused enrollment codes. `row` is
// what was read in this transaction and becomes what is stored. `wrong_state` if it is revoked.
[[nodiscard]] Result<rotation::Transition> revoke_in(storage::Transaction& transaction,
                                                     storage::AgentRow& row,
                                                     const rotation::Cause& cause, Time now);

// Takes the row of a revoked agent away with what hangs on it; what is left is its trail. `event`
// says when, by whom and why; the rest of the audit row, agent.deleted, is filled in here.
[[nodiscard]] Result<> remove_in(storage::Transaction& transaction, const storage::AgentRow& row,
                                 storage::AuditEvent event);

}  // namespace rekey::server::revocation
