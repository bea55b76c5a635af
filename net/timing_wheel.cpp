#include "net/timing_wheel.hpp"

#include "base/contract.hpp"

#include <algorithm>

namespace rekey::net {

// The head of a slot's ring.
struct TimingWheel::Sentinel final : Entry {
    void on_deadline() override {}
};

void TimingWheel::Entry::unlink() {
    armed_ = false;
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
}

TimingWheel::TimingWheel(SteadyTime start, Milliseconds tick, std::size_t slots)
    : start_(start), tick_(tick) {
    REKEY_ASSERT(tick.count() > 0 && slots > 1);
    for (std::size_t i = 0; i < slots; ++i) {
        auto head = std::make_unique<Sentinel>();
        head->previous_ = head->next_ = head.get();
        slots_.push_back(std::move(head));
    }
}

TimingWheel::~TimingWheel() {
    for (const auto& head : slots_) {
        while (head->next_ != head.get()) head->next_->unlink();
    }
}

std::uint64_t TimingWheel::to_tick_up(SteadyTime time) const {
    const auto since = std::max<Milliseconds::rep>((time - start_).count(), 0);
    return static_cast<std::uint64_t>((since + tick_.count() - 1) / tick_.count());
}

void TimingWheel::link(Entry& entry, std::uint64_t at_tick) {
    // Beyond one turn the entry waits in the last slot and is looked at again from there.
    at_tick = std::min(at_tick, done_tick_ + slots_.size() - 1);
    entry.slot_tick_ = at_tick;
    Entry* head = slots_[at_tick % slots_.size()].get();
    entry.previous_ = head->previous_;
    entry.next_ = head;
    head->previous_->next_ = &entry;
    head->previous_ = &entry;
}

void TimingWheel::arm(Entry& entry, SteadyTime now, Milliseconds delay) {
    entry.deadline_tick_ = std::max(to_tick_up(now + delay), done_tick_ + 1);
    // The common case: it is linked in a slot that comes before the new deadline. The wheel finds
    // the later deadline when it gets there.
    if (entry.next_ == nullptr || entry.slot_tick_ > entry.deadline_tick_) {
        entry.unlink();
        link(entry, entry.deadline_tick_);
    }
    entry.armed_ = true;
}

void TimingWheel::disarm(Entry& entry) { entry.unlink(); }

void TimingWheel::advance(SteadyTime now) {
    const auto since = std::max<Milliseconds::rep>((now - start_).count(), 0);
    const auto target = static_cast<std::uint64_t>(since / tick_.count());
    while (done_tick_ < target) {
        ++done_tick_;
        Entry* head = slots_[done_tick_ % slots_.size()].get();
        // An entry linked during this loop goes to a later slot, so the ring empties; each step
        // starts at the head because on_deadline() may destroy any other entry.
        while (head->next_ != head) {
            Entry* entry = head->next_;
            if (entry->deadline_tick_ > done_tick_) {
                entry->previous_->next_ = entry->next_;
                entry->next_->previous_ = entry->previous_;
                link(*entry, entry->deadline_tick_);
                continue;
            }
            entry->unlink();
            entry->on_deadline();
        }
    }
}

}  // namespace rekey::net
