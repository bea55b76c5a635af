#include "agent/backoff.hpp"

#include <algorithm>

namespace rekey::agent {

Milliseconds Backoff::next() {
    const Milliseconds delay{random_.between(0, static_cast<std::uint64_t>(window_.count()))};
    window_ = std::min<Milliseconds>(window_ * 2, limits::kReconnectBackoffCap);
    return delay;
}

Milliseconds at_least(Milliseconds least, Random& random) {
    return least + Milliseconds{random.between(0, static_cast<std::uint64_t>(least.count()))};
}

}  // namespace rekey::agent
