#include "tests/support/virtual_time.hpp"

namespace rekey::testing {

class VirtualTime::Cancel final : public Timers::Handle {
  public:
    Cancel(VirtualTime& owner, Place place) : owner_(owner), place_(place) {}
    ~Cancel() override { owner_.entries_.erase(place_); }
    Cancel(const Cancel&) = delete;
    Cancel& operator=(const Cancel&) = delete;

  private:
    VirtualTime& owner_;
    Place place_;
};

VirtualTime::Place VirtualTime::add(Milliseconds delay, std::function<void()> callback) {
    const Place place{steady + delay, ++last_};
    entries_.emplace(place, std::move(callback));
    return place;
}

std::unique_ptr<Timers::Handle> VirtualTime::after(Milliseconds delay,
                                                   std::function<void()> callback) {
    return std::make_unique<Cancel>(*this, add(delay, std::move(callback)));
}

void VirtualTime::later(Milliseconds delay, std::function<void()> callback) {
    add(delay, std::move(callback));
}

bool VirtualTime::run_next(SteadyTime until) {
    const auto next = entries_.begin();
    if (next == entries_.end() || next->first.first > until) return false;
    // A delay below zero is due now: time does not go back.
    if (next->first.first > steady) {
        wall += next->first.first - steady;
        steady = next->first.first;
    }
    const auto callback = std::move(next->second);
    entries_.erase(next);
    callback();
    return true;
}

void VirtualTime::run_for(Milliseconds duration) {
    const SteadyTime until = steady + duration;
    while (run_next(until)) {
    }
    if (until <= steady) return;
    wall += until - steady;
    steady = until;
}

std::optional<Milliseconds> VirtualTime::next_in() const {
    if (entries_.empty()) return std::nullopt;
    return entries_.begin()->first.first - steady;
}

}  // namespace rekey::testing
