#pragma once

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "keys/algorithm.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// OpenSSL's key, by the name that its headers give it.
struct evp_pkey_st;

namespace rekey::keys {

// A public key that verifies with exactly one algorithm, which was settled when it was made: there
// is no call that takes the algorithm from a message (RFC 8725, section 3.1). Never changes; cheap
// to copy; safe from any thread.
class PublicKey {
  public:
    // `invalid_params` for a wrong length, a point that is not on the curve, an RSA modulus outside
    // 2048 to 4096 bits, an exponent that is even or below 65537, a leading zero byte.
    [[nodiscard]] static Result<PublicKey> ed25519(ByteView x);
    [[nodiscard]] static Result<PublicKey> ecdsa_p256(ByteView x, ByteView y);
    [[nodiscard]] static Result<PublicKey> rsa_pss(ByteView modulus, ByteView exponent);
    // SubjectPublicKeyInfo in PEM (RFC 7468), nothing before or after it.
    [[nodiscard]] static Result<PublicKey> from_pem(std::string_view pem);
    // SubjectPublicKeyInfo in DER (RFC 5280, section 4.1), nothing after it.
    [[nodiscard]] static Result<PublicKey> from_der(ByteView der);
    // Of a key that OpenSSL holds already, under the same rules.
    [[nodiscard]] static Result<PublicKey> from_openssl(std::shared_ptr<evp_pkey_st> key);

    [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
    [[nodiscard]] std::size_t size_bits() const;
    [[nodiscard]] std::string to_pem() const;
    [[nodiscard]] Bytes to_der() const;

    // False for a signature of another length or form, and for a wrong one. ECDSA as r||s.
    [[nodiscard]] bool verify(std::string_view message, ByteView signature) const;

    // The numbers of its JWK (RFC 7518, section 6; RFC 8037) by member name, big-endian, in the
    // order of RFC 7638: "x"; "x", "y"; "e", "n".
    [[nodiscard]] std::vector<std::pair<std::string_view, Bytes>> numbers() const;

  private:
    PublicKey(Algorithm algorithm, std::shared_ptr<evp_pkey_st> key)
        : algorithm_(algorithm), key_(std::move(key)) {}

    Algorithm algorithm_;
    std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace rekey::keys
