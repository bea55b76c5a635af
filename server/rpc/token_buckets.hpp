#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/random.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace rekey::server::rpc {

// One bucket of `per_minute` tokens a key, which fills again over a minute. The rate is told with
// each call, so that another one counts at once. Safe from any thread.
//
// Memory is taken once, for `most` buckets, whoever comes. A full bucket is as good as none, so
// what makes room is the bucket that is full again first: of somebody who asked once, never of one
// who has spent all. To win an empty bucket back, an attacker would have to empty about `most`
// others within the minute, and so spend `most` times what he wins (docs/adr/0009). Which buckets
// compete for one place depends on a secret of the process, so nobody can choose them.
class TokenBuckets {
  public:
    TokenBuckets(const Clock& clock, Random& random, std::size_t most);

    // `look` leaves the token where it is.
    enum class Act : std::uint8_t { take, look };
    // Empty if there was a token, else the time until there is one. `per_minute` 0: always empty.
    [[nodiscard]] std::optional<std::chrono::seconds> ask(std::string_view key,
                                                          std::int64_t per_minute, Act act);

    // Keys that are remembered; at most `most`.
    [[nodiscard]] std::size_t keys() const;
    [[nodiscard]] std::size_t memory_bytes() const { return buckets_.size() * sizeof(Bucket); }

  private:
    struct Bucket {
        std::uint64_t tag = 0;  // of the key; 0: nobody's
        double tokens = 0;
        SteadyTime filled_at{};
    };
    struct Place {
        std::size_t first;  // of the buckets where the key may be
        std::uint64_t tag;
    };
    [[nodiscard]] Place place_of(std::string_view key) const;
    // The key's bucket; if it has none, a full one in the place of the one that is full first.
    [[nodiscard]] Bucket& bucket_at(const Place& place, double capacity, SteadyTime now);

    const Clock& clock_;
    Bytes32 seed_{};
    mutable std::mutex mutex_;
    std::vector<Bucket> buckets_;
};

}  // namespace rekey::server::rpc
