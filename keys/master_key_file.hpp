#pragma once

#include "keys/master_key.hpp"

#include <optional>
#include <string>

// The file of a master key by itself, for its rotation. Both throw StartupError with one line that
// names the file.
namespace rekey::keys {

// Nothing if there is no file; refuses one that others can read or that holds no master key.
[[nodiscard]] std::optional<MasterKey> read_master_key(const std::string& path);
// In place of what is there, mode 0600, durable before this returns.
void write_master_key(const std::string& path, const MasterKey& key);

}  // namespace rekey::keys
