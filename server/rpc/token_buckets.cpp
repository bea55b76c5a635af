#include "server/rpc/token_buckets.hpp"

#include <algorithm>
#include <cmath>

namespace rekey::server::rpc {

TokenBuckets::Bucket& TokenBuckets::bucket_of(std::string_view key, double capacity,
                                              SteadyTime now) {
    const auto found = by_key_.find(std::string(key));
    if (found != by_key_.end()) {
        buckets_.splice(buckets_.begin(), buckets_, found->second);
        return buckets_.front();
    }
    if (buckets_.size() >= most_) {
        by_key_.erase(buckets_.back().key);
        buckets_.pop_back();
    }
    buckets_.push_front(Bucket{std::string(key), capacity, now});
    by_key_.emplace(buckets_.front().key, buckets_.begin());
    return buckets_.front();
}

std::optional<std::chrono::seconds> TokenBuckets::ask(std::string_view key, std::int64_t per_minute,
                                                      Act act) {
    if (per_minute <= 0) return std::nullopt;
    const auto capacity = static_cast<double>(per_minute);
    const double a_second = capacity / 60.0;
    const auto now = clock_.steady_now();

    const std::lock_guard lock(mutex_);
    Bucket& bucket = bucket_of(key, capacity, now);
    const double seconds = std::chrono::duration<double>(now - bucket.filled_at).count();
    bucket.tokens = std::min(capacity, bucket.tokens + seconds * a_second);
    bucket.filled_at = now;
    if (bucket.tokens >= 1.0) {
        if (act == Act::take) bucket.tokens -= 1.0;
        return std::nullopt;
    }
    const auto wait = static_cast<std::int64_t>(std::ceil((1.0 - bucket.tokens) / a_second));
    return std::chrono::seconds(std::max<std::int64_t>(1, wait));
}

std::size_t TokenBuckets::keys() const {
    const std::lock_guard lock(mutex_);
    return buckets_.size();
}

}  // namespace rekey::server::rpc
