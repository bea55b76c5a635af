#pragma once

#include "base/clock.hpp"
#include "cli/api.hpp"
#include "cli/console.hpp"
#include "cli/environment.hpp"
#include "cli/exit_code.hpp"
#include "cli/target.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rekey::cli {

// Everything outside of the program that it touches; tests put their own in.
struct World {
    Console& console;
    const Environment& environment;
    const Clock& clock;
    std::function<void(Milliseconds)> pause;
    std::function<Result<std::unique_ptr<Api>>(const Target&)> connect;
};

// rekeyctl: `args` without the program's name. Results go to console.out; errors, progress and
// hints to console.err.
[[nodiscard]] ExitCode run(std::vector<std::string> args, const World& world);

}  // namespace rekey::cli
