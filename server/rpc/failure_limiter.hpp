#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "server/rpc/token_buckets.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rekey::server::rpc {

// Counts failed attempts by address, IPv6 by its /64 (protocol.md, rate_limit_auth_per_minute). The
// secret is always checked first, so that a right one is never refused because of others behind the
// same address: this only decides what a wrong one hears. Remembers limits::kFailureAddresses
// addresses in memory that is taken once (token_buckets.hpp). Safe from any thread.
class FailureLimiter {
  public:
    FailureLimiter(const Clock& clock, Random& random)
        : buckets_(clock, random, limits::kFailureAddresses) {}

    // A wrong credential came from `address` (no port): `error` as long as its bucket holds, then
    // `rate_limited` with the time until it does again. `per_minute` 0: always `error`.
    [[nodiscard]] Error answer_failure(std::string_view address, std::int64_t per_minute,
                                       Error error);

    [[nodiscard]] std::size_t addresses() const { return buckets_.keys(); }
    [[nodiscard]] std::size_t memory_bytes() const { return buckets_.memory_bytes(); }

  private:
    TokenBuckets buckets_;
};

// What failures are counted by: an IPv4 address as it is (also inside IPv6), the /64 of an IPv6
// one.
[[nodiscard]] std::string counted_address(std::string_view address);

}  // namespace rekey::server::rpc
