#pragma once

#include "base/clock.hpp"
#include "server/audit/checkpoints.hpp"
#include "server/audit/retention.hpp"

#include <functional>
#include <memory>

namespace rekey::server::audit {

// Looks after the chain every limits::kCheckpointLook: signs what is due, removes what is old. One
// look at a time. On the thread of `timers`, to which `post` brings answers back; it must outlive
// neither.
class Caretaker {
  public:
    struct Parts {
        Checkpoints& checkpoints;
        Retention& retention;
        Timers& timers;
        std::function<void(std::function<void()>)> post;
        const Log& log;
    };
    explicit Caretaker(Parts parts);
    ~Caretaker();
    Caretaker(const Caretaker&) = delete;
    Caretaker& operator=(const Caretaker&) = delete;

    // The first look is now.
    void start();
    // None begins after this.
    void stop();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace rekey::server::audit
