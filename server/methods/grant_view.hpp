#pragma once

#include "base/result.hpp"
#include "protocol/methods/capabilities.hpp"
#include "storage/store.hpp"

namespace rekey::server::methods {

// A grant as admins see it, with its id in the registry if it has one.
[[nodiscard]] Result<protocol::GrantView> view_grant(storage::Transaction& transaction,
                                                     const storage::GrantRow& row);

}  // namespace rekey::server::methods
