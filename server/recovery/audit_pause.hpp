#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace rekey::server::recovery {

// Lets one audit row of a kind through, then counts what is alike for limits::kRecoveryAuditPause:
// an agent that asks in a loop, or somebody who asks in its name, must not fill the chain.
// Remembers limits::kRecoveryAuditAgents kinds, the oldest go first. Safe from any thread.
class AuditPause {
  public:
    explicit AuditPause(const Clock& clock) : clock_(clock) {}

    // How many were left out since the last one, if this one is to be written.
    [[nodiscard]] std::optional<std::uint64_t> admit(const std::string& kind);

  private:
    struct Kind {
        std::string name;
        SteadyTime written_at{};
        std::uint64_t left_out = 0;
    };
    using Kinds = std::list<Kind>;

    const Clock& clock_;
    std::mutex mutex_;
    Kinds kinds_;  // newest row first
    std::unordered_map<std::string, Kinds::iterator> by_name_;
};

}  // namespace rekey::server::recovery
