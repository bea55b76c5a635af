#pragma once

#include "base/log.hpp"
#include "base/random.hpp"
#include "keys/master_key.hpp"
#include "server/audit/checkpoint_key.hpp"
#include "storage/store.hpp"

namespace rekey::server::bootstrap {

// The key that signs the audit chain's checkpoints: from the database, where it is sealed, or made
// and sealed at the first start. Blocks. Throws StartupError.
[[nodiscard]] audit::CheckpointKey open_checkpoint_key(storage::Store& store,
                                                       const keys::MasterKey& master_key,
                                                       Random& random, const Log& log);

}  // namespace rekey::server::bootstrap
