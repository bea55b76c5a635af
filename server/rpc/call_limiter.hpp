#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "server/rpc/token_buckets.hpp"
#include "server/settings.hpp"

#include <string>
#include <string_view>

namespace rekey::server::rpc {

// Bounds what one identity asks (rate_limit_api_per_minute): its calls, whatever key and door they
// come by, and as many again of what its agent does to hold its session, whatever connection it
// comes by. The two are apart, so that a program which spends all calls with an agent's API key
// does not keep the agent itself out. `rate_limited` with the time until the next one is allowed.
// Safe from any thread.
class CallLimiter {
  public:
    CallLimiter(const Clock& clock, Random& random, const LiveSettings& settings)
        : buckets_(clock, random, kIdentities), settings_(settings) {}

    // One call more.
    [[nodiscard]] Result<> count(std::string_view agent_id) {
        return ask(agent_id, TokenBuckets::Act::take);
    }
    // One connect, recovery or repeated enrollment, or one request on the agent's socket; its
    // secret was shown.
    [[nodiscard]] Result<> count_by_agent(std::string_view agent_id) {
        return ask("agent:" + std::string(agent_id), TokenBuckets::Act::take);
    }
    // Would a call be allowed? For a door that refuses before it reads what is called.
    [[nodiscard]] Result<> look(std::string_view agent_id) {
        return ask(agent_id, TokenBuckets::Act::look);
    }

  private:
    // As many as addresses: each of them has shown a right secret, so there are fewer.
    static constexpr std::size_t kIdentities = limits::kFailureAddresses;

    [[nodiscard]] Result<> ask(std::string_view agent_id, TokenBuckets::Act act) {
        const auto wait =
            buckets_.ask(agent_id, settings_.snapshot()->rate_limit_api_per_minute, act);
        if (!wait) return {};
        return Error(Code::rate_limited, "too many calls in this minute").with_retry_after(*wait);
    }

    TokenBuckets buckets_;
    const LiveSettings& settings_;
};

}  // namespace rekey::server::rpc
