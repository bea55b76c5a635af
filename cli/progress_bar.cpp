#include "cli/progress_bar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace rekey::cli {
namespace {

constexpr std::size_t kBarCells = 24;

}  // namespace

std::string bar_text(const RotationCounts& counts, Milliseconds elapsed, std::size_t columns) {
    const std::size_t settled = counts.total - counts.under_way;
    const std::size_t filled = counts.total == 0 ? kBarCells : kBarCells * settled / counts.total;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
    const std::string text =
        fmt::format("[{}{}]  {}/{}  {}  {}:{:02}", std::string(filled, '#'),
                    std::string(kBarCells - filled, '-'), settled, counts.total,
                    counts_text(counts), seconds / 60, seconds % 60);
    // One column stays free: a full line would wrap, and could not be drawn over.
    return columns == 0 ? text : cut_to_width(text, columns - 1);
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
