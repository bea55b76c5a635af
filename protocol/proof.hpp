#pragma once

#include "base/secret.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// What is proven and signed, byte for byte (docs/protocol.md). Each message begins with its own
// name and version, so that a signature for one purpose never serves another.
namespace rekey::protocol {

// Lower-case hex of HMAC-SHA256; key = the whole token text as read back from disk, message =
// "rekey-rotation-proof-v1\n" agent_id "\n" rotation_id "\n" generation. agent_id is the session's,
// never a parameter of the peer's.
[[nodiscard]] std::string rotation_proof(const Secret& token, std::string_view agent_id,
                                         std::string_view rotation_id, std::uint64_t generation);

// In constant time.
[[nodiscard]] bool rotation_proof_is_valid(std::string_view proof, const Secret& token,
                                           std::string_view agent_id, std::string_view rotation_id,
                                           std::uint64_t generation);

// What the identity key signs at POST /enroll; `public_key` in base64url as it is sent.
[[nodiscard]] std::string enrollment_message(std::string_view code_id, std::string_view public_key);

// What it signs at POST /recover; `challenge` as it was received.
[[nodiscard]] std::string recovery_message(std::string_view agent_id, std::string_view challenge,
                                           std::uint64_t newest_held);

}  // namespace rekey::protocol
