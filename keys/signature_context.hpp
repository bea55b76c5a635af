#pragma once

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "keys/algorithm.hpp"

struct evp_pkey_st;

// Signing and verifying with OpenSSL under one algorithm's fixed parameters. Inside keys/ only:
// others use PublicKey and PrivateKey.
namespace rekey::keys {

// Ed25519: 64 bytes. ECDSA: r||s, 64 bytes. RSA-PSS: as many bytes as the modulus. An assertion
// breaks if the key has no private part.
[[nodiscard]] Bytes make_signature(evp_pkey_st* key, Algorithm algorithm, ByteView message);
[[nodiscard]] bool verify_signature(evp_pkey_st* key, Algorithm algorithm, ByteView message,
                                    ByteView signature);

}  // namespace rekey::keys
