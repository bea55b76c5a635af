#pragma once

#include "base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rekey::server::sessions {

// What was seen a short while ago, so that somebody who shows one token again and again, or from
// many addresses, costs a bounded number of writes: one a token and address in
// limits::kSightingWindow, and limits::kSightingsAnAgent of one agent. Forgets at a restart and
// under pressure, which costs one more row. Safe from any thread.
class SightingWindow {
  public:
    enum class Kind : std::uint8_t { retired, contested };
    struct Seen {
        Kind kind = Kind::retired;
        std::uint64_t generation = 0;
        std::string address;
        friend bool operator==(const Seen&, const Seen&) = default;
    };

    // Whether this is new; from then on it is not.
    [[nodiscard]] bool is_new(std::string_view agent_id, Seen seen, SteadyTime now);
    // It could not be written.
    void forget(std::string_view agent_id);

  private:
    struct Agent {
        SteadyTime since{};
        std::vector<Seen> seen;
    };

    std::mutex mutex_;
    std::unordered_map<std::string, Agent> agents_;
};

// "192.0.2.7:4711" and "[2001:db8::1]:4711" without the port.
[[nodiscard]] std::string without_port(std::string_view address);

}  // namespace rekey::server::sessions
