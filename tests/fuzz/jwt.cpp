#include "keys/jwt.hpp"

#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "keys/jws.hpp"
#include "tests/fuzz/input.hpp"

#include <string>

// A bearer token as a stranger may send it.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rekey;
    using fuzz::must;
    const auto text = fuzz::text_of(data, size);
    const auto jws = keys::parse_compact(text);
    if (jws.has_error()) {
        must(jws.error().code() == Code::unknown_credential);
        return 0;
    }
    // One text a token: what was taken apart is that text again, byte by byte.
    must(jws->signing_input + "." + to_base64url(jws->signature) == text);
    const keys::Expect expect{.iss = "rekey", .aud = "rekey", .typ = "at+jwt"};
    const Time now{std::chrono::milliseconds(1'800'000'000'000)};
    const auto claims = keys::check_claims(*jws, expect, now);
    if (claims.has_error()) {
        must(claims.error().code() == Code::unknown_credential ||
             claims.error().code() == Code::token_expired);
        return 0;
    }
    must(claims->iss == "rekey" && claims->aud == "rekey" && !claims->sub.empty());
    must(claims->exp + limits::kJwtLeeway > now && claims->nbf <= now + limits::kJwtLeeway);
    return 0;
}
