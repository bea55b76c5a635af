#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace rekey::testing {

// Time that passes only when told: what falls due at one instant runs in the order in which it was
// asked for. One thread.
class VirtualTime final : public Clock, public Timers {
  public:
    [[nodiscard]] Time now() const override { return wall; }
    [[nodiscard]] SteadyTime steady_now() const override { return steady; }
    [[nodiscard]] std::unique_ptr<Handle> after(Milliseconds delay,
                                                std::function<void()> callback) override;
    // The same for what nobody cancels.
    void later(Milliseconds delay, std::function<void()> callback);

    // Runs the first thing that falls due at or before `until`; false, and no change, if there is
    // none.
    bool run_next(SteadyTime until);
    // Runs all that falls due, in order.
    void run_for(Milliseconds duration);
    // Runs what is due now.
    void settle() { run_for(Milliseconds{0}); }
    [[nodiscard]] std::optional<Milliseconds> next_in() const;

    Time wall{std::chrono::days(20000)};
    SteadyTime steady{std::chrono::hours(1)};

  private:
    using Place = std::pair<SteadyTime, std::uint64_t>;
    class Cancel;
    Place add(Milliseconds delay, std::function<void()> callback);

    std::map<Place, std::function<void()>> entries_;
    std::uint64_t last_ = 0;
};

}  // namespace rekey::testing
