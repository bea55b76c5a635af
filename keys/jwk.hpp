#pragma once

#include "base/result.hpp"
#include "keys/public_key.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

// Public keys as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037): OKP with Ed25519, EC with
// P-256, RSA. For verifying only. Every function is pure and never throws.
namespace rekey::keys {

struct Jwk {
    PublicKey key;
    std::string kid;  // empty if it has none
};

// {"kty", "crv"?, numbers, "kid"?, "use": "sig", "alg"}, members in that order.
[[nodiscard]] boost::json::object to_json(const Jwk& jwk);

// RFC 7638: base64url of the SHA-256 over the required members. The name of a key that has none.
[[nodiscard]] std::string thumbprint(const PublicKey& key);

// Strict: at most limits::kJwkBytes; a private or symmetric part ("d", "k" ...), another "use" than
// "sig", "key_ops" other than ["verify"], an "alg" other than the one that the key verifies with,
// numbers of another length or off the curve, and a kid over limits::kKidBytes are refused. Unknown
// members are ignored, as RFC 7517, section 4, asks. Errors: parse_error, invalid_params.
[[nodiscard]] Result<Jwk> parse_jwk(std::string_view text);
[[nodiscard]] Result<Jwk> jwk_from_json(const boost::json::object& object);

struct Jwks {
    std::vector<Jwk> keys;
    std::size_t ignored = 0;  // of other kinds and uses, or broken: RFC 7517, section 5
};

// At most limits::kJwksBytes and limits::kJwksKeys keys. A kid that comes twice spoils the set: two
// keys would answer to one name.
[[nodiscard]] Result<Jwks> parse_jwks(std::string_view text);
// {"keys": [...]} in the order given.
[[nodiscard]] std::string to_jwks_text(const std::vector<Jwk>& keys);

}  // namespace rekey::keys
