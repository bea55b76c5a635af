#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace rekey::cli {

// How results are shown: for people, or the method's result as JSON.
enum class Format : std::uint8_t { table, json };

// One of the streams that a command writes to. What is no terminal gets no colour, no bar and no
// cut lines, so that it can be piped.
struct Screen {
    enum class Kind : std::uint8_t { pipe, terminal };
    std::ostream& stream;
    Kind kind = Kind::pipe;
    std::size_t columns = 0;  // of a terminal; 0: as wide as it likes
    enum class Colour : std::uint8_t { off, on };
    Colour colour = Colour::off;

    [[nodiscard]] bool is_terminal() const { return kind == Kind::terminal; }
};

// What a command reads and writes; tests give string streams.
struct Console {
    std::istream& in;
    Screen out;  // results
    Screen err;  // errors, progress, hints
};

// The process's own streams. Colour needs a terminal, and no NO_COLOR and no TERM=dumb
// (https://no-color.org).
[[nodiscard]] Console standard_console();

// How a word is meant; shown as colour where there is any.
enum class Tone : std::uint8_t { plain, good, waiting, bad, faint };
[[nodiscard]] std::string painted(std::string_view text, Tone tone, const Screen& screen);

// Text that somebody else chose, made safe for a terminal: control characters, which could move the
// cursor or rename the window, become "\x1b" in letters; bytes that are not UTF-8 likewise.
[[nodiscard]] std::string printable(std::string_view text);

// Code points: what a terminal takes for the text of names and times.
[[nodiscard]] std::size_t display_width(std::string_view text);
// At most `width` code points, the last of them an ellipsis if anything was cut.
[[nodiscard]] std::string cut_to_width(std::string_view text, std::size_t width);

}  // namespace rekey::cli
