#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rekey {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using Bytes32 = std::array<std::uint8_t, 32>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(ByteView bytes);
// Both cases are read; empty for an odd length or another character.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

// base64url without padding (RFC 4648, section 5).
[[nodiscard]] std::string to_base64url(ByteView bytes);
// Strict: no padding, no other character, unused bits zero; else empty.
[[nodiscard]] std::optional<Bytes> from_base64url(std::string_view text);

// A big-endian number in base 62, digits 0-9A-Za-z, padded with zeros to `width`. Keys are 32 bytes
// in 43 digits.
[[nodiscard]] std::string to_base62(ByteView big_endian, std::size_t width);
[[nodiscard]] bool is_base62(std::string_view text);

// CRC-32 as in zlib and PNG (ISO-HDLC, reflected polynomial 0xEDB88320).
[[nodiscard]] std::uint32_t crc32(std::string_view text);

// Valid UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);
// What of `text` is not UTF-8 becomes U+FFFD, a byte at a time: for text of others that must be
// written where only UTF-8 may stand.
[[nodiscard]] std::string repair_utf8(std::string_view text);

}  // namespace rekey
