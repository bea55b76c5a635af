#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "keys/algorithm.hpp"
#include "keys/public_key.hpp"

#include <string>
#include <string_view>

// JSON Web Signatures in compact form (RFC 7515) under the rules of RFC 8725: the algorithm is the
// key's, never the message's; `none` does not exist; nothing in a header brings or names a key
// other than kid. What comes from outside is refused with `unknown_credential`, and no error holds
// a byte of it. Every function is pure, never throws, and is safe from any thread.
namespace rekey::keys {

// A key that signs, wherever it lives: in memory, behind the master key, or in a device.
class JwsSigner {
  public:
    virtual ~JwsSigner() = default;
    [[nodiscard]] virtual Algorithm algorithm() const = 0;  // one that has a JWS name
    [[nodiscard]] virtual const std::string& kid() const = 0;
    // In the form of PublicKey::verify, or 32 bytes of HMAC-SHA256. May block; the implementation
    // says when, and what errors it has.
    [[nodiscard]] virtual Result<Bytes> sign(std::string_view message) const = 0;
};

// header.payload.signature. `typ` such as "at+jwt". Errors: the signer's.
[[nodiscard]] Result<std::string> jws_sign(const JwsSigner& signer, std::string_view typ,
                                           std::string_view payload);

struct JwsHeader {
    Algorithm algorithm;  // what the header claims: verify() compares it with the key's
    std::string kid;      // empty if absent
    std::string typ;      // as written; empty if absent
};

// Well-formed, but not believed yet.
struct CompactJws {
    JwsHeader header;
    std::string payload;        // bytes; nobody reads them before verify() said yes
    std::string signing_input;  // header.payload, as it came
    Bytes signature;
};

// Refused: over `max_bytes`; not three parts; base64url with padding, foreign characters or unused
// bits that are not zero; a header that is no JSON object, has a name twice, another algorithm than
// EdDSA, ES256, PS256 and HS256, `crit` or `b64` (RFC 7515 section 4.1.11, RFC 7797: extensions, of
// which we have none), or `jwk`, `jku`, `x5c`, `x5u` (a key that the sender brings); a kid over
// limits::kKidBytes, a typ over limits::kJwsTypBytes. An empty signature is refused as well.
[[nodiscard]] Result<CompactJws> parse_compact(std::string_view text,
                                               std::size_t max_bytes = limits::kJwsBytes);

// The signature is right, and its header names the algorithm of this key.
[[nodiscard]] bool verify(const CompactJws& jws, const PublicKey& key);
// HS256 only, with a key of at least 32 bytes (RFC 7518, section 3.2). A public key is of another
// type, so that its text can never be taken for a shared secret.
[[nodiscard]] bool verify_hmac(const CompactJws& jws, const Secret& key);

}  // namespace rekey::keys
