#pragma once

#include "agent/disk.hpp"
#include "agent/state.hpp"
#include "base/ed25519.hpp"
#include "base/result.hpp"

#include <string>

namespace rekey::agent {

// base64url of the 32 raw bytes, as the wire has it.
[[nodiscard]] std::string public_key_text(const Ed25519Key& key);

// `not_found`, `permission_denied`, `unavailable` as Disk::read; `corrupt` for another content.
[[nodiscard]] Result<Ed25519Key> read_identity(Disk& disk);

// The key of this enrollment. A crash at the end of an enrollment that replaces another one leaves
// it under `next_key`. `corrupt` when neither file holds it, `not_found` when there is none.
[[nodiscard]] Result<Ed25519Key> identity_of(const AgentState& state, Disk& key, Disk& next_key);

// A new key, durable when this returns.
[[nodiscard]] Result<Ed25519Key> make_identity(Disk& disk);

}  // namespace rekey::agent
