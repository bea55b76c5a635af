#include "tests/simulation/simulation.hpp"

#include <chrono>
#include <utility>

// What people and the world do to the fleet, hour by hour.
namespace rekey::simulation {

using namespace std::chrono_literals;

namespace {

// Of the hours, so many see a snapshot of a machine or a backup of the database.
constexpr double kCopied = 0.03;
// In calm weather an admin who sees an agent out grants it a recovery, with this chance an hour: it
// may have spent its budget.
constexpr double kGranted = 0.2;

}  // namespace

const storage::AgentRow* Simulation::row_of(const Place& place) {
    const auto found = server_.database().agents.find(place.agent_id);
    return found == server_.database().agents.end() ? nullptr : &found->second;
}

void Simulation::admin(Place& place, const char* method, boost::json::object more,
                       std::function<void(const std::string& agent_id)> done) {
    if (place.agent_id.empty() || !server_.is_up()) return;
    trace_.note(place.machine->number(), "an admin calls ", method, {});
    more["agent_id"] = place.agent_id;
    server_.call(method, std::move(more),
                 [agent_id = place.agent_id,
                  done = std::move(done)](const Result<boost::json::value>& answer) {
                     if (answer.has_value() && done) done(agent_id);
                 });
}

void Simulation::hour_of(Place& place) {
    time_.later(1h, [this, &place] { hour_of(place); });
    if (stormy_) trouble(place);
    see_to(place);
}

void Simulation::trouble(Place& place) {
    AgentMachine& machine = *place.machine;
    const SteadyTime now = time_.steady;
    if (dice_.chance(weather_.killed)) machine.die("at any moment");
    if (dice_.chance(weather_.long_offline))
        machine.stay_off(dice_.spread(1h, 12 * 24h), "for long");
    if (dice_.chance(weather_.clock_jumps)) {
        trace_.note(machine.number(), "its clock jumps");
        const Milliseconds by = dice_.spread(1s, 400 * 24h);
        machine.jump_clock(dice_.chance(0.5) ? by : -by);
    }
    if (dice_.chance(weather_.disk_full)) {
        trace_.note(machine.number(), "its disk fills up");
        machine.fill_disk_until(now + dice_.spread(1min, 3 * 24h));
    }
    if (dice_.chance(weather_.slow)) {
        trace_.note(machine.number(), "becomes slow");
        machine.be_slow_until(now + dice_.spread(1min, 4h), dice_.spread(1s, 3min));
    }
    if (dice_.chance(weather_.rotated_by_admin)) admin(place, "rotations.start");
    if (dice_.chance(weather_.emergency)) admin(place, "rotations.start", {{"force", true}});
    if (dice_.chance(weather_.revoked))
        admin(place, "agents.revoke", {},
              [this](const std::string& agent_id) { oracle_.on_revoke_answered(agent_id); });
    if (dice_.chance(weather_.barred)) admin(place, "agents.recover", {{"bar_tokens", true}});
    if (place.enrolled) go_back_in_time(place);
    if (dice_.chance(weather_.suspended)) {
        admin(place, "agents.suspend");
        time_.later(dice_.spread(1min, 24h), [this, &place] { admin(place, "agents.reactivate"); });
    }
    if (place.enrolled && dice_.chance(weather_.enrolled_again)) {
        trace_.note(machine.number(), "is to be enrolled again");
        place.enrolled = false;
        place.reenroll = agent::Reenroll::replace;
    }
}

void Simulation::go_back_in_time(Place& place) {
    AgentMachine& machine = *place.machine;
    if (machine.is_enrolling()) return;
    if (machine.has_snapshot() && dice_.chance(weather_.rolled_back)) {
        oracle_.on_rollback(place.agent_id);
        machine.roll_back();
    }
    if (dice_.chance(kCopied)) machine.take_snapshot();
}

// What its people do for an agent that is not as it should be.
void Simulation::see_to(Place& place) {
    const storage::AgentRow* row = row_of(place);
    if (row != nullptr && row->credentials.status == storage::AgentStatus::revoked) {
        if (dice_.chance(0.05)) move_in(place);
        return;
    }
    if (row != nullptr && !stormy_ && row->credentials.status == storage::AgentStatus::suspended)
        admin(place, "agents.reactivate");
    // The database was restored from before it was there.
    if (row == nullptr && !place.agent_id.empty() && !place.machine->is_enrolling())
        return move_in(place);
    if (!ghosts_.empty() && dice_.chance(0.01))
        ghosts_[dice_.between(0, ghosts_.size() - 1)]->start_again();
    if (!place.enrolled) return provision(place);
    if (row == nullptr) return;
    if (!oracle_.is_known(place.agent_id) && !place.machine->is_enrolling()) {
        // It went back to before its newest enrollment, or the database did.
        place.enrolled = false;
        place.reenroll = agent::Reenroll::replace;
        return;
    }
    const auto& current = row->credentials.current;
    const bool expired = current && *current->expires_at <= server_.clock().now();
    if (expired && !place.expired) ++expired_;
    place.expired = expired;
    if (!stormy_ && !server_.connected(place.agent_id) && dice_.chance(kGranted))
        admin(place, "agents.recover");
}

// One step towards an enrolled agent: an id, a code, the enrollment. What got lost is asked again.
void Simulation::provision(Place& place) {
    if (!server_.is_up()) return;
    if (!place.code.empty()) return try_code(place);
    if (place.asked && dice_.chance(0.5)) return;
    place.asked = true;
    const int number = place.machine->number();
    if (place.agent_id.empty()) {
        // A name whose answer was lost is taken; another one does as well.
        const std::string name =
            "agent-" + std::to_string(number) + "-" + std::to_string(dice_.between(0, 1U << 30U));
        server_.call("agents.create", {{"name", name}},
                     [this, &place, number](const Result<boost::json::value>& answer) {
                         if (answer.has_error() || place.machine->number() != number) return;
                         place.agent_id = std::string(answer->at("agent_id").as_string());
                         oracle_.watch(*place.machine, place.agent_id);
                         time_.later(1s, [this, &place] { provision(place); });
                     });
        return;
    }
    server_.call("agents.enrollment_code", {{"agent_id", place.agent_id}},
                 [this, &place, number](const Result<boost::json::value>& answer) {
                     if (answer.has_error() || place.machine->number() != number) return;
                     place.code = Secret(std::string_view(answer->at("code").as_string()));
                     time_.later(1s, [this, &place] { try_code(place); });
                 });
}

void Simulation::try_code(Place& place) {
    if (place.enrolled || place.code.empty() || place.machine->is_enrolling()) return;
    const Result<> outcome = place.machine->enroll(place.code, place.reenroll);
    if (outcome.has_value()) {
        place.enrolled = true;
        place.code = {};
        place.asked = false;
        return;
    }
    // Somebody tries again with the same code, until the server says that it is of no use.
    const Code why = outcome.error().code();
    const bool useless = why == Code::conflict || why == Code::unknown_credential ||
                         why == Code::agent_revoked || why == Code::already_exists;
    if (!useless) return time_.later(dice_.spread(1min, 2h), [this, &place] { try_code(place); });
    place.code = {};
    place.asked = false;
    if (why == Code::already_exists) place.reenroll = agent::Reenroll::replace;
}

void Simulation::hour_of_server() {
    time_.later(1h, [this] { hour_of_server(); });
    if (stormy_) {
        if (dice_.chance(weather_.server_killed)) server_.crash("at any moment");
        if (dice_.chance(weather_.server_restarted)) server_.restart();
        if (dice_.chance(weather_.server_slow_disk))
            server_.slow_disk_until(time_.steady + dice_.spread(1min, 2h));
        if (dice_.chance(weather_.settings_changed)) change_settings();
        if (dice_.chance(weather_.restored)) server_.restore();
        if (dice_.chance(kCopied)) server_.back_up();
    }
    oracle_.look_around();
}

void Simulation::change_settings() {
    if (!server_.is_up()) return;
    trace_.note(kServer, "an admin changes settings");
    const auto draw = [this](std::uint64_t low, std::uint64_t high) {
        return static_cast<std::int64_t>(dice_.between(low, high));
    };
    boost::json::object changed;
    if (dice_.chance(0.3)) changed["agent_token_rotation_days"] = draw(4, 8);
    if (dice_.chance(0.3)) changed["agent_token_grace_period_minutes"] = draw(1, 60);
    if (dice_.chance(0.3)) changed["rotation_timeout_seconds"] = draw(1, 120);
    if (dice_.chance(0.3)) changed["rotation_concurrency"] = draw(1, 256);
    if (dice_.chance(0.3)) changed["scheduler_interval_seconds"] = draw(30, 300);
    if (dice_.chance(0.3)) changed["heartbeat_seconds"] = draw(300, 600);
    if (dice_.chance(0.3)) changed["drain_seconds"] = draw(0, 60);
    server_.call("settings.set", {{"settings", changed}}, [](const Result<boost::json::value>&) {});
}

}  // namespace rekey::simulation
