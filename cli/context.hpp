#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/api.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"

#include <functional>

namespace rekey::cli {

// What a verb works with.
struct Context {
    Api& api;
    Console& console;
    const Clock& clock;
    Format format = Format::table;
    std::function<void(Milliseconds)> pause;  // blocks that long
};

// A verb with its arguments, chosen by the parser and run once the server is known.
using Verb = std::function<Result<ExitCode>(Context&)>;

}  // namespace rekey::cli
