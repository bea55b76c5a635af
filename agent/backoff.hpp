#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/random.hpp"

namespace rekey::agent {

// Full jitter: each delay is uniform between zero and a window that doubles up to a cap, so that a
// fleet that lost its server does not come back in one second.
class Backoff {
  public:
    explicit Backoff(Random& random) : random_(random) {}
    [[nodiscard]] Milliseconds next();
    void reset() { window_ = limits::kReconnectBackoffFirst; }
    // The upper bound of the next delay.
    [[nodiscard]] Milliseconds window() const { return window_; }

  private:
    Random& random_;
    Milliseconds window_ = limits::kReconnectBackoffFirst;
};

// Uniform between `least` and twice that.
[[nodiscard]] Milliseconds at_least(Milliseconds least, Random& random);

}  // namespace rekey::agent
