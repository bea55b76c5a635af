#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace rekey {

// Wall-clock instants, in milliseconds: what is stored, sent and shown. May jump; nothing that is
// safety-relevant depends on it (invariant I13).
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
// Instants that never go back: time-outs and back-off.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;
using Milliseconds = std::chrono::milliseconds;

// The only source of time. Safe from any thread.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Time now() const = 0;
    [[nodiscard]] virtual SteadyTime steady_now() const = 0;
};

// One instant on both clocks: what later tells whether the wall clock jumped since.
struct Moment {
    Time wall{};
    SteadyTime steady{};

    [[nodiscard]] static Moment of(const Clock& clock) { return {clock.now(), clock.steady_now()}; }
    // By how much the wall clock went another way than time did, until `later`; never negative.
    [[nodiscard]] Milliseconds jump_until(const Moment& later) const {
        return std::chrono::abs((later.wall - wall) - (later.steady - steady));
    }
};

// Has `span` passed since the wall clock showed `then`? Also where `then` lies further ahead than
// that: it was noted while the clock was astray, and would hold things up for as long.
[[nodiscard]] inline bool has_passed(Milliseconds span, Time then, Time now) {
    return now - then >= span || then - now > span;
}

class SystemClock final : public Clock {
  public:
    [[nodiscard]] Time now() const override;
    [[nodiscard]] SteadyTime steady_now() const override;
};

// One-shot timers on the caller's own thread. Destroying the handle cancels; a cancelled callback
// never runs.
class Timers {
  public:
    class Handle {
      public:
        virtual ~Handle() = default;
    };

    virtual ~Timers() = default;
    [[nodiscard]] virtual std::unique_ptr<Handle> after(Milliseconds delay,
                                                        std::function<void()> callback) = 0;
};

}  // namespace rekey
