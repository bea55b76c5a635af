#pragma once

#include "base/log.hpp"
#include "server/config/config.hpp"

#include <memory>

namespace rekey::server::app {

// The server, built in order by the constructor and taken down in reverse: the one place that knows
// all rooms.
class App {
  public:
    // Opens everything up to the listening sockets; nobody is served yet. Throws StartupError.
    App(config::Config config, const Log& log);
    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    // Serves until SIGTERM or SIGINT, then drains: no new connections, every agent is told when to
    // come back within drain_seconds, what is queued is committed. A second signal cuts that short.
    // Returns the exit code.
    int run();

  private:
    struct Rooms;
    std::unique_ptr<Rooms> rooms_;
};

}  // namespace rekey::server::app
