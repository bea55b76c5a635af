#pragma once

#include "protocol/methods/rotations.hpp"
#include "server/rotation/coordinator.hpp"
#include "storage/store.hpp"

// Rotations as admins see them.
namespace rekey::server::methods {

[[nodiscard]] protocol::RotationStatus to_wire(rotation::RotationStatus status);

// The rotation's own row, with the progress that stands in its agent's row while it is pending.
[[nodiscard]] Result<protocol::RotationView> view_rotation(storage::Transaction& transaction,
                                                           const storage::RotationRow& row);

}  // namespace rekey::server::methods
