#pragma once

#include "base/random.hpp"
#include "tests/kill/stage.hpp"

#include <cstddef>
#include <vector>

// Which schedules are played. `reached` is what a play without blows has counted: a point is struck
// at its first hit, its last one and some between.
namespace rekey::testing {

// Every point of both sides.
[[nodiscard]] std::vector<Schedule> singles(const Reached& reached);

// Every pair of a point of the agent and one of the server, each at a drawn hit.
[[nodiscard]] std::vector<Schedule> all_pairs(const Reached& reached, Random& random);
// Some of these, so that every point of both sides is in at least one.
[[nodiscard]] std::vector<Schedule> covering_pairs(const Reached& reached, Random& random);

// SIGSTOP of either side in the middle of a rotation, for longer than every time-out of the other.
[[nodiscard]] std::vector<Schedule> long_stops();

// Up to three blows to each side, at drawn points and hits; some of them stops.
[[nodiscard]] Schedule drawn(const Reached& reached, Random& random);

}  // namespace rekey::testing
