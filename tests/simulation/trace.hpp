#pragma once

#include "tests/support/virtual_time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::simulation {

// Who an event is about: an agent's number, or the server.
inline constexpr int kServer = -1;

// All that happens, in words, in the order in which it happens. The newest events are kept to be
// told; all of them, with the bytes that went over the wire, go into one hash, so that two runs can
// be compared to the last bit.
class Trace {
  public:
    explicit Trace(const testing::VirtualTime& time) : time_(time), ring_(kKept) {}

    // `words` is cut at 63 bytes; `content` is hashed only.
    void note(int agent, std::string_view words, std::string_view content = {});
    // Two halves of a sentence.
    void note(int agent, std::string_view words, std::string_view more, std::string_view content);

    [[nodiscard]] std::uint64_t events() const { return count_; }
    [[nodiscard]] std::uint64_t hash() const { return hash_; }

    // The newest events of this agent and of the server, a line each, heartbeats left out.
    [[nodiscard]] std::string tell(int agent, std::size_t lines) const;

  private:
    static constexpr std::size_t kKept = 16384;
    struct Event {
        SteadyTime at{};
        int agent = kServer;
        std::array<char, 64> words{};
    };
    void mix(std::string_view bytes);
    void mix(std::uint64_t word) {
        hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15ULL, hash_ ^= hash_ >> 29U;
    }

    const testing::VirtualTime& time_;
    std::vector<Event> ring_;
    std::uint64_t count_ = 0;
    std::uint64_t hash_ = 0x6a09e667f3bcc908ULL;
};

// "day 3 04:05:06.007"
[[nodiscard]] std::string day_and_time(SteadyTime at);

}  // namespace rekey::simulation
