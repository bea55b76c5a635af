// rekey-simulate: the fleet of tests/simulation for as long as one likes. Exits with 1 at the first
// seed under which an invariant does not hold, and tells its story.
#include "tests/simulation/simulation.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <string>

int main(int argc, char** argv) {
    rekey::simulation::Options options;
    options.agents = 50;
    options.days = 200;
    options.seed = 0;
    std::uint64_t seeds = 1;
    CLI::App app{"Simulates a fleet and its server on virtual time, network and disk."};
    app.add_option("--agents", options.agents, "How many.")->check(CLI::Range(1, 2000));
    app.add_option("--days", options.days, "Virtual days.")->check(CLI::Range(1, 10000));
    app.add_option("--seed", options.seed, "Repeats a run; by default a fresh one.");
    app.add_option("--seeds", seeds, "So many runs, from this seed on.");
    const std::map<std::string, void (*)(rekey::simulation::Weather&)> seasons{
        {"bad-disks", rekey::simulation::bad_disks},
        {"revokes", rekey::simulation::revokes_and_restores}};
    std::string season;
    app.add_option("--season", season, "bad-disks or revokes: storms have more of it than drawn.")
        ->check(CLI::IsMember(seasons));
    CLI11_PARSE(app, argc, argv);
    if (!season.empty()) options.season = seasons.at(season);
    if (options.seed == 0) {
        rekey::SystemRandom random;
        options.seed = random.between(1, 1'000'000'000);
    }
    double agent_days = 0;
    double seconds = 0;
    for (const std::uint64_t end = options.seed + seeds; options.seed < end; ++options.seed) {
        const auto report = rekey::simulation::Simulation(options).run();
        agent_days += report.agent_days;
        seconds += report.seconds;
        std::printf(
            "seed %llu: %s, %.0f agent-days in %.1f s of one core, %llu steps, %llu rotations, "
            "%llu recoveries, %llu alarms, %llu checks, trace %016llx\n",
            static_cast<unsigned long long>(options.seed), report.ok ? "ok" : "FAILED",
            report.agent_days, report.seconds, static_cast<unsigned long long>(report.steps),
            static_cast<unsigned long long>(report.promotions),
            static_cast<unsigned long long>(report.recoveries),
            static_cast<unsigned long long>(report.alarms),
            static_cast<unsigned long long>(report.checks),
            static_cast<unsigned long long>(report.hash));
        std::fflush(stdout);
        if (report.ok) continue;
        std::printf("\n%s", report.story.c_str());
        return 1;
    }
    std::printf("%.0f agent-days a second of one core\n", agent_days / seconds);
    return 0;
}
