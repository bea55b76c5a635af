#include "server/rpc/failure_limiter.hpp"

#include "base/limits.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace rekey::server::rpc {

std::string counted_address(std::string_view address) {
    boost::system::error_code problem;
    const auto parsed = boost::asio::ip::make_address(std::string(address), problem);
    if (problem || parsed.is_v4()) return std::string(address);
    const auto v6 = parsed.to_v6();
    if (v6.is_v4_mapped()) {
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
    }
    auto bytes = v6.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

Error FailureLimiter::answer_failure(std::string_view address, std::int64_t per_minute,
                                     Error error) {
    if (per_minute <= 0) return error;
    const auto capacity = static_cast<double>(per_minute);
    const double a_second = capacity / 60.0;
    const auto now = clock_.steady_now();
    std::string counted = counted_address(address);

    const std::lock_guard lock(mutex_);
    auto found = by_address_.find(counted);
    if (found == by_address_.end()) {
        if (buckets_.size() >= limits::kFailureAddresses) {
            by_address_.erase(buckets_.back().address);
            buckets_.pop_back();
        }
        buckets_.push_front(Bucket{counted, capacity, now});
        found = by_address_.emplace(std::move(counted), buckets_.begin()).first;
    } else {
        buckets_.splice(buckets_.begin(), buckets_, found->second);
    }
    Bucket& bucket = *found->second;
    const double seconds = std::chrono::duration<double>(now - bucket.filled_at).count();
    bucket.tokens = std::min(capacity, bucket.tokens + seconds * a_second);
    bucket.filled_at = now;
    if (bucket.tokens >= 1.0) {
        bucket.tokens -= 1.0;
        return error;
    }
    const auto wait = static_cast<std::int64_t>(std::ceil((1.0 - bucket.tokens) / a_second));
    return Error(Code::rate_limited, "too many failed attempts from this address")
        .with_retry_after(std::chrono::seconds(std::max<std::int64_t>(1, wait)));
}

std::size_t FailureLimiter::addresses() const {
    const std::lock_guard lock(mutex_);
    return buckets_.size();
}

}  // namespace rekey::server::rpc
