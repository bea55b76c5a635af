#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rekey::server::rpc {

// Counts failed attempts by address, IPv6 by its /64 (protocol.md, rate_limit_auth_per_minute). The
// secret is always checked first, so that a right one is never refused because of others behind the
// same address: this only decides what a wrong one hears. A bucket of `per_minute` tokens that
// fills again over a minute. Remembers limits::kFailureAddresses addresses, the least recently
// failed go first. Safe from any thread.
class FailureLimiter {
  public:
    explicit FailureLimiter(const Clock& clock) : clock_(clock) {}

    // A wrong credential came from `address` (no port): `error` as long as its bucket holds, then
    // `rate_limited` with the time until it does again. `per_minute` 0: always `error`.
    [[nodiscard]] Error answer_failure(std::string_view address, std::int64_t per_minute,
                                       Error error);

    [[nodiscard]] std::size_t addresses() const;

  private:
    struct Bucket {
        std::string address;
        double tokens = 0;
        SteadyTime filled_at{};
    };
    using Buckets = std::list<Bucket>;

    const Clock& clock_;
    mutable std::mutex mutex_;
    Buckets buckets_;  // most recently failed first
    std::unordered_map<std::string, Buckets::iterator> by_address_;
};

// What failures are counted by: an IPv4 address as it is (also inside IPv6), the /64 of an IPv6
// one.
[[nodiscard]] std::string counted_address(std::string_view address);

}  // namespace rekey::server::rpc
