#include "tests/simulation/simulation.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

namespace rekey::simulation {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::hours kStorm = 11 * 24h;
constexpr std::chrono::hours kCalm = 9 * 24h;  // longer than the longest life of a token in here
constexpr std::size_t kLinesTold = 60;

}  // namespace

Simulation::Simulation(Options options)
    : options_(std::move(options)),
      dice_(options_.seed),
      server_({time_, dice_, trace_, weather_, options_.seed ^ 0x5eedULL, options_.spoil_store,
               options_.spoil_after_crash, options_.spoil_revocations}),
      network_{time_, dice_, trace_, weather_, server_},
      oracle_(time_, server_) {
    time_.steady = SteadyTime{};
    server_.on_commit = [this] { oracle_.on_commit(); };
    server_.on_restore = [this] { oracle_.on_restore(); };
    server_.on_admitted = [this](const std::string& agent_id, SteadyTime asked_at) {
        oracle_.on_admitted(agent_id, asked_at);
    };
    for (int number = 0; number < options_.agents; ++number) {
        places_.push_back(std::make_unique<Place>());
        places_.back()->number = number;
        move_in(*places_.back());
    }
}

// While there are still lines to hang up.
Simulation::~Simulation() { server_.stop(); }

void Simulation::move_in(Place& place) {
    if (place.machine) ghosts_.push_back(std::move(place.machine));
    AgentMachine::Parts parts{
        network_,
        [this](SteadyTime until) { return step(until); },
        options_.seed * 1'000'003 + static_cast<std::uint64_t>(place.number + 1000 * place.lives),
        options_.syncs,
        {}};
    if (options_.spoil_disk)
        parts.spoil_disk = [this](agent::Disk& disk) { return options_.spoil_disk(disk, time_); };
    const int number = place.number + place.lives * options_.agents;
    ++place.lives;
    place.machine = std::make_unique<AgentMachine>(std::move(parts), number);
    place.machine->folder().on_change = [this, number] { oracle_.on_disk(number); };
    place.agent_id.clear();
    place.code = {};
    place.asked = false;
    place.enrolled = false;
    place.reenroll = agent::Reenroll::refuse;
    place.expired = false;
}

bool Simulation::step(SteadyTime until) {
    if (oracle_.failure()) return false;
    if (!time_.run_next(until)) {
        time_.run_for(std::max(until - time_.steady, Milliseconds{0}));
        return false;
    }
    ++steps_;
    return !oracle_.failure();
}

void Simulation::pass(std::chrono::hours duration) {
    const SteadyTime until = time_.steady + duration;
    while (step(until)) {
    }
}

Report Simulation::run() {
    const std::clock_t began = std::clock();
    server_.start();
    for (const auto& place : places_)
        time_.later(dice_.between(0ms, 1h), [this, &place = *place] { hour_of(place); });
    time_.later(1h, [this] { hour_of_server(); });
    const SteadyTime end = time_.steady + std::chrono::days(options_.days);
    while (time_.steady < end && !oracle_.failure()) {
        blow();
        const auto left = std::chrono::duration_cast<std::chrono::hours>(end - time_.steady);
        pass(std::clamp(left - kCalm, 0h, kStorm));
        calm_down();
        pass(kCalm);
        if (!oracle_.failure()) require_settled();
    }
    Report report;
    report.ok = !oracle_.failure();
    if (!report.ok) report.story = tell(*oracle_.failure());
    report.hash = trace_.hash();
    report.steps = steps_;
    report.events = trace_.events();
    report.checks = oracle_.checks();
    report.promotions = oracle_.promotions();
    report.expired = expired_;
    report.recoveries = oracle_.recoveries();
    report.alarms = oracle_.alarms_of_reuse();
    report.agent_days =
        static_cast<double>(time_.steady.time_since_epoch() / 1h) / 24 * options_.agents;
    report.seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
    return report;
}

void Simulation::blow() {
    stormy_ = true;
    weather_ = storm(dice_);
    if (options_.season) options_.season(weather_);
    trace_.note(kServer, "a storm begins");
}

void Simulation::calm_down() {
    stormy_ = false;
    weather_ = calm();
    trace_.note(kServer, "the storm is over");
    server_.heal();
    for (const auto& place : places_) place->machine->heal();
}

void Simulation::require_settled() {
    trace_.note(kServer, "everybody should be settled");
    for (const auto& place : places_) {
        const storage::AgentRow* row = row_of(*place);
        const bool counts = row != nullptr && place->enrolled &&
                            row->credentials.status == storage::AgentStatus::active;
        if (counts) oracle_.require_settled(place->agent_id);
    }
}

std::string Simulation::tell(const Oracle::Failure& failure) const {
    const std::string who =
        failure.agent == kServer ? "" : " (agent " + std::to_string(failure.agent) + ")";
    return failure.what + who + "\nseed " + std::to_string(options_.seed) + ", " +
           std::to_string(options_.agents) + " agents, " + std::to_string(options_.days) +
           " days: step " + std::to_string(steps_) + ", " + day_and_time(time_.steady) +
           "\nthe last events of this agent and of the server:\n" +
           trace_.tell(failure.agent, kLinesTold);
}

}  // namespace rekey::simulation
