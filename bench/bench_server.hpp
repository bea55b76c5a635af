#pragma once

#include "bench/benches.hpp"
#include "tests/support/daemons.hpp"
#include "tests/support/fleet.hpp"

#include <cstddef>
#include <fstream>
#include <memory>
#include <sched.h>
#include <string>
#include <vector>

// A rekeyd for a bench: quiet, without rate limits, on the given core (or all).
namespace rekey::bench {

inline std::unique_ptr<testing::Rekeyd> start_server(Transport transport, const std::string& core) {
    testing::Rekeyd::Options options;
    options.transport =
        transport == Transport::plain ? testing::Transport::plain : testing::Transport::tls;
    options.arguments = {"--log-level", "warning"};
    options.environment = {{"REKEY_RATE_LIMIT_AUTH_PER_MINUTE", "0"},
                           {"REKEY_RATE_LIMIT_API_PER_MINUTE", "0"},
                           {"REKEY_HEARTBEAT_SECONDS", "600"}};
    if (!core.empty()) options.wrapper = {"taskset", "-c", core};
    if (!core.empty()) options.arguments.insert(options.arguments.end(), {"--shards", "1"});
    return std::make_unique<testing::Rekeyd>(std::move(options));
}

inline std::unique_ptr<testing::Fleet> enroll_fleet(const testing::Rekeyd& server,
                                                    Transport transport, std::size_t agents) {
    auto fleet = std::make_unique<testing::Fleet>(
        testing::admin_access(server.directory(), transport == Transport::plain), 1);
    fleet->enroll(agents, "bench");
    return fleet;
}

// Keeps this process (the agents) off the server's core.
inline void use_core(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
}

// Resident kilobytes of a process.
inline std::size_t resident_kb(int process_id) {
    std::ifstream status("/proc/" + std::to_string(process_id) + "/status");
    std::string word;
    std::size_t value = 0;
    while (status >> word)
        if (word == "VmRSS:") status >> value;
    return value;
}

}  // namespace rekey::bench
