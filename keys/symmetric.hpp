#pragma once

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

// AES-256-GCM and HKDF-SHA256 with keys that the caller holds. Safe from any thread as far as
// `random` is. For data at rest of Rekey's own, see seal.hpp.
namespace rekey::keys {

inline constexpr std::size_t kSymmetricKeyBytes = 32;

// nonce (12 bytes, random), ciphertext, tag (16). With one key, at most 2^32 messages (NIST SP
// 800-38D, section 8.3).
[[nodiscard]] Bytes gcm_encrypt(const Secret& key, ByteView plaintext, ByteView associated,
                                Random& random);
// `invalid_params` for data that was altered, cut short, or belongs to another key or other
// associated data.
[[nodiscard]] Result<Secret> gcm_decrypt(const Secret& key, ByteView sealed, ByteView associated);

// RFC 5869. An empty salt stands for 32 zeros. `invalid_params` for a length of 0 or over
// limits::kHkdfBytes.
[[nodiscard]] Result<Secret> hkdf_sha256(const Secret& input_key, ByteView salt, ByteView info,
                                         std::size_t length);

}  // namespace rekey::keys
