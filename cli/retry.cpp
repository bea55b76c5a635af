#include "cli/retry.hpp"

#include <algorithm>

namespace rekey::cli {

using namespace std::chrono_literals;

Milliseconds wait_after(const Error& error) {
    constexpr Milliseconds kShortest = 1s;
    return std::max<Milliseconds>(error.retry_after().value_or(0s), kShortest);
}

std::optional<Milliseconds> wait_for_rate_limit(const Error& error) {
    const Milliseconds wait = wait_after(error);
    if (error.code() != Code::rate_limited || wait > limits::kRateLimitWait) return std::nullopt;
    return wait;
}

}  // namespace rekey::cli
