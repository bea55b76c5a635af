#include "protocol/token.hpp"

#include "base/contract.hpp"
#include "base/hash.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace rekey::protocol {
namespace {

constexpr std::size_t kPrefixDigits = 4;
constexpr std::size_t kSecretDigits = 43;   // 62^43 > 2^256
constexpr std::size_t kChecksumDigits = 6;  // 62^6 > 2^32
constexpr std::size_t kMaxIdDigits = 64;

// In the order of TokenKind.
constexpr std::array<std::string_view, 3> kPrefixes{"rka_", "rkk_", "rke_"};

bool is_token_id(std::string_view id) {
    return !id.empty() && id.size() <= kMaxIdDigits &&
           std::all_of(id.begin(), id.end(),
                       [](char c) { return c == '-' || is_base62(std::string_view(&c, 1)); });
}

std::string checksum_of(std::string_view text) {
    const std::uint32_t crc = crc32(text);
    const std::array<std::uint8_t, 4> big_endian{
        static_cast<std::uint8_t>(crc >> 24U), static_cast<std::uint8_t>((crc >> 16U) & 0xffU),
        static_cast<std::uint8_t>((crc >> 8U) & 0xffU), static_cast<std::uint8_t>(crc & 0xffU)};
    return to_base62(big_endian, kChecksumDigits);
}

}  // namespace

Secret mint_token(TokenKind kind, std::string_view id, Random& random) {
    REKEY_ASSERT(is_token_id(id));
    Bytes32 raw{};
    random.fill(raw);
    std::string secret = to_base62(raw, kSecretDigits);
    wipe_memory(raw.data(), raw.size());
    std::string text;
    // In one piece from the start, so that growing leaves no copy behind.
    text.reserve(kPrefixDigits + id.size() + 1 + kSecretDigits + kChecksumDigits);
    text.append(kPrefixes[static_cast<std::size_t>(kind)]).append(id).append("_").append(secret);
    wipe_string(secret);
    text.append(checksum_of(text));
    Secret token(text);
    wipe_string(text);
    return token;
}

std::optional<ParsedToken> parse_token(std::string_view text) {
    const auto prefix =
        std::find(kPrefixes.begin(), kPrefixes.end(), text.substr(0, kPrefixDigits));
    if (prefix == kPrefixes.end()) return std::nullopt;
    constexpr std::size_t kTail = 1 + kSecretDigits + kChecksumDigits;
    if (text.size() <= kPrefixDigits + kTail) return std::nullopt;
    const std::string_view id = text.substr(kPrefixDigits, text.size() - kPrefixDigits - kTail);
    const std::string_view tail = text.substr(text.size() - kTail);
    if (!is_token_id(id) || tail.front() != '_' || !is_base62(tail.substr(1))) return std::nullopt;
    const std::size_t covered = text.size() - kChecksumDigits;
    if (checksum_of(text.substr(0, covered)) != text.substr(covered)) return std::nullopt;
    return ParsedToken{static_cast<TokenKind>(prefix - kPrefixes.begin()), id};
}

Bytes32 token_hash(const Secret& token) { return sha256(token.expose()); }
Bytes32 token_hash(std::string_view token_text) { return sha256(token_text); }

}  // namespace rekey::protocol
