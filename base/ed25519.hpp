#pragma once

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <array>
#include <memory>
#include <string_view>

namespace rekey {

using Ed25519Signature = std::array<std::uint8_t, 64>;

// An Ed25519 key pair (RFC 8032) over OpenSSL. The private half stays inside OpenSSL, which wipes
// it; it comes out only as PKCS#8 PEM for the owner's key file.
class Ed25519Key {
  public:
    Ed25519Key(Ed25519Key&& other) noexcept;
    Ed25519Key& operator=(Ed25519Key&& other) noexcept;
    ~Ed25519Key();

    // From the operating system's randomness, never from an injected generator.
    [[nodiscard]] static Ed25519Key generate();
    // The 32-byte seed of RFC 8032: for tests and derived keys.
    [[nodiscard]] static Ed25519Key from_seed(const Bytes32& seed);
    // `corrupt` if it is not an unencrypted PKCS#8 PEM of an Ed25519 key.
    [[nodiscard]] static Result<Ed25519Key> from_pem(const Secret& pem);

    [[nodiscard]] Secret to_pem() const;
    [[nodiscard]] const Bytes32& public_key() const { return public_key_; }
    [[nodiscard]] Ed25519Signature sign(std::string_view message) const;

  private:
    struct Pair;
    explicit Ed25519Key(std::unique_ptr<Pair> pair);
    std::unique_ptr<Pair> pair_;
    Bytes32 public_key_{};
};

// False for a wrong signature, a wrong length or a public key that is no point of the curve.
[[nodiscard]] bool ed25519_verify(const Bytes32& public_key, std::string_view message,
                                  ByteView signature);

}  // namespace rekey
