#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <string_view>

// Somebody can always administer: what would leave nobody is refused. Asked inside the transaction
// of the change, and there is one writer, so two changes at once cannot both find the other's
// admin.
namespace rekey::server::rpc {

// Which API keys count: those that work at this moment (not revoked, not expired, not past the end
// that a rotation gave them), or only those of them that still will a day later.
enum class Keys : std::uint8_t { that_work, that_last };

// Does this identity administer? It does if it is active, was granted admin:*, and has an API key
// that counts and is not narrowed below admin:*. `without_key`: as if that key were gone; empty:
// none is.
[[nodiscard]] Result<bool> administers_in(storage::Transaction& transaction,
                                          std::string_view agent_id, Time now, Keys which,
                                          std::string_view without_key = {});

// Does it administer, with a key that works, and nobody else with one that lasts?
[[nodiscard]] Result<bool> is_last_admin_in(storage::Transaction& transaction,
                                            std::string_view agent_id, Time now);

// Does this key administer, and would nobody without it, with one that lasts?
[[nodiscard]] Result<bool> is_last_admin_key_in(storage::Transaction& transaction,
                                                std::string_view agent_id, std::string_view key_id,
                                                Time now);

// `wrong_state`, if is_last_admin_in. `what` completes "… would leave nobody who administers".
[[nodiscard]] Result<> require_other_admin_in(storage::Transaction& transaction,
                                              std::string_view agent_id, std::string_view what,
                                              Time now);

}  // namespace rekey::server::rpc
