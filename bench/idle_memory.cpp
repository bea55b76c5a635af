#include "bench/bench_server.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace rekey::bench {
namespace {

constexpr std::chrono::milliseconds kPatience = std::chrono::minutes{5};

// Connects agents [from, to) and waits until nothing is on the way any more.
void connect_range(testing::Fleet& fleet, std::size_t from, std::size_t to) {
    std::vector<std::size_t> which(to - from);
    std::iota(which.begin(), which.end(), from);
    fleet.connect(which);
    const auto committed = [&] {
        for (std::size_t i = from; i < to; ++i)
            if (fleet.at(i).seen().commits == 0 || fleet.at(i).seen().answers.empty()) return false;
        return true;
    };
    if (!fleet.run_until(committed, kPatience))
        throw std::runtime_error("the fleet was not committed");
    // A last request through the same doors: what the server did for the connects is done.
    static_cast<void>(fleet.admin().call("system.info", {}));
}

}  // namespace

void idle_memory(Transport transport, std::size_t few, std::size_t many) {
    const auto server = start_server(transport, "");
    const auto fleet = enroll_fleet(*server, transport, many);
    connect_range(*fleet, 0, few);
    const std::size_t at_few = resident_kb(server->process().id());
    connect_range(*fleet, few, many);
    const std::size_t at_many = resident_kb(server->process().id());
    std::printf(
        "idle memory     %-5s  %.1f KB a connection (RSS %zu KB at %zu connections, %zu KB at "
        "%zu)\n",
        name_of(transport).c_str(),
        (static_cast<double>(at_many) - static_cast<double>(at_few)) /
            static_cast<double>(many - few),
        at_few, few, at_many, many);
}

}  // namespace rekey::bench
