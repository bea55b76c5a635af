// rekey-kill-matrix: kills and stops the real daemons at their fail points and looks whether the
// law held (README.md). The seed repeats the choices.
#include "tests/kill/fail_points.hpp"
#include "tests/kill/schedules.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

using namespace rekey;
using namespace rekey::testing;
using fail_point::names_of;
using fail_point::Side;

namespace {

struct Options {
    std::uint64_t seed = 0;
    std::size_t jobs = 0;
    std::size_t random = 0;
    bool all = false;
    bool list = false;
    bool quiet = false;
    std::string only;
};

bool is_first_hit(const Schedule& schedule) {
    const auto first = [](const Order& order) { return order.hit == 1; };
    return std::ranges::all_of(schedule.agent, first) &&
           std::ranges::all_of(schedule.server, first);
}

// Plays schedules on several stages at once, and prints a line for each as it ends.
class Matrix {
  public:
    explicit Matrix(const Options& options) : options_(options) {}

    // A first hit that never came is a point that is no point. How often one is reached varies with
    // the time that things take, so a later hit may not come.
    enum class Landing : std::uint8_t { may, must };
    void play_all(const std::vector<Schedule>& schedules, Landing landing) {
        std::atomic<std::size_t> next{0};
        std::vector<std::thread> players;
        players.reserve(options_.jobs);
        for (std::size_t i = 0; i < options_.jobs; ++i)
            players.emplace_back([&] {
                for (std::size_t at = next++; at < schedules.size(); at = next++)
                    report(schedules[at], testing::play(schedules[at]), landing);
            });
        for (std::thread& player : players) player.join();
    }

    [[nodiscard]] int verdict(std::chrono::steady_clock::time_point began) const {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        std::printf(
            "%zu plays, %zu blows landed at %zu points, %zu failed, %.1f s, seed %llu: %s\n",
            plays_, blows_, points_.size(), failed_, took.count(),
            static_cast<unsigned long long>(options_.seed),
            failed_ == 0 ? "nobody was locked out" : "FAILED");
        return failed_ == 0 ? 0 : 1;
    }

  private:
    void report(const Schedule& schedule, const Outcome& outcome, Landing landing) {
        const std::lock_guard lock(printing_);
        std::string trouble = outcome.trouble;
        if (trouble.empty() && landing == Landing::must && is_first_hit(schedule) &&
            outcome.landed.empty())
            trouble = "the point was never reached";
        ++plays_;
        blows_ += outcome.landed.size();
        for (const std::string& blow : outcome.landed)
            points_.insert(blow.substr(0, blow.find_first_of(": ")));
        failed_ += trouble.empty() ? 0 : 1;
        if (options_.quiet && trouble.empty()) return;
        std::printf("%-72s %s, %zu landed, generation %llu, %5.2f s\n", to_string(schedule).c_str(),
                    trouble.empty() ? "ok" : "FAILED", outcome.landed.size(),
                    static_cast<unsigned long long>(outcome.generation),
                    static_cast<double>(outcome.took.count()) / 1000);
        if (!trouble.empty()) std::printf("  %s\n", trouble.c_str());
        std::fflush(stdout);
    }

    const Options& options_;
    std::mutex printing_;
    std::size_t plays_ = 0;
    std::size_t blows_ = 0;
    std::size_t failed_ = 0;
    std::set<std::string> points_;
};

// A play without blows tells how often each point is reached; one that is never is a dead name.
Reached count_points() {
    Outcome calm = testing::play({}, Counting::on);
    if (!calm.trouble.empty()) throw std::runtime_error("without any blow: " + calm.trouble);
    std::string dead;
    for (const Side side : {Side::agent, Side::server})
        for (const std::string& name : names_of(side))
            if (!calm.reached.contains(name)) dead.append(" ").append(name);
    if (!dead.empty()) throw std::runtime_error("these points are never reached:" + dead);
    return calm.reached;
}

void list_points() {
    const Reached reached = count_points();
    for (const Side side : {Side::agent, Side::server})
        for (const std::string& name : names_of(side))
            std::printf("%-40s %4u\n", name.c_str(), reached.at(name));
}

template <class T>
void append(std::vector<T>& to, std::vector<T> more) {
    std::move(more.begin(), more.end(), std::back_inserter(to));
}

int run(const Options& options) {
    const auto began = std::chrono::steady_clock::now();
    if (options.list) {
        list_points();
        return 0;
    }
    SeededRandom random(options.seed);
    const Reached reached = count_points();
    std::printf("rekey-kill-matrix: seed %llu, %zu stages at once\n",
                static_cast<unsigned long long>(options.seed), options.jobs);
    Matrix matrix(options);
    if (options.random > 0) {
        std::vector<Schedule> schedules;
        schedules.reserve(options.random);
        for (std::size_t i = 0; i < options.random; ++i)
            schedules.push_back(drawn(reached, random));
        matrix.play_all(schedules, Matrix::Landing::may);
        return matrix.verdict(began);
    }
    // The long ones first, so that the others fill the time.
    std::vector<Schedule> alone = long_stops();
    append(alone, singles(reached));
    if (!options.only.empty())
        std::erase_if(alone, [&](const Schedule& schedule) {
            return to_string(schedule).find(options.only) == std::string::npos;
        });
    matrix.play_all(alone, Matrix::Landing::must);
    if (options.only.empty())
        matrix.play_all(options.all ? all_pairs(reached, random) : covering_pairs(reached, random),
                        Matrix::Landing::may);
    return matrix.verdict(began);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    options.seed = SystemRandom().between(1, 1U << 31U);
    options.jobs = std::size_t{6} * std::max(1U, std::thread::hardware_concurrency());
    CLI::App app{
        "Kills rekeyd and rekey-agent at every fail point, singly and in pairs, starts them again, "
        "and looks whether the law held."};
    app.add_flag("--list", options.list, "Only lists the points, and how often each is reached");
    app.add_flag("--all", options.all, "All pairs, not a covering part of them");
    app.add_option("--random", options.random, "Instead: so many schedules drawn from the seed");
    app.add_option("--only", options.only, "Only the single blows whose name contains this");
    app.add_option("--seed", options.seed, "Repeats the choices of an earlier run");
    app.add_option("--jobs", options.jobs, "Stages that play at once")->check(CLI::Range(1, 256));
    app.add_flag("--quiet", options.quiet, "Prints failures and the sum only");
    try {
        app.parse(argc, argv);
        return run(options);
    } catch (const CLI::Error& error) {
        return app.exit(error) == 0 ? 0 : 64;
    } catch (const std::exception& error) {
        std::cerr << "rekey-kill-matrix: " << error.what() << '\n';
        return 1;
    }
}
