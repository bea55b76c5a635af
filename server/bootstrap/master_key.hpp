#pragma once

#include "base/random.hpp"
#include "keys/master_key.hpp"
#include "storage/store.hpp"

#include <string>

namespace rekey::server::bootstrap {

// The master key that belongs to this database: read from `path`, or made together with it at a
// first start. Throws StartupError if it is missing, another, or readable by others. Blocks.
[[nodiscard]] keys::MasterKey open_master_key(const std::string& path, storage::Store& store,
                                              Random& random);

}  // namespace rekey::server::bootstrap
