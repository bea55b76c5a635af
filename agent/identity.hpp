#pragma once

#include "agent/disk.hpp"
#include "base/ed25519.hpp"
#include "base/result.hpp"

#include <string>

namespace rekey::agent {

// base64url of the 32 raw bytes, as the wire has it.
[[nodiscard]] std::string public_key_text(const Ed25519Key& key);

// `not_found`, `permission_denied`, `unavailable` as Disk::read; `corrupt` for another content.
[[nodiscard]] Result<Ed25519Key> read_identity(Disk& disk);

// A new key, durable when this returns.
[[nodiscard]] Result<Ed25519Key> make_identity(Disk& disk);

}  // namespace rekey::agent
