#pragma once

#include "base/log.hpp"
#include "keys/master_key.hpp"
#include "server/rpc/caller.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/simulation/line.hpp"
#include "tests/simulation/virtual_journal.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rekey::simulation {

// A machine's own clock: the simulation's, and what has been done to it.
class MachineClock final : public Clock {
  public:
    explicit MachineClock(const testing::VirtualTime& time) : time_(time) {}
    [[nodiscard]] Time now() const override { return time_.wall + offset; }
    [[nodiscard]] SteadyTime steady_now() const override { return time_.steady; }
    Milliseconds offset{0};

  private:
    const testing::VirtualTime& time_;
};

// The machine that rekeyd runs on. What was committed outlives the process; all else dies with it.
// The process is the daemon's own rooms below its HTTP doors, in the daemon's order, on a store
// whose every unit waits its turn in virtual time.
class ServerMachine final : public ServerEnd {
  public:
    struct Parts {
        testing::VirtualTime& time;
        Dice& dice;
        Trace& trace;
        const Weather& weather;
        std::uint64_t seed;
        // A store that is not to be trusted, for the tests that want to see it found out.
        std::function<std::unique_ptr<storage::Store>(
            std::unique_ptr<storage::Store>, const std::shared_ptr<storage::MemoryDatabase>&)>
            spoil_store;
        // What a power loss does to a database that it should not be able to touch.
        std::function<void(storage::MemoryDatabase&)> spoil_after_crash;
        // What happens to the file beside the database when the database is restored: nothing.
        std::function<void(RevocationFile&)> spoil_revocations;
    };
    explicit ServerMachine(Parts parts);
    ~ServerMachine() override;

    void start();
    void stop();
    // Kills the process, and starts it again after a while.
    void crash(std::string_view why);
    // As SIGTERM does: the agents are told when to come back.
    void restart();
    // Its database is copied; and restored from that copy, which ends the process. The file of
    // revocations beside it stays as it is.
    void back_up();
    void restore();
    // Makes sure that it runs, at once.
    void heal();
    void slow_disk_until(SteadyTime until) { slow_until_ = until; }

    [[nodiscard]] bool is_up() const override { return process_ != nullptr; }
    void enter(const std::function<void()>& action) override;
    // Somebody has come, or asked for something, a moment ago.
    [[nodiscard]] bool is_busy() const;
    [[nodiscard]] Moment now() const override { return Moment::of(clock_); }
    void upgrade(std::shared_ptr<Line> line, std::string credential, Moment accepted) override;

    void post(const std::string& target, const std::string& body, Answer answer) override;
    // POST /rpc by an admin. No answer when the process dies meanwhile.
    using Answered = std::function<void(const Result<boost::json::value>&)>;
    void call(std::string method, boost::json::object params, Answered answered);

    [[nodiscard]] storage::MemoryDatabase& database() { return *database_; }
    // A session of this agent is ready.
    [[nodiscard]] bool connected(const std::string& agent_id) const;
    [[nodiscard]] const MachineClock& clock() const { return clock_; }
    // How often it has died, or a commit has failed: so many findings of its own it may have lost.
    [[nodiscard]] std::uint64_t misfortunes() const { return misfortunes_; }

    std::function<void()> on_commit;   // after each unit that was kept
    std::function<void()> on_restore;  // of the database, before anybody has looked at it
    // A connection was let in: when it asked, and with what.
    std::function<void(const std::string& agent_id, SteadyTime asked_at)> on_admitted;

  private:
    struct Process;
    void settle();
    void tick();
    void be_busy();
    void run_unit();
    void schedule(std::function<void()> unit);
    void make_admin();
    template <class Params, class Route>
    void serve(const std::string& body, Answer answer, Route route);

    Parts parts_;
    MachineClock clock_;
    SeededRandom random_;
    std::unique_ptr<Log> log_ = make_silent_log();
    keys::MasterKey master_key_;
    std::shared_ptr<storage::MemoryDatabase> database_;
    std::optional<storage::MemoryDatabase> backup_;
    RevocationFile revocations_;
    server::rpc::Caller admin_;
    std::unique_ptr<Process> process_;
    std::uint64_t lives_ = 0;
    std::uint64_t misfortunes_ = 0;
    SteadyTime slow_until_{};
    SteadyTime busy_until_{};
    bool committed_ = false;
    bool restarting_ = false;
};

}  // namespace rekey::simulation
