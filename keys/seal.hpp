#pragma once

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "keys/master_key.hpp"

#include <optional>
#include <string>
#include <string_view>

// Encryption at rest: AES-256-GCM, a random 96-bit nonce each time, a key derived per purpose.
// Sealed data is: version (1 byte, 1), master-key id (4 bytes), nonce (12), ciphertext, tag (16).
// open answers `corrupt` for altered data, another context or purpose, and another master key; no
// error holds a byte of the content. Safe from any thread as far as `random` is.
namespace rekey::keys {

// What a sealed token belongs to; it opens nowhere else. All of it, with the master key's id, is
// associated data.
struct TokenContext {
    std::string_view agent_id;
    std::string_view rotation_id;
    std::uint64_t generation = 0;
};

[[nodiscard]] Bytes seal_token(const MasterKey& master, const TokenContext& context,
                               const Secret& token, Random& random);
[[nodiscard]] Result<Secret> open_token(const MasterKey& master, const TokenContext& context,
                                        ByteView sealed);

// Anything else, such as the CA's private key: `purpose` is a constant such as "ca-private-key".
[[nodiscard]] Bytes seal(const MasterKey& master, std::string_view purpose, const Secret& plaintext,
                         Random& random);
[[nodiscard]] Result<Secret> open(const MasterKey& master, std::string_view purpose,
                                  ByteView sealed);

// The id of the master key that `sealed` says it was made with; empty if it is no sealed data.
[[nodiscard]] std::optional<std::string> sealing_key_id(ByteView sealed);

}  // namespace rekey::keys
