#include "cli/console.hpp"

#include "base/encoding.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

namespace rekey::cli {
namespace {

Screen screen_of(std::ostream& stream, int descriptor) {
    Screen screen{stream};
    if (::isatty(descriptor) != 1) return screen;
    screen.kind = Screen::Kind::terminal;
    winsize size{};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0) screen.columns = size.ws_col;
    const char* terminal = std::getenv("TERM");
    const char* no_colour = std::getenv("NO_COLOR");
    const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
    if (!dumb && (no_colour == nullptr || *no_colour == '\0')) screen.colour = Screen::Colour::on;
    return screen;
}

std::string_view escape_of(Tone tone) {
    switch (tone) {
        case Tone::good:
            return "\x1b[32m";
        case Tone::waiting:
            return "\x1b[33m";
        case Tone::bad:
            return "\x1b[31m";
        case Tone::faint:
            return "\x1b[2m";
        case Tone::plain:
            break;
    }
    return {};
}

// Length of the UTF-8 sequence that begins with `lead`; 1 for anything else, so that scanning
// always advances.
std::size_t sequence_length(unsigned char lead) {
    if (lead >= 0xf0) return 4;
    if (lead >= 0xe0) return 3;
    if (lead >= 0xc0) return 2;
    return 1;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

// U+0000-001F, U+007F and U+0080-009F (which are controls in UTF-8 terminals as well).
bool is_control(std::string_view sequence) {
    const auto first = static_cast<unsigned char>(sequence.front());
    if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
    return sequence.size() == 2 && first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

}  // namespace

Console standard_console() {
    return {std::cin, screen_of(std::cout, STDOUT_FILENO), screen_of(std::cerr, STDERR_FILENO)};
}

std::string painted(std::string_view text, Tone tone, const Screen& screen) {
    const std::string_view escape = escape_of(tone);
    if (screen.colour == Screen::Colour::off || escape.empty()) return std::string(text);
    return fmt::format("{}{}\x1b[0m", escape, text);
}

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length =
            std::min(sequence_length(static_cast<unsigned char>(text.front())), text.size());
        const std::string_view sequence = text.substr(0, length);
        if (is_utf8(sequence) && !is_control(sequence)) {
            out.append(sequence);
            text.remove_prefix(length);
            continue;
        }
        const std::size_t bad = is_utf8(sequence) ? length : 1;
        for (const char byte : sequence.substr(0, bad))
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        text.remove_prefix(bad);
    }
    return out;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for (const char byte : text) width += is_continuation(byte) ? 0 : 1;
    return width;
}

std::string cut_to_width(std::string_view text, std::size_t width) {
    if (display_width(text) <= width) return std::string(text);
    if (width == 0) return {};
    std::size_t end = 0;
    for (std::size_t kept = 0; end < text.size(); ++end) {
        if (is_continuation(text[end])) continue;
        if (kept == width - 1) break;
        ++kept;
    }
    return std::string(text.substr(0, end)) + "…";
}

}  // namespace rekey::cli
