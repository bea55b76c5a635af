#include "cli/progress_bar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace rekey::cli {
namespace {

constexpr std::size_t kWidestBar = 24;
constexpr std::size_t kNarrowestBar = 8;

}  // namespace

std::string bar_text(RotationCounts counts, Milliseconds elapsed, std::size_t columns) {
    const std::size_t settled = counts.total - counts.under_way;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
    counts.under_way = 0;  // the bar says it
    const std::string text = fmt::format("  {}/{}  {}:{:02}  {}", settled, counts.total,
                                         seconds / 60, seconds % 60, counts_text(counts));
    // One column stays free: a full line would wrap, and could not be drawn over.
    const std::size_t taken = display_width(text) + 3;
    std::size_t cells = kWidestBar;
    if (columns != 0)
        cells = std::clamp(columns > taken ? columns - taken : 0, kNarrowestBar, kWidestBar);
    const std::size_t filled = counts.total == 0 ? cells : cells * settled / counts.total;
    const std::string line =
        fmt::format("[{}{}]{}", std::string(filled, '#'), std::string(cells - filled, '-'), text);
    return columns == 0 ? line : cut_to_width(line, columns - 1);
}

std::string line_text(const TrackedRotation& rotation) {
    if (rotation.start == TrackedRotation::Start::refused)
        return fmt::format("{}: not started: {}", rotation.name, rotation.reason);
    std::string text = fmt::format("{}: {}", rotation.name, protocol::name_of(rotation.status));
    if (rotation.generation) text += fmt::format(", generation {}", *rotation.generation);
    if (!rotation.reason.empty() && progress_of(rotation) == Progress::failing)
        text += fmt::format(", {}", rotation.reason);
    return text;
}

ProgressBar::~ProgressBar() {
    if (drawn_) screen_.stream << '\n' << std::flush;
}

void ProgressBar::clear_line() {
    if (drawn_) screen_.stream << "\r\x1b[K";
    drawn_ = false;
}

void ProgressBar::changed(const TrackedRotation& rotation) {
    if (!screen_.is_terminal()) screen_.stream << line_text(rotation) << '\n' << std::flush;
}

void ProgressBar::draw(const RotationCounts& counts, Milliseconds elapsed) {
    if (!screen_.is_terminal()) return;
    clear_line();
    screen_.stream << bar_text(counts, elapsed, screen_.columns) << std::flush;
    drawn_ = true;
}

void ProgressBar::note(std::string_view text) {
    if (text == last_note_) return;
    last_note_ = text;
    clear_line();
    screen_.stream << text << '\n' << std::flush;
}

}  // namespace rekey::cli
