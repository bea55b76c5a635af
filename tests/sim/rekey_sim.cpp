// rekey-sim: plays a fleet against the real rekeyd. Some agents stay offline, some refuse; every
// round rotates everybody, and at its end nobody may be locked out. The seed repeats the choices.
#include "tests/support/daemons.hpp"
#include "tests/support/fleet.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

constexpr std::size_t kAgentsACall = 1000;
constexpr std::chrono::milliseconds kRoundPatience = std::chrono::minutes{3};

struct Options {
    std::size_t agents = 100;
    std::string offline = "2%";
    std::string refuse = "3%";
    std::size_t rounds = 3;
    std::uint64_t seed = 0;
    std::string data_dir;
    bool plain = false;
};

std::uint64_t percent(const std::string& text) {
    std::size_t used = 0;
    const unsigned long value = std::stoul(text, &used);
    if (value > 100 || text.substr(used) != "%")
        throw CLI::ValidationError("a share is written like 3%, not " + text);
    return value;
}

class Simulation {
  public:
    Simulation(const Options& options, Fleet& fleet)
        : options_(options), fleet_(fleet), random_(options.seed) {}

    bool run() {
        bool ok = true;
        for (std::size_t round = 1; round <= options_.rounds && ok; ++round) ok = play(round);
        return ok;
    }

  private:
    bool drawn(const std::string& share) { return random_.between(1, 100) <= percent(share); }

    void rotate_all() {
        for (std::size_t from = 0; from < fleet_.size(); from += kAgentsACall) {
            json::array ids;
            for (std::size_t i = from; i < std::min(fleet_.size(), from + kAgentsACall); ++i)
                ids.emplace_back(fleet_.at(i).agent_id());
            static_cast<void>(
                fleet_.admin().call("rotations.start", {{"agent_ids", ids}, {"force", true}}));
        }
    }

    bool play(std::size_t round) {
        const auto started = std::chrono::steady_clock::now();
        std::vector<std::size_t> offline;
        std::size_t refusing = 0;
        std::vector<std::uint64_t> before(fleet_.size());
        for (std::size_t i = 0; i < fleet_.size(); ++i) {
            ScriptedAgent& agent = fleet_.at(i);
            before[i] = agent.newest_generation();
            if (drawn(options_.offline)) {
                agent.cut();
                offline.push_back(i);
            } else if (drawn(options_.refuse)) {
                agent.script().offers = {wrong_ways_[random_.between(0, wrong_ways_.size() - 1)]};
                ++refusing;
            }
        }
        rotate_all();
        const auto rotated = [&](std::size_t i) {
            return fleet_.at(i).settled() && fleet_.at(i).newest_generation() > before[i];
        };
        // Whoever hung up in the middle comes back, as a daemon would.
        const auto everybody_back_and_rotated = [&] {
            bool all = true;
            for (std::size_t i = 0; i < fleet_.size(); ++i) {
                const bool away = std::find(offline.begin(), offline.end(), i) != offline.end();
                if (!away && !fleet_.at(i).connected() && fleet_.at(i).hung_up())
                    fleet_.at(i).connect();
                all = all && (away || rotated(i));
            }
            return all;
        };
        bool ok = fleet_.run_until(everybody_back_and_rotated, kRoundPatience);
        const std::chrono::duration<double> online_took =
            std::chrono::steady_clock::now() - started;
        fleet_.connect(offline);
        offline.clear();
        ok = ok && fleet_.run_until(everybody_back_and_rotated, kRoundPatience);
        std::size_t locked_out = 0;
        for (std::size_t i = 0; i < fleet_.size(); ++i) locked_out += rotated(i) ? 0 : 1;
        std::printf(
            "round %zu: %zu agents, %zu refused once, online ones rotated in %.2f s, locked out or "
            "behind: %zu\n",
            round, fleet_.size(), refusing, online_took.count(), locked_out);
        return ok && locked_out == 0;
    }

    const Options& options_;
    Fleet& fleet_;
    SeededRandom random_;
    const std::vector<OnOffer> wrong_ways_{
        OnOffer::fail_disk_full,    OnOffer::error_object,           OnOffer::wrong_proof,
        OnOffer::save_never_answer, OnOffer::disconnect_before_save, OnOffer::disconnect_after_save,
        OnOffer::garbage,           OnOffer::complete_twice};
};

int simulate(const Options& options) {
    std::unique_ptr<Rekeyd> own;
    std::string data_dir = options.data_dir;
    if (data_dir.empty()) {
        Rekeyd::Options server;
        server.transport = options.plain ? Transport::plain : Transport::tls;
        server.arguments = {"--log-level", "warning"};
        server.environment = {{"REKEY_ROTATION_TIMEOUT_SECONDS", "2"},
                              {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"}};
        own = std::make_unique<Rekeyd>(server);
        data_dir = own->directory();
    }
    std::printf("rekey-sim: %zu agents, %s offline, %s refusing, seed %llu\n", options.agents,
                options.offline.c_str(), options.refuse.c_str(),
                static_cast<unsigned long long>(options.seed));
    Fleet fleet(admin_access(data_dir, options.plain), options.seed);
    fleet.enroll(options.agents, "sim" + std::to_string(options.seed));
    fleet.connect_all();
    const bool ok = Simulation(options, fleet).run();
    std::printf("rekey-sim: %s\n", ok ? "nobody is locked out" : "FAILED");
    return ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    options.seed = SystemRandom().between(1, 1U << 31U);
    CLI::App app{
        "Plays a fleet of agents against rekeyd: some offline, some refusing, everybody rotated "
        "each round."};
    app.add_option("--agents", options.agents, "How many agents")->check(CLI::Range(1, 15000));
    app.add_option("--offline", options.offline,
                   "Share of agents that are away in each round, e.g. 2%");
    app.add_option("--refuse", options.refuse,
                   "Share of agents that go wrong once in each round, e.g. 3%");
    app.add_option("--rounds", options.rounds, "Rotations of the whole fleet");
    app.add_option("--seed", options.seed, "Repeats the choices of an earlier run");
    app.add_option("--data-dir", options.data_dir,
                   "A running rekeyd's data directory; without it, one of its own");
    app.add_flag("--plain-http", options.plain, "The server speaks plain HTTP");
    try {
        app.parse(argc, argv);
        static_cast<void>(percent(options.offline));
        static_cast<void>(percent(options.refuse));
        return simulate(options);
    } catch (const CLI::Error& error) {
        return app.exit(error) == 0 ? 0 : 64;
    } catch (const std::exception& error) {
        std::cerr << "rekey-sim: " << error.what() << '\n';
        return 1;
    }
}
