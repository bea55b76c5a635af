#pragma once

#include <string>
#include <string_view>
#include <vector>

// The fail points by name, and what they do in the programs of tests/kill:
//   REKEY_FAIL_POINT=name[:hit[:stop]]   kill -9 (or SIGSTOP) when the point is reached the hit-th
//                                        time; hit is 1 when it is not given
//   REKEY_FAIL_POINT_LOG=file            appends the name of each point that is reached
// Both are read once. Any thread.
namespace rekey::fail_point {

enum class Side : unsigned char { agent, server };

// All names of one side that a play of the kill matrix reaches, in the order of
// base/fail_point.hpp.
[[nodiscard]] std::vector<std::string> names_of(Side side);

// For places that only the programs of tests/kill have (database_disk.cpp).
void reached_named(std::string_view name) noexcept;

inline constexpr std::string_view kDatabasePoints[] = {
    "server.database.write", "server.database.fsync", "server.wal.write", "server.wal.fsync"};

}  // namespace rekey::fail_point
