#pragma once

#include "base/clock.hpp"
#include "keys/master_key.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rekey::server::recovery {

// Challenges that nobody has to remember: an expiry and an HMAC-SHA256 over it, the agent's id and
// its next_generation, under a key derived from the master key. So each is good for one agent, for
// limits::kChallengeLife by the wall clock, and until a token is minted for that agent; a restart
// changes nothing. Whether the agent exists does not show in it. Safe from any thread.
class Challenges {
  public:
    explicit Challenges(const keys::MasterKey& master_key);

    // `next_generation` 0: an agent that is not there. Text in base64url.
    [[nodiscard]] std::string issue(std::string_view agent_id, std::uint64_t next_generation,
                                    Time now) const;
    [[nodiscard]] bool holds(std::string_view challenge, std::string_view agent_id,
                             std::uint64_t next_generation, Time now) const;

  private:
    [[nodiscard]] Bytes32 seal(std::int64_t expires_ms, std::string_view agent_id,
                               std::uint64_t next_generation) const;

    keys::KeyBytes key_;
};

}  // namespace rekey::server::recovery
