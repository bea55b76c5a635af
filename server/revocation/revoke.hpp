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

}  // namespace rekey::server::revocation
