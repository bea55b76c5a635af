#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "keys/jws.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

// The claims of a JSON Web Token (RFC 7519), as access tokens have them (RFC 9068). Pure; never
// throws; safe from any thread.
namespace rekey::keys {

struct JwtClaims {
    std::string iss;
    std::string sub;
    std::string aud;  // when it came as an array: the one that was expected
    Time exp{};       // times have whole seconds on the wire (NumericDate)
    Time nbf{};
    Time iat{};
    std::string jti;
    boost::json::object others;  // every claim that has no member above
};

// The payload of a token; `aud` as a string. Members of `others` with a registered name are left
// out: they cannot change what the token means.
[[nodiscard]] std::string encode_claims(const JwtClaims& claims);

struct Expect {
    std::string_view iss;
    std::string_view aud;
    std::string_view typ;  // of the header, such as "at+jwt" (RFC 8725, section 3.11)
};

// Judges the payload of a token whose signature was verified. All seven claims must be there,
// strings not empty and at most limits::kJwtClaimBytes, times finite numbers between 1970 and 9999;
// iss equal, aud equal or an array of at most limits::kJwtAudiences strings with ours in it; typ
// equal without regard to case or a leading "application/" (RFC 7515, section 4.1.9). Times count
// with limits::kJwtLeeway. Errors: token_expired after exp, unknown_credential for the rest; none
// holds a byte of the token.
[[nodiscard]] Result<JwtClaims> check_claims(const CompactJws& jws, const Expect& expect, Time now);

// The same for a payload that is parsed already, without its typ.
[[nodiscard]] Result<JwtClaims> check_claims(const boost::json::object& payload,
                                             const Expect& expect, Time now);

}  // namespace rekey::keys
