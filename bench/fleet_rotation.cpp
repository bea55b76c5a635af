#include "base/durable_file.hpp"
#include "bench/bench_server.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <vector>

namespace rekey::bench {
namespace {

constexpr std::chrono::milliseconds kPatience = std::chrono::minutes{2};
constexpr std::size_t kAgentsACall = 1000;

void keep_in_files(testing::Fleet& fleet, const std::string& folder) {
    for (std::size_t i = 0; i < fleet.size(); ++i)
        fleet.at(i).persist = [path = folder + "/" +
                                      std::to_string(i)](const agent::rotation::HeldTokens& held) {
            std::string text;
            for (const agent::rotation::HeldToken& token : held)
                text += std::to_string(token.generation) + " " + token.rotation_id + " " +
                        std::string(token.token.expose()) + "\n";
            if (write_durably(path, text)) throw std::runtime_error("cannot write " + path);
        };
}

double rotate_everybody(testing::Fleet& fleet, std::uint64_t generation) {
    const auto started = std::chrono::steady_clock::now();
    for (std::size_t from = 0; from < fleet.size(); from += kAgentsACall) {
        boost::json::array ids;
        for (std::size_t i = from; i < std::min(fleet.size(), from + kAgentsACall); ++i)
            ids.emplace_back(fleet.at(i).agent_id());
        static_cast<void>(
            fleet.admin().call("rotations.start", {{"agent_ids", ids}, {"force", true}}));
    }
    std::size_t first_unsettled = 0;
    const bool done = fleet.run_until(
        [&] {
            while (first_unsettled < fleet.size() && fleet.at(first_unsettled).settled() &&
                   fleet.at(first_unsettled).newest_generation() == generation)
                ++first_unsettled;
            return first_unsettled == fleet.size();
        },
        kPatience);
    if (!done) throw std::runtime_error("the fleet was not rotated in time");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    return static_cast<double>(fleet.size()) / took.count();
}

}  // namespace

void fleet_rotation(Transport transport, AgentState state, std::size_t agents, std::size_t rounds) {
    const auto server = start_server(transport, "");
    const auto fleet = enroll_fleet(*server, transport, agents);
    const testing::TemporaryDirectory folder;
    if (state == AgentState::files) keep_in_files(*fleet, folder.path());
    fleet->connect_all();
    if (!fleet->run_until(
            [&] {
                for (std::size_t i = 0; i < fleet->size(); ++i)
                    if (fleet->at(i).seen().commits == 0) return false;
                return true;
            },
            kPatience))
        throw std::runtime_error("the fleet was not committed");
    std::vector<double> rates;
    rates.reserve(rounds);
    for (std::size_t round = 0; round < rounds; ++round)
        rates.push_back(rotate_everybody(*fleet, round + 2));
    std::sort(rates.begin(), rates.end());
    std::printf(
        "fleet rotation  %-5s  %zu connected agents, agents' state in %s: %.0f rotations a second "
        "from call to "
        "confirmation (median of %zu; %.0f to %.0f)\n",
        name_of(transport).c_str(), agents,
        state == AgentState::memory ? "memory" : "files with fsync", rates[rates.size() / 2],
        rates.size(), rates.front(), rates.back());
}

}  // namespace rekey::bench
