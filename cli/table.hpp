#pragma once

#include "cli/console.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rekey::cli {

// One value, ready to be shown. `brief` is what stands there when the terminal is too narrow for
// `text`; empty: there is no shorter form.
struct Cell {
    std::string text;
    std::string brief;
    Tone tone = Tone::plain;
};

struct Column {
    std::string title;
    // What may happen to it on a narrow terminal: ids and numbers are never cut, but may be left
    // out where they can be had otherwise.
    enum class Fit : std::uint8_t { whole, cut, leave_out } fit = Fit::whole;
    enum class Align : std::uint8_t { left, right } align = Align::left;
};

// Columns that are as wide as their widest cell, two spaces apart. On a terminal that is too narrow
// first brief forms are used, the rightmost column's first, then columns that may be are left out,
// also from the right, then the widest of those that may be cut are cut; what still does not fit is
// left to the terminal to wrap.
class Table {
  public:
    explicit Table(std::vector<Column> columns);
    // One cell a column; what others chose must have gone through printable().
    void add(std::vector<Cell> row);
    [[nodiscard]] std::string render(const Screen& screen) const;

  private:
    enum class Shown : std::uint8_t { text, brief, nothing };
    struct Layout {
        std::vector<Shown> shown;        // by column
        std::vector<std::size_t> width;  // by column
        [[nodiscard]] std::size_t total() const;
    };
    [[nodiscard]] static const std::string& text_of(const Cell& cell, Shown shown);
    void set(Layout& layout, std::size_t column, Shown shown) const;
    void cut_widest(Layout& layout, std::size_t room) const;
    [[nodiscard]] Layout fitted(std::size_t room) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

// Lines of "label  value", values aligned: one thing in full.
using Record = std::vector<std::pair<std::string, Cell>>;
[[nodiscard]] std::string render(const Record& record, const Screen& screen);

}  // namespace rekey::cli
