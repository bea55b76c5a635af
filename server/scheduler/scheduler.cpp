#include "server/scheduler/scheduler.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rekey::server {

namespace {

// The interval is looked at this often, so that a shorter one counts from now on and not from the
// end of the longer one.
constexpr Milliseconds kLookAtInterval = std::chrono::seconds{1};

}  // namespace

struct Scheduler::State : std::enable_shared_from_this<Scheduler::State> {
    explicit State(Parts given) : parts(given) {}

    Parts parts;
    SteadyTime last_tick{};
    std::unique_ptr<Timers::Handle> timer;

    [[nodiscard]] SteadyTime next_tick() const {
        return last_tick +
               std::chrono::seconds{parts.settings.snapshot()->scheduler_interval_seconds};
    }

    void tick() {
        last_tick = parts.clock.steady_now();
        const Time now = parts.clock.now();
        // Each session's own thread looks at its own hint; a slow one delays nobody but itself.
        parts.agents.for_each([self = shared_from_this(), now](rotation::AgentLink& link) {
            if (link.progress().attend_at <= now) self->parts.coordinator.on_tick(link);
        });
        parts.coordinator.sweep();
    }

    void schedule() {
        const Milliseconds left = next_tick() - parts.clock.steady_now();
        const Milliseconds wait = std::clamp(left, Milliseconds{1}, kLookAtInterval);
        timer = parts.timers.after(wait, [self = weak_from_this()] {
            const auto state = self.lock();
            if (!state) return;
            if (state->parts.clock.steady_now() >= state->next_tick()) state->tick();
            state->schedule();
        });
    }
};

Scheduler::Scheduler(Parts parts) : state_(std::make_shared<State>(parts)) {}

Scheduler::~Scheduler() { stop(); }

void Scheduler::start() {
    state_->last_tick = state_->parts.clock.steady_now();
    state_->schedule();
}

void Scheduler::stop() { state_->timer.reset(); }

void Scheduler::tick() { state_->tick(); }

}  // namespace rekey::server
