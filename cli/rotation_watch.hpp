#pragma once

#include "cli/context.hpp"
#include "cli/progress_bar.hpp"
#include "cli/rotation_board.hpp"

#include <chrono>

namespace rekey::cli {

enum class WatchEnd : std::uint8_t { settled, timed_out };

// Asks the server how the rotations of `board` are doing until none is under way any more, and
// shows it. Asks rarely enough to stay below rate_limit_api_per_minute for any number of agents. A
// server that does not answer meanwhile (it is being restarted) is waited for; other errors end it.
[[nodiscard]] Result<WatchEnd> watch(Context& context, RotationBoard& board, ProgressBar& bar,
                                     std::chrono::seconds timeout);

}  // namespace rekey::cli
