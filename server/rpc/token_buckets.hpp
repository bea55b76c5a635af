#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rekey::server::rpc {

// One bucket of `per_minute` tokens a key, which fills again over a minute. The rate is told with
// each call, so that another one counts at once. Remembers `most` keys, the least recently used go
// first. Safe from any thread.
class TokenBuckets {
  public:
    TokenBuckets(const Clock& clock, std::size_t most) : clock_(clock), most_(most) {}

    // `look` leaves the token where it is.
    enum class Act : std::uint8_t { take, look };
    // Empty if there was a token, else the time until there is one. `per_minute` 0: always empty.
    [[nodiscard]] std::optional<std::chrono::seconds> ask(std::string_view key,
                                                          std::int64_t per_minute, Act act);

    [[nodiscard]] std::size_t keys() const;

  private:
    struct Bucket {
        std::string key;
        double tokens = 0;
        SteadyTime filled_at{};
    };
    using Buckets = std::list<Bucket>;
    Bucket& bucket_of(std::string_view key, double capacity, SteadyTime now);

    const Clock& clock_;
    const std::size_t most_;
    mutable std::mutex mutex_;
    Buckets buckets_;  // most recently used first
    std::unordered_map<std::string, Buckets::iterator> by_key_;
};

}  // namespace rekey::server::rpc
