#pragma once

#include "agent/observer.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <thread>

namespace rekey::agent {

// Runs a shell command after each rotation, one at a time, on a thread of its own, so that neither
// its time nor its failure touches a rotation. The command has its own process group (killed when
// its time is over), standard input from /dev/null, standard output to standard error, no other
// descriptor, and an environment without any REKEY_ variable but REKEY_AGENT_ID, REKEY_GENERATION
// and REKEY_ROTATION_ID: secrets are handed to programs under such names.
class HookRunner {
  public:
    HookRunner(std::string command, const Log& log, Milliseconds timeout = limits::kHookTimeout);
    // Forgets what waits; what runs gets SIGTERM, and SIGKILL a little later.
    ~HookRunner();
    HookRunner(const HookRunner&) = delete;
    HookRunner& operator=(const HookRunner&) = delete;

    // Returns at once. Safe from any thread.
    void run(const Rotated& rotated);

  private:
    void work();
    void run_one(const Rotated& rotated);
    [[nodiscard]] int wait_for(pid_t process);
    [[nodiscard]] bool pause(Milliseconds time);

    const std::string command_;
    const Log& log_;
    const Milliseconds timeout_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Rotated> queue_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace rekey::agent
