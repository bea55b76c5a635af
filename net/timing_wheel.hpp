#pragma once

#include "base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace rekey::net {

// Tens of thousands of deadlines that are nearly always pushed out before they come (the silence of
// a session): pushing one out writes one number, and a tick looks only at the entries of its slot.
// A deadline fires up to one tick late, never early. No clock and no thread of its own: the owner
// calls advance(). One thread.
class TimingWheel {
  public:
    // Lives inside what it watches; its destruction disarms.
    class Entry {
      public:
        Entry() = default;
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        virtual ~Entry() { unlink(); }

        // Disarmed when called; may arm itself again, or be destroyed.
        virtual void on_deadline() = 0;
        [[nodiscard]] bool is_armed() const { return armed_; }

      private:
        friend class TimingWheel;
        void unlink();
        Entry* previous_ = nullptr;
        Entry* next_ = nullptr;
        std::uint64_t deadline_tick_ = 0;
        std::uint64_t slot_tick_ = 0;  // when the wheel will look at it next; never after deadline
        bool armed_ = false;
    };

    TimingWheel(SteadyTime start, Milliseconds tick, std::size_t slots = 512);
    ~TimingWheel();
    TimingWheel(const TimingWheel&) = delete;
    TimingWheel& operator=(const TimingWheel&) = delete;

    // Fires once `delay` after `now` unless armed again or disarmed before.
    void arm(Entry& entry, SteadyTime now, Milliseconds delay);
    static void disarm(Entry& entry);

    // Fires all that is due at `now`; to be called about once a tick.
    void advance(SteadyTime now);
    [[nodiscard]] Milliseconds tick() const { return tick_; }

  private:
    struct Sentinel;
    void link(Entry& entry, std::uint64_t at_tick);
    [[nodiscard]] std::uint64_t to_tick_up(SteadyTime time) const;

    SteadyTime start_;
    Milliseconds tick_;
    std::uint64_t done_tick_ = 0;
    std::vector<std::unique_ptr<Entry>> slots_;
};

}  // namespace rekey::net
