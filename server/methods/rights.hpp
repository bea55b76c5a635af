#pragma once

#include "base/clock.hpp"
#include "server/rpc/caller.hpp"
#include "server/rpc/capabilities.hpp"
#include "storage/store.hpp"

#include <string_view>

// What changes of identities ask of their caller, inside their transaction (docs/authorization.md).
namespace rekey::server::methods {

using rpc::permission_denied;

// The caller as it is now, if it may this still: what the dispatcher read may be over.
[[nodiscard]] Result<rpc::Caller> require_now(storage::Transaction& transaction,
                                              const rpc::Caller& caller,
                                              std::string_view capability, Time now);

// `permission_denied` if the agent holds a capability that the caller does not: who acts for an
// agent, or in its name, may as much as it.
[[nodiscard]] Result<> require_as_much_as(storage::Transaction& transaction,
                                          std::string_view agent_id, const rpc::Caller& caller);

// `permission_denied` if `agent_id` is the caller's own: nobody changes their own capabilities or
// status, whatever they hold. `what` completes "nobody …".
[[nodiscard]] Result<> require_another(const rpc::Caller& caller, std::string_view agent_id,
                                       std::string_view what);

}  // namespace rekey::server::methods
