#pragma once

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

#include <optional>
#include <string_view>

// `<prefix><id>_<secret>`: secret = 43 base62 digits of 32 random bytes, then 6 base62 digits of
// the CRC-32 of all that stands before, so that a scanner finds a leaked one and a typing error is
// caught before a look-up (docs/protocol.md, "Secrets").
namespace rekey::protocol {

enum class TokenKind : std::uint8_t {
    agent,            // rka_<agent id>_
    api_key,          // rkk_<key id>_
    enrollment_code,  // rke_<code id>_
};

// `id` matches [0-9A-Za-z-]+ and has at most 64 characters; anything else is a bug of the caller.
[[nodiscard]] Secret mint_token(TokenKind kind, std::string_view id, Random& random);

// What the text says about itself. Nothing is proven yet: the caller compares token_hash() with the
// row's in constant time.
struct ParsedToken {
    TokenKind kind;
    std::string_view id;  // a view into the text
};

// Empty for any other form or a wrong checksum: to the peer that is `unknown_credential`.
[[nodiscard]] std::optional<ParsedToken> parse_token(std::string_view text);

// SHA-256 of the whole text: the only form in which the server keeps it.
[[nodiscard]] Bytes32 token_hash(const Secret& token);
[[nodiscard]] Bytes32 token_hash(std::string_view token_text);

}  // namespace rekey::protocol
