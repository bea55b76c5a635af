#pragma once

#include "cli/context.hpp"

#include <chrono>
#include <string>
#include <vector>

// `rekeyctl rotate`: starts rotations and waits until each agent has confirmed its new token.
namespace rekey::cli {

struct RotateOptions {
    std::vector<std::string> names;
    bool all = false;    // instead of names
    bool force = false;  // ignores the grace period of the last rotation
    enum class Wait : std::uint8_t { until_activated, no } wait = Wait::until_activated;
    std::chrono::seconds timeout{60};
};

// `failure` if an agent failed, or was still under way at the time-out. Those that are offline are
// served at their next connect; that is no failure.
[[nodiscard]] Result<ExitCode> rotate(Context& context, const RotateOptions& options);

}  // namespace rekey::cli
