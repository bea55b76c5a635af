#include "server/recovery/challenge.hpp"

#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"

#include <algorithm>

namespace rekey::server::recovery {
namespace {

constexpr std::size_t kExpiryBytes = 8;

std::int64_t read_expiry(ByteView bytes) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < kExpiryBytes; ++i) number = number << 8U | bytes[i];
    return static_cast<std::int64_t>(number);
}

}  // namespace

Challenges::Challenges(const keys::MasterKey& master_key)
    : key_(master_key.derive("rekey-recovery-challenge-v1")) {}

Bytes32 Challenges::seal(std::int64_t expires_ms, std::string_view agent_id,
                         std::uint64_t next_generation) const {
    // Numbers and separators first, so that no two sets of parts give one text.
    const std::string message = std::to_string(expires_ms) + "\n" +
                                std::to_string(next_generation) + "\n" + std::string(agent_id);
    return hmac_sha256(key_.expose(), as_bytes(message));
}

std::string Challenges::issue(std::string_view agent_id, std::uint64_t next_generation,
                              Time now) const {
    const Time expires = now + Milliseconds(limits::kChallengeLife);
    const std::int64_t expires_ms = expires.time_since_epoch().count();
    Bytes bytes;
    for (std::size_t i = kExpiryBytes; i-- > 0;)
        bytes.push_back(
            static_cast<std::uint8_t>(static_cast<std::uint64_t>(expires_ms) >> (8U * i)));
    const Bytes32 tag = seal(expires_ms, agent_id, next_generation);
    bytes.insert(bytes.end(), tag.begin(), tag.end());
    return to_base64url(bytes);
}

bool Challenges::holds(std::string_view challenge, std::string_view agent_id,
                       std::uint64_t next_generation, Time now) const {
    const auto bytes = from_base64url(challenge);
    if (!bytes || bytes->size() != kExpiryBytes + Bytes32{}.size()) return false;
    const ByteView view(*bytes);
    const std::int64_t expires_ms = read_expiry(view);
    const Bytes32 tag = seal(expires_ms, agent_id, next_generation);
    const bool ours = equal_in_constant_time(view.subspan(kExpiryBytes), tag);
    const std::int64_t now_ms = now.time_since_epoch().count();
    // Further ahead than its life: the clock was set back, and it would live longer than promised.
    return ours && now_ms < expires_ms &&
           expires_ms - now_ms <= Milliseconds(limits::kChallengeLife).count();
}

}  // namespace rekey::server::recovery
