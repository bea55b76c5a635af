#pragma once

#include "base/clock.hpp"
#include "server/rotation/agent_link.hpp"
#include "server/rotation/coordinator.hpp"
#include "server/settings.hpp"

#include <memory>

namespace rekey::server {

// Looks after all rotations from time to time: every scheduler_interval_seconds it gives the
// coordinator each session that has something due (rotates before expiry, offers again, sends the
// commit again), and lets it retire what is due. It only asks: the row decides, in a transaction,
// and no peer can hold it up (I16). One thread: that of `timers`.
class Scheduler {
  public:
    struct Parts {
        const Clock& clock;
        Timers& timers;
        rotation::ConnectedAgents& agents;
        rotation::Coordinator& coordinator;
        const LiveSettings& settings;
    };
    explicit Scheduler(Parts parts);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    void start();
    // No tick begins after this.
    void stop();
    // One round, now.
    void tick();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace rekey::server
