#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

// One play on real processes: a server and an agent, with real files, SQLite and TLS, that are
// killed or stopped where the schedule says and started again, as a service manager would.
namespace rekey::testing {

enum class Blow : std::uint8_t { kill, stop };

// Lands when the point is reached for the hit-th time in one life of the process.
struct Order {
    std::string point;
    unsigned hit = 1;
    Blow blow = Blow::kill;
};
[[nodiscard]] std::string to_string(const Order& order);

// Orders are armed one after the other: the next one when the one before has landed.
struct Schedule {
    std::deque<Order> server;
    std::deque<Order> agent;
    // How long a stopped process stays so.
    std::chrono::milliseconds stop_for{1500};
};
[[nodiscard]] std::string to_string(const Schedule& schedule);

// How often each point was reached in one life, at most.
using Reached = std::map<std::string, unsigned>;

struct Outcome {
    std::string trouble;  // empty: the law held, and the agent rotates on
    std::vector<std::string> landed;
    std::uint64_t generation = 0;
    std::chrono::milliseconds took{0};
    Reached reached;  // of a play that counts
};

enum class Counting : std::uint8_t { off, on };

// Plays from an empty data directory to the end: first start, enrollment, a rotation, a restart of
// the agent, a recovery, a revocation of somebody else, a restart of the server, more rotations. At
// each blow, and at the end, the law is looked at (law.hpp). Blocks.
[[nodiscard]] Outcome play(const Schedule& schedule, Counting counting = Counting::off);

}  // namespace rekey::testing
