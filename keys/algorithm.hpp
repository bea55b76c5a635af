#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rekey::keys {

// Every algorithm that Rekey signs, encrypts or derives with. Hash functions are SHA-256 throughout
// (Ed25519 has its own, RFC 8032).
enum class Algorithm : std::uint8_t {
    ed25519,      // RFC 8032
    ecdsa_p256,   // FIPS 186-5, signatures as r||s, 32 bytes each (RFC 7518, section 3.4)
    rsa_pss,      // RFC 8017, section 8.1; MGF1 with SHA-256, salt of 32 bytes; 2048 to 4096 bits
    aes_256_gcm,  // NIST SP 800-38D
    hmac_sha256,  // RFC 2104
};

enum class KeyClass : std::uint8_t { asymmetric, symmetric };

// "ed25519", "ecdsa-p256", "rsa-pss", "aes-256-gcm", "hmac-sha256": as stored and shown.
[[nodiscard]] std::string_view name_of(Algorithm algorithm);
[[nodiscard]] std::optional<Algorithm> algorithm_named(std::string_view name);

[[nodiscard]] constexpr KeyClass class_of(Algorithm algorithm) {
    return algorithm == Algorithm::aes_256_gcm || algorithm == Algorithm::hmac_sha256
               ? KeyClass::symmetric
               : KeyClass::asymmetric;
}

// The "alg" of a JWS (RFC 7518, section 3.1; RFC 8037): "EdDSA", "ES256", "PS256", "HS256"; empty
// for what cannot sign. Any other name, "none" above all, is no algorithm.
[[nodiscard]] std::string_view jws_name_of(Algorithm algorithm);
[[nodiscard]] std::optional<Algorithm> algorithm_of_jws(std::string_view alg);

}  // namespace rekey::keys
