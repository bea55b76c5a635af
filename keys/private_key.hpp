#pragma once

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "keys/public_key.hpp"

#include <memory>
#include <string_view>

namespace rekey::keys {

// The private half of an asymmetric key, held by OpenSSL, which wipes it. Never changes; moved,
// never copied; signing is safe from any thread.
class PrivateKey {
  public:
    // From the operating system's randomness, never from an injected generator. `bits` counts for
    // RSA only: 2048 to 4096 in steps of 8, else invalid_params. RSA takes up to seconds.
    [[nodiscard]] static Result<PrivateKey> generate(Algorithm algorithm, std::size_t bits = 0);
    // Unencrypted PKCS#8 in PEM, nothing before or after it; `invalid_params` for any other text, a
    // key of another kind or size, and one whose halves do not belong together.
    [[nodiscard]] static Result<PrivateKey> from_pem(const Secret& pem);

    [[nodiscard]] Algorithm algorithm() const { return public_key_.algorithm(); }
    [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
    // PKCS#8 in PEM: to be sealed, or for the owner of a key that may leave.
    [[nodiscard]] Secret to_pem() const;
    // Ed25519: 64 bytes. ECDSA: r||s. RSA-PSS: as many bytes as the modulus.
    [[nodiscard]] Bytes sign(std::string_view message) const;

  private:
    PrivateKey(std::shared_ptr<evp_pkey_st> key, PublicKey public_key)
        : key_(std::move(key)), public_key_(std::move(public_key)) {}

    std::shared_ptr<evp_pkey_st> key_;
    PublicKey public_key_;
};

}  // namespace rekey::keys
