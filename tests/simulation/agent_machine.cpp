#include "tests/simulation/agent_machine.hpp"

#include "agent/identity.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

namespace rekey::simulation {

using namespace std::chrono_literals;

namespace {

constexpr const char* kKeyFile = "state.json.key";
constexpr const char* kRecordFile = "state.json.enrolling";
constexpr const char* kNextKeyFile = "state.json.key.next";

class ProcessTimers final : public Timers {
  public:
    ProcessTimers(testing::VirtualTime& time, AgentMachine& machine)
        : time_(time), machine_(machine) {}
    [[nodiscard]] std::unique_ptr<Handle> after(Milliseconds delay,
                                                std::function<void()> callback) override {
        return time_.after(delay, [&machine = machine_, callback = std::move(callback)] {
            machine.enter(callback);
        });
    }

  private:
    testing::VirtualTime& time_;
    AgentMachine& machine_;
};

struct Ended final : agent::AgentObserver {
    void on_ended(agent::EndReason value) override { reason = value; }
    std::optional<agent::EndReason> reason;
};

agent::AboutAgent about(int number) {
    return {"1.0", "box-" + std::to_string(number), "linux", "boot"};
}

}  // namespace

// As Client does on its thread (agent/client.cpp).
struct AgentMachine::Process {
    explicit Process(AgentMachine& owner)
        : disk(owner.folder_, kStateFile),
          key(owner.folder_, kKeyFile),
          next_key(owner.folder_, kNextKeyFile),
          timers(owner.parts_.network.time, owner),
          transport(owner.parts_.network, owner) {
        disk.readback_differs = [&network = owner.parts_.network] {
            return network.dice.chance(network.weather.readback_differs);
        };
        if (owner.parts_.spoil_disk) spoiled = owner.parts_.spoil_disk(disk);
    }

    VirtualDisk disk;
    VirtualDisk key;
    VirtualDisk next_key;
    std::unique_ptr<agent::Disk> spoiled;
    ProcessTimers timers;
    VirtualTransport transport;
    Ended ended;
    std::optional<agent::TokenVault> vault;
    std::optional<agent::Connector> connector;
};

AgentMachine::AgentMachine(Parts parts, int number)
    : parts_(std::move(parts)),
      number_(number),
      random_(parts_.seed),
      clock_(parts_.network.time),
      folder_(parts_.syncs, [this](DiskStep step) { return hazard(step); }) {}

AgentMachine::~AgentMachine() = default;

int AgentMachine::hazard(DiskStep step) {
    Dice& dice = parts_.network.dice;
    const Weather& weather = parts_.network.weather;
    if (step != DiskStep::read && depth_ > 0 && dice.chance(weather.death_at_disk_step)) {
        parts_.network.trace.note(number_, "dies before the disk's ", to_string(step), {});
        throw Death{dice.chance(weather.power_lost)};
    }
    const bool full = parts_.network.time.steady < full_until_;
    if (full && (step == DiskStep::create || step == DiskStep::write)) return ENOSPC;
    // A step that nobody tries fails in nobody's eyes.
    if (!dice.chance(weather.disk_step_fails)) return 0;
    parts_.network.trace.note(number_, "the disk fails at ", to_string(step), {});
    return step == DiskStep::create ? EROFS : EIO;
}

void AgentMachine::enter(const std::function<void()>& action) {
    if (!process_) return;
    std::optional<Death> death;
    ++depth_;
    try {
        action();
    } catch (const Death& thrown) {
        death = thrown;
    }
    --depth_;
    if (death) return fall(*death);
    if (!process_->ended.reason) return;
    revoked_ = true;
    parts_.network.trace.note(number_, "ends: it is revoked");
    process_.reset();
}

void AgentMachine::die(std::string_view when) {
    if (enrolling_) {
        dies_soon_ = true;
        return;
    }
    if (!process_) return;
    parts_.network.trace.note(number_, "is killed ", when, {});
    fall(Death{parts_.network.dice.chance(parts_.network.weather.power_lost)});
}

void AgentMachine::take_snapshot() {
    if (!enrolling_) snapshot_ = folder_.snapshot();
}

void AgentMachine::roll_back() {
    if (enrolling_ || !snapshot_) return;
    parts_.network.trace.note(number_, "is rolled back to a snapshot");
    process_.reset();
    folder_.roll_back(*snapshot_);
    start_later(parts_.network.dice.spread(1s, 30min));
}

void AgentMachine::fall(const Death& death) {
    process_.reset();
    if (death.power_lost) {
        parts_.network.trace.note(number_, "loses power, and what was not synced");
        folder_.lose_power(parts_.network.dice);
    }
    start_later(parts_.network.dice.spread(1s, 30min));
}

void AgentMachine::start_later(Milliseconds delay) {
    parts_.network.time.later(delay, [this] { start(); });
}

void AgentMachine::stay_off(Milliseconds duration, std::string_view why) {
    if (enrolling_) return;
    off_until_ = std::max(off_until_, parts_.network.time.steady + duration);
    die(why);
    start_later(duration + 1ms);
}

void AgentMachine::start() {
    const bool off = parts_.network.time.steady < off_until_;
    if (process_ || enrolling_ || revoked_ || off || !folder_.visible(kStateFile)) return;
    parts_.network.trace.note(number_, "starts");
    process_ = std::make_unique<Process>(*this);
    bool unusable = false;
    enter([&] {
        agent::Disk& disk = process_->spoiled ? *process_->spoiled : process_->disk;
        auto vault = agent::TokenVault::open(disk);
        if (vault.has_error()) {
            parts_.network.trace.note(number_, "cannot start: ", vault.error().message(), {});
            unusable = true;
            return;
        }
        VirtualDisk record(folder_, kRecordFile);
        if (const auto safe = agent::require_first_token_durable(*vault, record);
            safe.has_error()) {
            parts_.network.trace.note(number_, "cannot start: ", safe.error().message(), {});
            unusable = true;
            return;
        }
        process_->vault.emplace(std::move(*vault));
        process_->connector.emplace(
            agent::Surroundings{clock_, process_->timers, random_, *log_, process_->transport},
            *process_->vault, about(number_), agent::AutomaticRotation::on,
            [this] {
                return agent::identity_of(process_->vault->state(), process_->key,
                                          process_->next_key);
            },
            process_->ended);
        process_->connector->start();
    });
    if (!unusable) return;
    // As a supervisor does.
    process_.reset();
    start_later(5s);
}

void AgentMachine::heal() {
    off_until_ = {};
    full_until_ = {};
    slow_until_ = {};
    start();
}

agent::ConnectorStatus AgentMachine::status() const {
    return process_ && process_->connector ? process_->connector->status()
                                           : agent::ConnectorStatus{};
}

const Line* AgentMachine::line() const { return process_ ? process_->transport.line() : nullptr; }

Result<net::HttpResponse> AgentMachine::post(const std::string& target, const Secret& body) {
    std::optional<Result<net::HttpResponse>> answer;
    const auto posting = std::make_shared<Posting>(
        parts_.network, *this,
        [&answer](Result<net::HttpResponse> given) { answer = std::move(given); });
    posting->send(target, body);
    // The posting's own time-out ends this.
    while (!answer && !dies_soon_ && parts_.pump(SteadyTime::max())) {
    }
    posting->cancel();
    if (dies_soon_) throw Death{parts_.network.dice.chance(parts_.network.weather.power_lost)};
    if (!answer) return Error(Code::unavailable, "the simulation is over");
    return *answer;
}

Result<> AgentMachine::enroll(const Secret& code, agent::Reenroll reenroll) {
    if (enrolling_ || parts_.network.time.steady < off_until_)
        return Error(Code::unavailable, "not now");
    process_.reset();  // the daemon is stopped first: it holds the lock
    enrolling_ = true;
    dies_soon_ = false;
    Result<> outcome = Error(Code::unavailable, "it died");
    std::optional<Death> death;
    ++depth_;
    try {
        VirtualDisk state(folder_, kStateFile);
        VirtualDisk key(folder_, kKeyFile);
        VirtualDisk next_key(folder_, kNextKeyFile);
        VirtualDisk record(folder_, kRecordFile);
        protocol::JoinString join{"rekey.example.com", 7443, code, protocol::SystemCa{}};
        agent::EnrollmentDoor door;
        door.post = [this](const std::string& target, const Secret& body) {
            return post(target, body);
        };
        door.pause = [this](Milliseconds delay) {
            const SteadyTime until = parts_.network.time.steady + delay;
            while (!dies_soon_ && parts_.pump(until)) {
            }
            if (dies_soon_) throw Death{};
        };
        const auto state_now =
            agent::enroll(join, {state, key, next_key, record},
                          {.about = about(number_), .reenroll = reenroll}, door, random_, *log_);
        outcome = state_now.has_error() ? Result<>(state_now.error()) : Result<>();
        if (outcome.has_value())
            parts_.network.trace.note(number_, "is enrolled");
        else
            parts_.network.trace.note(number_, "is not enrolled: ", outcome.error().message(), {});
    } catch (const Death& thrown) {
        parts_.network.trace.note(number_, "dies during its enrollment");
        death = thrown;
    }
    --depth_;
    enrolling_ = false;
    if (death) {
        fall(*death);
        return outcome;
    }
    start();
    return outcome;
}

}  // namespace rekey::simulation
