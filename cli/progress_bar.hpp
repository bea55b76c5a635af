#pragma once

#include "base/clock.hpp"
#include "cli/console.hpp"
#include "cli/rotation_board.hpp"

namespace rekey::cli {

// Shows on a terminal one line that is drawn over again, and elsewhere one line for each agent that
// has come to an end, so that a log of it can be read.
class ProgressBar {
  public:
    explicit ProgressBar(const Screen& screen) : screen_(screen) {}
    ~ProgressBar();  // ends the line
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void changed(const TrackedRotation& rotation);
    void draw(const RotationCounts& counts, Milliseconds elapsed);
    // Something else to say, once for each run of the same words: "the server does not answer".
    void note(std::string_view text);

  private:
    void clear_line();

    const Screen& screen_;
    bool drawn_ = false;
    std::string last_note_;
};

// "[######------]  12/24  0:07  12 activated", not wider than `columns` (0: any).
[[nodiscard]] std::string bar_text(RotationCounts counts, Milliseconds elapsed,
                                   std::size_t columns);
// "web-1: activated, generation 3"
[[nodiscard]] std::string line_text(const TrackedRotation& rotation);

}  // namespace rekey::cli
