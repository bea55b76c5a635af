#pragma once

#include "base/clock.hpp"
#include "tests/simulation/server_machine.hpp"
#include "tests/support/virtual_time.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace rekey::simulation {

using namespace std::chrono_literals;

// How often a server looks at its deadlines while nothing is going on: what a quiet fleet waits for
// are silences of many minutes and rotations due in days.
inline constexpr Milliseconds kQuietLook = 15s;
inline constexpr Milliseconds kBusyLook = 2s;
inline constexpr Milliseconds kBusyFor = 15s;

// Timers of the process: they go with it, and what they call is the process's work.
class ProcessTimers final : public Timers {
  public:
    ProcessTimers(testing::VirtualTime& time, ServerMachine& machine)
        : time_(time), machine_(machine) {}
    [[nodiscard]] std::unique_ptr<Handle> after(Milliseconds delay,
                                                std::function<void()> callback) override {
        // A timer may always be late; the scheduler's looks, one a second, are then a cheap few.
        delay = std::max(delay, machine_.is_busy() ? kBusyLook : kQuietLook);
        return time_.after(delay,
                           [this, callback = std::move(callback)] { machine_.enter(callback); });
    }

  private:
    testing::VirtualTime& time_;
    ServerMachine& machine_;
};

}  // namespace rekey::simulation
