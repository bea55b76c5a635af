#pragma once

#include "agent/connector.hpp"
#include "agent/enrollment.hpp"
#include "agent/token_vault.hpp"
#include "tests/simulation/line.hpp"
#include "tests/simulation/server_machine.hpp"
#include "tests/simulation/virtual_folder.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rekey::simulation {

// A machine with an agent on it: its folder outlives the process, which is the client library from
// the connector down, on this machine's clock, disk and network. A process dies by an exception
// that is thrown where it dies, at a step of its disk, or between two events; it comes back later.
class AgentMachine final : public AgentEnd {
  public:
    struct Parts {
        Network& network;
        std::function<bool(SteadyTime until)> pump;  // lets others live while this one waits
        std::uint64_t seed;
        Syncs syncs = Syncs::honest;
        // A disk that is not to be trusted, for the tests that want to see it found out.
        std::function<std::unique_ptr<agent::Disk>(agent::Disk&)> spoil_disk;
    };
    AgentMachine(Parts parts, int number);
    ~AgentMachine() override;

    // AgentEnd
    [[nodiscard]] int number() const override { return number_; }
    void enter(const std::function<void()>& action) override;
    void die(std::string_view when) override;
    [[nodiscard]] Milliseconds lag() const override {
        return parts_.network.time.steady < slow_until_ ? lag_ : Milliseconds{0};
    }

    // Starts the daemon if it is enrolled, and not up or revoked.
    void start();
    // Off for so long, whether it was up or not.
    void stay_off(Milliseconds duration, std::string_view why);
    // Somebody starts a daemon that had ended because it was revoked.
    void start_again() {
        revoked_ = false;
        start();
    }
    // Everything is as it should be, and it runs.
    void heal();
    // `rekey-agent enroll`: returns when it is done, or has failed or died; then the daemon starts.
    [[nodiscard]] Result<> enroll(const Secret& code, agent::Reenroll reenroll);

    void fill_disk_until(SteadyTime until) { full_until_ = until; }
    void be_slow_until(SteadyTime until, Milliseconds lag) {
        slow_until_ = until;
        lag_ = lag;
    }
    void jump_clock(Milliseconds by) { clock_.offset += by; }
    // A snapshot of the machine, and back to it: storage that goes back in time.
    void take_snapshot();
    [[nodiscard]] bool has_snapshot() const { return snapshot_.has_value(); }
    void roll_back();

    [[nodiscard]] bool is_up() const { return process_ != nullptr; }
    [[nodiscard]] bool is_enrolling() const { return enrolling_; }
    [[nodiscard]] bool is_revoked() const { return revoked_; }
    [[nodiscard]] VirtualFolder& folder() { return folder_; }
    [[nodiscard]] agent::ConnectorStatus status() const;
    [[nodiscard]] const Line* line() const;
    static constexpr const char* kStateFile = "state.json";

  private:
    struct Process;
    struct Death {
        bool power_lost = false;
    };
    [[nodiscard]] int hazard(DiskStep step);
    void fall(const Death& death);
    void start_later(Milliseconds delay);
    [[nodiscard]] Result<net::HttpResponse> post(const std::string& target, const Secret& body);

    Parts parts_;
    int number_;
    SeededRandom random_;
    MachineClock clock_;
    std::unique_ptr<Log> log_ = make_silent_log();
    VirtualFolder folder_;
    std::optional<VirtualFolder::Snapshot> snapshot_;
    std::unique_ptr<Process> process_;
    SteadyTime off_until_{};
    SteadyTime full_until_{};
    SteadyTime slow_until_{};
    Milliseconds lag_{0};
    int depth_ = 0;  // how deep in its own code the process is
    bool enrolling_ = false;
    bool dies_soon_ = false;
    bool revoked_ = false;
};

}  // namespace rekey::simulation
