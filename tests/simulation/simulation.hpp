#pragma once

#include "tests/simulation/agent_machine.hpp"
#include "tests/simulation/oracle.hpp"
#include "tests/simulation/server_machine.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rekey::simulation {

struct Options {
    int agents = 10;
    int days = 40;
    std::uint64_t seed = 1;
    // Parts that break their promise; what they do must be found out. Empty: none.
    Syncs syncs = Syncs::honest;
    std::function<std::unique_ptr<agent::Disk>(agent::Disk&, testing::VirtualTime&)> spoil_disk;
    decltype(ServerMachine::Parts::spoil_store) spoil_store;
    decltype(ServerMachine::Parts::spoil_after_crash) spoil_after_crash;
    decltype(ServerMachine::Parts::spoil_revocations) spoil_revocations;
    std::function<void(Weather&)> season;  // what all storms have in common; may be empty
};

struct Report {
    bool ok = false;
    std::string story;  // of a failure: what broke, the seed, the step, the last events in words
    std::uint64_t hash = 0;  // of everything that happened
    std::uint64_t steps = 0;
    std::uint64_t events = 0;
    std::uint64_t checks = 0;
    std::uint64_t promotions = 0;
    std::uint64_t expired = 0;     // agents that were offline beyond their token's life
    std::uint64_t recoveries = 0;  // tokens that were minted for an identity key
    std::uint64_t alarms = 0;      // of reuse, all of them of agents that had been rolled back
    double agent_days = 0;
    double seconds = 0;  // of one core
};

// A fleet and its server, on one thread and one seed, for virtual days: storms of about eleven
// days, each followed by nine of calm, at whose end everybody must be settled. Stops at the first
// invariant that does not hold.
class Simulation {
  public:
    explicit Simulation(Options options);
    ~Simulation();

    [[nodiscard]] Report run();

  private:
    // One of the places for an agent. When its agent is revoked, a new one moves in.
    struct Place {
        int number = 0;
        int lives = 0;
        std::unique_ptr<AgentMachine> machine;
        std::string agent_id;
        Secret code;
        bool asked = false;  // for an id or a code; forgotten after a while
        bool enrolled = false;
        agent::Reenroll reenroll = agent::Reenroll::refuse;
        bool expired = false;
    };

    [[nodiscard]] bool step(SteadyTime until);
    void pass(std::chrono::hours duration);
    void blow();
    void calm_down();
    void require_settled();

    void move_in(Place& place);
    void provision(Place& place);
    void try_code(Place& place);
    void hour_of(Place& place);
    void trouble(Place& place);
    void go_back_in_time(Place& place);
    void see_to(Place& place);
    void hour_of_server();
    void change_settings();
    // `done`: when it is answered and no error.
    void admin(Place& place, const char* method, boost::json::object more = {},
               std::function<void(const std::string& agent_id)> done = {});
    [[nodiscard]] const storage::AgentRow* row_of(const Place& place);
    [[nodiscard]] std::string tell(const Oracle::Failure& failure) const;

    Options options_;
    testing::VirtualTime time_;
    Dice dice_;
    Weather weather_ = calm();
    Trace trace_{time_};
    ServerMachine server_;
    Network network_;
    Oracle oracle_;
    std::vector<std::unique_ptr<Place>> places_;
    std::vector<std::unique_ptr<AgentMachine>> ghosts_;  // of revoked agents: they try to come back
    std::uint64_t steps_ = 0;
    std::uint64_t expired_ = 0;
    bool stormy_ = false;
};

}  // namespace rekey::simulation
