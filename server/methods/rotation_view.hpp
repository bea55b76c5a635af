#pragma once

#include "protocol/methods/rotations.hpp"
#include "server/rotation/coordinator.hpp"
#include "storage/store.hpp"

// Rotations as admins see them.
namespace rekey::server::methods {

[[nodiscard]] protocol::RotationStatus to_wire(rotation::RotationStatus status);

// The rotation's own row; while it is pending, with the progress that stands in its agent's row,
// and what can be done about it now.
[[nodiscard]] Result<protocol::RotationView> view_rotation(
    storage::Transaction& transaction, const storage::RotationRow& row,
    const rotation::Coordinator& coordinator);

}  // namespace rekey::server::methods
