#include "server/audit/caretaker.hpp"

#include "base/limits.hpp"

#include <utility>

namespace rekey::server::audit {

// An answer of the store may come when nobody waits for it any more: it holds this weakly.
struct Caretaker::State : std::enable_shared_from_this<Caretaker::State> {
    explicit State(Parts given) : parts(std::move(given)) {}

    Parts parts;
    bool running = false;
    bool failing = false;
    std::unique_ptr<Timers::Handle> timer;

    // Runs `next` with what a store's thread answers, on this one.
    template <class Answer>
    std::function<void(Answer)> here(void (State::*next)(const Answer&)) {
        return [self = weak_from_this(), post = parts.post, next](Answer answer) {
            post([self, next, answer = std::move(answer)] {
                const auto state = self.lock();
                if (state && state->running) (state.get()->*next)(answer);
            });
        };
    }

    void look() {
        parts.checkpoints.look(Checkpoints::Newest::when_old, here(&State::after_signing));
    }
    void after_signing(const Result<>& signed_well) {
        if (signed_well.has_value()) return parts.retention.sweep(here(&State::after_sweep));
        // What cannot be signed is not removed either: it may be evidence.
        note(signed_well);
        wait(Milliseconds(limits::kCheckpointLook));
    }
    void after_sweep(const Result<Retention::Outcome>& swept) {
        note(swept.has_error() ? Result<>(swept.error()) : Result<>());
        // There may be more: at once, but between other things on this thread.
        if (swept.has_value() && *swept == Retention::Outcome::removed)
            return wait(Milliseconds{1});
        wait(Milliseconds(limits::kCheckpointLook));
    }
    void wait(Milliseconds time) {
        timer = parts.timers.after(time, [self = weak_from_this()] {
            if (const auto state = self.lock()) state->look();
        });
    }
    // One line when it begins to fail, not one a look.
    void note(const Result<>& result) {
        const bool failed = result.has_error();
        if (failed && !failing)
            parts.log.error("audit.care_failed", {{"error", result.error().message()}});
        failing = failed;
    }
};

Caretaker::Caretaker(Parts parts) : state_(std::make_shared<State>(std::move(parts))) {}

Caretaker::~Caretaker() { stop(); }

void Caretaker::start() {
    state_->running = true;
    state_->look();
}

void Caretaker::stop() {
    state_->running = false;
    state_->timer.reset();
}

}  // namespace rekey::server::audit
