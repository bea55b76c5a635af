#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace rekey::testing {

// Of a hundred messages so many are dropped, repeated, held back (all behind them wait too: a
// WebSocket keeps its order), or are the last of their connection, which is then cut in the middle
// of the message. All zero: honest.
struct Mischief {
    std::uint64_t drop = 0;
    std::uint64_t repeat = 0;
    std::uint64_t delay = 0;
    std::uint64_t cut = 0;
    std::chrono::milliseconds most_delay{1000};
};

struct Mishaps {
    std::uint64_t passed = 0;
    std::uint64_t dropped = 0;
    std::uint64_t repeated = 0;
    std::uint64_t delayed = 0;
    std::uint64_t cut = 0;
};
[[nodiscard]] std::string to_string(const Mishaps& mishaps);

// Stands between agents and a server that speak plain HTTP and WebSocket, on a thread of its own.
// What happens to the n-th message of a direction of the k-th connection follows from the seed.
class MessageProxy {
  public:
    explicit MessageProxy(std::uint64_t seed);
    ~MessageProxy();
    MessageProxy(const MessageProxy&) = delete;
    MessageProxy& operator=(const MessageProxy&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    void lead_to(std::uint16_t server_port);
    // From now on, also on open connections. Any thread.
    void set(const Mischief& mischief);
    [[nodiscard]] Mishaps mishaps() const;

  private:
    class Running;
    std::unique_ptr<Running> running_;
};

}  // namespace rekey::testing
