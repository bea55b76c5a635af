// rekey-bad-network: real agents behind a proxy that drops, repeats and delays whole messages and
// cuts connections. In each round everybody is rotated again and again while it does; then it
// becomes honest, and everybody must settle and rotate once more. The seed repeats the mischief.
#include "protocol/join_string.hpp"
#include "tests/kill/law.hpp"
#include "tests/kill/message_proxy.hpp"
#include "tests/support/daemons.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <cstdio>
#include <iostream>
#include <memory>
#include <thread>

using namespace rekey;
using namespace rekey::testing;

namespace {

constexpr Mischief kMischief{.drop = 6, .repeat = 12, .delay = 15, .cut = 5};
constexpr std::chrono::milliseconds kBetweenRotations{400};
constexpr unsigned kEnrollmentTries = 20;

struct Options {
    std::size_t agents = 4;
    std::size_t rounds = 3;
    std::size_t rotations = 8;  // asked for in a round
    std::uint64_t seed = 0;
};

class Play {
  public:
    explicit Play(const Options& options)
        : options_(options),
          proxy_(options.seed),
          server_(Rekeyd::Options{
              .transport = Transport::plain,
              .environment = {{"REKEY_ROTATION_TIMEOUT_SECONDS", "1"},
                              {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"},
                              {"REKEY_HEARTBEAT_SECONDS", "5"},
                              {"REKEY_RATE_LIMIT_AUTH_PER_MINUTE", "0"}},
              .arguments = {"--advertise", "127.0.0.1:" + std::to_string(proxy_.port())},
              .on_line = {},
              .wrapper = {}}) {
        proxy_.lead_to(server_.port());
        proxy_.set(kMischief);
        for (std::size_t i = 0; i < options.agents; ++i) enroll("agent-" + std::to_string(i));
        proxy_.set({});
        expect_all_from(1);
    }

    void round(std::size_t number) {
        const auto began = std::chrono::steady_clock::now();
        proxy_.set(kMischief);
        for (std::size_t i = 0; i < options_.rotations; ++i) {
            rotate_all();
            std::this_thread::sleep_for(kBetweenRotations);
        }
        proxy_.set({});
        expect_all_from(1);
        rotate_all();
        const std::uint64_t newest = expect_all_from(2);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        std::printf(
            "round %zu: %s so far; all %zu agents settled, generations up to %llu, %.1f s\n",
            number, to_string(proxy_.mishaps()).c_str(), members_.size(),
            static_cast<unsigned long long>(newest), took.count());
        std::fflush(stdout);
    }

    // Empty when the law held and the audit chain tells the same.
    [[nodiscard]] std::string judge() {
        for (const Member& member : members_) {
            const Evidence evidence{server_.directory(), member.agent->state_path(), member.id};
            if (std::string broken = law_broken(evidence); !broken.empty()) return broken;
            if (std::string broken = story_broken(evidence); !broken.empty()) return broken;
        }
        return {};
    }

  private:
    struct Member {
        std::string id;
        std::unique_ptr<RekeyAgent> agent;
        std::uint64_t generation = 0;
    };

    void enroll(const std::string& name) {
        const Rekeyd::NewAgent created = server_.new_agent(name);
        Member member{created.agent_id, std::make_unique<RekeyAgent>(name)};
        unsigned tries = 0;
        while (member.agent->enroll(created.join_string) != 0)
            if (++tries == kEnrollmentTries)
                throw std::runtime_error("not enrolled: " + member.agent->enroll_output());
        member.agent->start();
        members_.push_back(std::move(member));
    }

    void rotate_all() {
        for (const Member& member : members_)
            static_cast<void>(
                server_.try_call("rotations.start", {{"agent_id", member.id}, {"force", true}}));
    }

    // Everybody settles, at least `steps` - 1 generations beyond the last look; the newest one.
    std::uint64_t expect_all_from(std::uint64_t steps) {
        std::uint64_t newest = 0;
        for (Member& member : members_) {
            const auto seen = server_.wait_settled(member.id, member.generation + steps - 1);
            member.generation = seen.at("generation").to_number<std::uint64_t>();
            newest = std::max(newest, member.generation);
        }
        return newest;
    }

    const Options& options_;
    MessageProxy proxy_;
    Rekeyd server_;
    std::vector<Member> members_;
};

int run(const Options& options) {
    std::printf("rekey-bad-network: %zu agents, %zu rounds, seed %llu\n", options.agents,
                options.rounds, static_cast<unsigned long long>(options.seed));
    std::fflush(stdout);
    Play play(options);
    for (std::size_t number = 1; number <= options.rounds; ++number) play.round(number);
    const std::string broken = play.judge();
    std::printf("rekey-bad-network: %s\n",
                broken.empty() ? "nobody was locked out" : broken.c_str());
    return broken.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    options.seed = SystemRandom().between(1, 1U << 31U);
    CLI::App app{
        "Rotates real agents behind a proxy that drops, repeats, delays and cuts whole messages."};
    app.add_option("--agents", options.agents, "How many agents")->check(CLI::Range(1, 100));
    app.add_option("--rounds", options.rounds, "Times of mischief, each with an honest end");
    app.add_option("--rotations", options.rotations, "Asked for in each round");
    app.add_option("--seed", options.seed, "Repeats the mischief of an earlier run");
    try {
        app.parse(argc, argv);
        return run(options);
    } catch (const CLI::Error& error) {
        return app.exit(error) == 0 ? 0 : 64;
    } catch (const std::exception& error) {
        std::cerr << "rekey-bad-network: " << error.what() << '\n';
        return 1;
    }
}
