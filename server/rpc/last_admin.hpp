#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/store.hpp"

#include <string_view>

// Somebody can always administer: what would leave nobody is refused. Asked inside the transaction
// of the change, and there is one writer, so two changes at once cannot both find the other's
// admin.
namespace rekey::server::rpc {

// Does this identity administer at `now`? It does if it is active, was granted admin:*, and has an
// API key that works then (not revoked, not expired, not past the end that a rotation gave it) and
// is not narrowed below admin:*. `without_key`: as if that key were gone; empty: none is.
[[nodiscard]] Result<bool> administers_in(storage::Transaction& transaction,
                                          std::string_view agent_id, Time now,
                                          std::string_view without_key = {});

// Does it administer, and nobody else?
[[nodiscard]] Result<bool> is_last_admin_in(storage::Transaction& transaction,
                                            std::string_view agent_id, Time now);

// Would nobody administer any more without this key, though somebody does with it?
[[nodiscard]] Result<bool> is_last_admin_key_in(storage::Transaction& transaction,
                                                std::string_view agent_id, std::string_view key_id,
                                                Time now);

// `wrong_state`, if is_last_admin_in. `what` completes "… would leave nobody who administers".
[[nodiscard]] Result<> require_other_admin_in(storage::Transaction& transaction,
                                              std::string_view agent_id, std::string_view what,
                                              Time now);

}  // namespace rekey::server::rpc
