#pragma once

#include "base/limits.hpp"
#include "cli/context.hpp"

#include <cstddef>
#include <optional>

// Asking again, where a server says: later.
namespace rekey::cli {

// How long to wait after such an error: as long as it says, but never in a tight loop.
[[nodiscard]] Milliseconds wait_after(const Error& error);

// How long to wait before the same call is repeated, because the rate limit refused it; empty if
// that would be too long, or something else is wrong.
[[nodiscard]] std::optional<Milliseconds> wait_for_rate_limit(const Error& error);

// Calls M, which only reads, and stays within the rate limit by waiting: for what takes many calls,
// where an error in the middle would throw away what was read before.
template <protocol::Method M>
[[nodiscard]] Result<Answer<typename M::Result>> call_patiently(Context& context,
                                                                const typename M::Params& params) {
    for (std::size_t waits = 0;; ++waits) {
        auto answer = call<M>(context.api, params);
        if (answer.has_value() || waits == limits::kRateLimitWaits) return answer;
        const auto wait = wait_for_rate_limit(answer.error());
        if (!wait) return answer;
        context.pause(*wait);
    }
}

}  // namespace rekey::cli
