// rekey-server-kills: a fleet of production agents (the client library, with real state files) and
// a real rekeyd that is killed again and again in the middle of rotating them all. Nobody asks for
// a rotation: each restart finds a wall clock some hours later, at which every token is due, and
// the kill falls after a drawn number of promotions. At the end every agent is back, rotated, and
// the audit chain tells so. The seed repeats the choices.
#include "agent/client.hpp"
#include "agent/enrollment.hpp"
#include "base/random.hpp"
#include "protocol/join_string.hpp"
#include "tests/kill/law.hpp"
#include "tests/support/daemons.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/temporary_directory.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <signal.h>
#include <thread>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

constexpr std::size_t kThreads = 4;  // that agents live on: their disk writes block
constexpr std::chrono::minutes kFleetPatience{2};
// A token lives for a day here and is due after a tenth of it. All lives of the server together
// stay within the day: an agent that no life came to rotates in the last one, and none expires.
constexpr std::size_t kDueAfterMinutes = 144;
constexpr std::size_t kLastLifeMinutes = 180;
constexpr std::size_t kDayMinutes = std::size_t{23} * 60;

struct Options {
    std::size_t agents = 1000;
    std::size_t kills = 10;
    std::uint64_t seed = 0;
};

std::string faketime_library() {
    for (const char* library : {"/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
                                "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"})
        if (std::filesystem::exists(library)) return library;
    throw std::runtime_error("Debian's faketime is not installed");
}

// Kills the server as its log tells of the n-th promotion of this life.
class Killer {
  public:
    LineHook hook() {
        return [this](const std::string& line, int process_id) {
            if (line.find(" event=rotation.promoted ") == std::string::npos) return;
            if (++promoted_ == kill_at_) ::kill(process_id, SIGKILL);
        };
    }
    void arm(std::uint64_t kill_at) {
        promoted_ = 0;
        kill_at_ = kill_at;
    }
    [[nodiscard]] std::uint64_t promoted() const { return promoted_; }

  private:
    std::atomic<std::uint64_t> promoted_{0};
    std::atomic<std::uint64_t> kill_at_{0};  // 0: never
};

// The agents' threads.
class Stables {
  public:
    Stables() {
        for (Stable& stable : stables_)
            stable.thread = std::thread([&stable] { stable.context.run(); });
    }
    ~Stables() { stop(); }
    // Nothing runs any more; what lives on the contexts can be destroyed.
    void stop() {
        for (Stable& stable : stables_) {
            stable.context.stop();
            if (stable.thread.joinable()) stable.thread.join();
        }
    }
    Stables(const Stables&) = delete;
    Stables& operator=(const Stables&) = delete;
    boost::asio::io_context& at(std::size_t index) { return stables_[index % kThreads].context; }

  private:
    struct Stable {
        boost::asio::io_context context{1};
        boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
            context.get_executor()};
        std::thread thread;
    };
    std::array<Stable, kThreads> stables_;
};

class Play {
  public:
    explicit Play(const Options& options)
        : options_(options),
          random_(options.seed),
          server_(Rekeyd::Options{.environment = {{"REKEY_AGENT_TOKEN_ROTATION_DAYS", "1"},
                                                  {"REKEY_ROTATE_AT_FRACTION_MIN", "0.1"},
                                                  {"REKEY_ROTATE_AT_FRACTION_MAX", "0.1"},
                                                  {"REKEY_AGENT_TOKEN_GRACE_PERIOD_MINUTES", "1"},
                                                  {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"},
                                                  {"REKEY_ROTATION_TIMEOUT_SECONDS", "5"},
                                                  {"REKEY_RATE_LIMIT_AUTH_PER_MINUTE", "0"},
                                                  {"REKEY_RATE_LIMIT_API_PER_MINUTE", "0"}},
                                  .arguments = {},
                                  .on_line = killer_.hook(),
                                  .wrapper = {}}) {
        enroll_all();
        for (std::size_t i = 0; i < fleet_.size(); ++i) start(i);
        before_.assign(fleet_.size(), 0);
        wait_for_all("connected for the first time");
    }
    ~Play() {
        stables_.stop();
        clients_.clear();
    }
    Play(const Play&) = delete;
    Play& operator=(const Play&) = delete;

    bool run() {
        server_.kill();
        for (std::size_t kill = 1; kill <= options_.kills; ++kill) {
            const std::uint64_t at = random_.between(1, std::max<std::size_t>(1, due() * 4 / 5));
            begin_life(kill == 1 ? kLastLifeMinutes : minutes_a_life(), at);
            if (server_.process().wait(kFleetPatience) != 128 + SIGKILL)
                throw std::runtime_error("the server ended by itself");
            std::printf("kill %2zu: after %llu of %zu promotions\n", kill,
                        static_cast<unsigned long long>(at), due());
            promoted_.push_back(killer_.promoted());
            std::fflush(stdout);
        }
        note_generations();
        const auto began = std::chrono::steady_clock::now();
        begin_life(kLastLifeMinutes, 0);
        wait_for_all("back, and rotated");
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        std::printf("after the last start all %zu agents were back and rotated in %.1f s\n",
                    options_.agents, took.count());
        server_.kill();
        const std::string broken = any_story_broken(fleet_);
        if (!broken.empty()) std::printf("%s\n", broken.c_str());
        return broken.empty();
    }

  private:
    [[nodiscard]] std::size_t minutes_a_life() const {
        return std::min(kLastLifeMinutes, (kDayMinutes - 2 * kLastLifeMinutes) / options_.kills);
    }
    // Agents whose newest token is old enough in the coming life.
    [[nodiscard]] std::size_t due() const {
        const std::size_t too_young = (kDueAfterMinutes + minutes_a_life() - 1) / minutes_a_life();
        std::size_t count = options_.agents;
        for (std::size_t back = 1; back < too_young && back <= promoted_.size(); ++back)
            count -= std::min(count, promoted_[promoted_.size() - back]);
        return count;
    }

    void begin_life(std::size_t minutes_later, std::uint64_t kill_at) {
        minutes_ += minutes_later;
        killer_.arm(kill_at);
        auto& environment = server_.options().environment;
        environment["LD_PRELOAD"] = faketime_library();
        environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        environment["FAKETIME"] = "+" + std::to_string(minutes_) + "m";
        server_.start();
    }

    void enroll_all() {
        AdminClient admin(admin_access(server_.directory(), false));
        std::vector<json::object> wanted(options_.agents);
        for (std::size_t i = 0; i < wanted.size(); ++i)
            wanted[i] = {{"name", "agent-" + std::to_string(i)}};
        std::vector<json::object> ids;
        for (const json::value& created : admin.call_all("agents.create", wanted))
            ids.push_back({{"agent_id", created.at("agent_id")}});
        const auto codes = admin.call_all("agents.enrollment_code", ids);
        const auto log = make_silent_log();
        for (std::size_t i = 0; i < codes.size(); ++i) {
            const std::string state = home_.file(std::to_string(i)) + "/state.json";
            const auto join =
                protocol::parse_join_string(std::string(codes[i].at("join_string").as_string()));
            const auto enrolled = agent::enroll_files(join.value(), {state}, {}, *log).value();
            fleet_.push_back({server_.directory(), state, enrolled.agent_id});
        }
    }

    void start(std::size_t index) {
        agent::ClientOptions options;
        options.state_path = fleet_[index].state_path;
        options.context = &stables_.at(index);
        options.hooks.on_changed = [this] { changed_.notify_all(); };
        clients_.push_back(std::make_unique<agent::Client>(std::move(options)));
        clients_.back()->start().value();
    }

    // The newest confirmed one. A candidate may have been saved in an earlier life, and is promoted
    // by the connect in this one.
    [[nodiscard]] static std::uint64_t confirmed(const agent::ClientStatus& status) {
        std::uint64_t newest = 0;
        for (const agent::TokenStatus& token : status.tokens)
            if (token.state == agent::rotation::TokenState::confirmed) newest = token.generation;
        return newest;
    }
    // Connected, nothing unresolved, and rotated since note_generations().
    [[nodiscard]] bool is_well(std::size_t index) const {
        const agent::ClientStatus status = clients_[index]->status();
        return status.connection == agent::ConnectionState::connected &&
               confirmed(status) == status.tokens.back().generation &&
               confirmed(status) > before_[index];
    }
    void note_generations() {
        for (std::size_t i = 0; i < clients_.size(); ++i)
            before_[i] = confirmed(clients_[i]->status());
    }

    // What the agents that are not well say, and what the server says of them.
    [[nodiscard]] std::string describe_unwell() const {
        std::string text;
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            if (is_well(i)) continue;
            const agent::ClientStatus status = clients_[i]->status();
            text += "\n  agent " + status.agent_id + " " +
                    std::string(agent::to_string(status.connection)) + ", generation " +
                    std::to_string(status.tokens.back().generation) + ", " + status.last_error +
                    "\n  server: " + json::serialize(server_.agent(status.agent_id));
        }
        return text;
    }

    void wait_for_all(const char* what) {
        const auto unwell = [&] {
            std::size_t count = 0;
            for (std::size_t i = 0; i < clients_.size(); ++i) count += is_well(i) ? 0 : 1;
            return count;
        };
        const auto deadline = std::chrono::steady_clock::now() + kFleetPatience;
        std::unique_lock lock(mutex_);
        while (const auto left = unwell()) {
            if (std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error(std::to_string(left) + " agents never were " + what +
                                         describe_unwell());
            changed_.wait_for(lock, std::chrono::milliseconds(100));
        }
        lock.unlock();
        wait_for_the_server(what);
    }

    // The agents' side is quiet; so must the server's be, which hears of the last step afterwards.
    void wait_for_the_server(const char* what) {
        for (const Evidence& evidence : fleet_) try {
                static_cast<void>(server_.wait_settled(evidence.agent_id, 1));
            } catch (const std::exception& error) {
                throw std::runtime_error(std::string("not ") + what + ": " + error.what());
            }
    }

    const Options& options_;
    SeededRandom random_;
    Killer killer_;
    Rekeyd server_;
    TemporaryDirectory home_;
    std::vector<Evidence> fleet_;
    std::size_t minutes_ = 0;              // by which the server's wall clock is ahead
    std::vector<std::uint64_t> promoted_;  // in each life that was ended
    std::mutex mutex_;
    std::condition_variable changed_;
    Stables stables_;
    std::vector<std::unique_ptr<agent::Client>> clients_;
    std::vector<std::uint64_t> before_;  // each one's confirmed generation at the last look
};

int run(const Options& options) {
    const auto began = std::chrono::steady_clock::now();
    std::printf("rekey-server-kills: %zu agents, %zu kills, seed %llu\n", options.agents,
                options.kills, static_cast<unsigned long long>(options.seed));
    std::fflush(stdout);
    Play play(options);
    const bool ok = play.run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("rekey-server-kills: %s, %.1f s\n", ok ? "nobody was locked out" : "FAILED",
                took.count());
    return ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    options.seed = SystemRandom().between(1, 1U << 31U);
    CLI::App app{"Kills rekeyd in the middle of rotating a fleet, again and again."};
    app.add_option("--agents", options.agents, "How many agents")->check(CLI::Range(1, 5000));
    app.add_option("--kills", options.kills, "How often the server is killed");
    app.add_option("--seed", options.seed, "Repeats the choices of an earlier run");
    try {
        app.parse(argc, argv);
        return run(options);
    } catch (const CLI::Error& error) {
        return app.exit(error) == 0 ? 0 : 64;
    } catch (const std::exception& error) {
        std::cerr << "rekey-server-kills: " << error.what() << '\n';
        return 1;
    }
}
