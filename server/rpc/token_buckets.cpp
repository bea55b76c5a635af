#include "server/rpc/token_buckets.hpp"

#include "base/hash.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>

namespace rekey::server::rpc {
namespace {

// So many buckets compete for a place: enough that the emptiest ones of a busy table survive, few
// enough to look at in one go.
constexpr std::size_t kWays = 16;

}  // namespace

TokenBuckets::TokenBuckets(const Clock& clock, Random& random, std::size_t most)
    : clock_(clock), buckets_(std::max(most / kWays, std::size_t{1}) * kWays) {
    random.fill(seed_);
}

TokenBuckets::Place TokenBuckets::place_of(std::string_view key) const {
    std::string seeded(reinterpret_cast<const char*>(seed_.data()), seed_.size());
    seeded.append(key);
    const Bytes32 hash = sha256(seeded);
    std::uint64_t tag = 0;
    std::uint64_t set = 0;
    std::memcpy(&tag, hash.data(), sizeof tag);
    std::memcpy(&set, hash.data() + sizeof tag, sizeof set);
    return {set % (buckets_.size() / kWays) * kWays, tag == 0 ? 1 : tag};
}

TokenBuckets::Bucket& TokenBuckets::bucket_at(const Place& place, double capacity, SteadyTime now) {
    const std::span<Bucket> set(buckets_.data() + place.first, kWays);
    const double a_second = capacity / 60.0;
    Bucket* fullest = nullptr;
    double fullest_tokens = -1;
    for (Bucket& bucket : set) {
        const double seconds = std::chrono::duration<double>(now - bucket.filled_at).count();
        bucket.tokens =
            bucket.tag == 0 ? capacity : std::min(capacity, bucket.tokens + seconds * a_second);
        bucket.filled_at = now;
        if (bucket.tag == place.tag) return bucket;
        // A place that is nobody's comes before a full bucket.
        const double tokens = bucket.tag == 0 ? capacity + 1 : bucket.tokens;
        if (tokens > fullest_tokens) {
            fullest = &bucket;
            fullest_tokens = tokens;
        }
    }
    *fullest = {place.tag, capacity, now};
    return *fullest;
}

std::optional<std::chrono::seconds> TokenBuckets::ask(std::string_view key, std::int64_t per_minute,
                                                      Act act) {
    if (per_minute <= 0) return std::nullopt;
    const auto capacity = static_cast<double>(per_minute);
    const double a_second = capacity / 60.0;
    const Place place = place_of(key);
    const auto now = clock_.steady_now();

    const std::lock_guard lock(mutex_);
    Bucket& bucket = bucket_at(place, capacity, now);
    if (bucket.tokens >= 1.0) {
        if (act == Act::take) bucket.tokens -= 1.0;
        return std::nullopt;
    }
    const auto wait = static_cast<std::int64_t>(std::ceil((1.0 - bucket.tokens) / a_second));
    return std::chrono::seconds(std::max<std::int64_t>(1, wait));
}

std::size_t TokenBuckets::keys() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        buckets_.begin(), buckets_.end(), [](const Bucket& bucket) { return bucket.tag != 0; }));
}

}  // namespace rekey::server::rpc
