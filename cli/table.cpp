#include "cli/table.hpp"

#include "base/contract.hpp"

#include <algorithm>

namespace rekey::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 8;  // a column is not cut below this

void append_padded(std::string& line, const std::string& text, const std::string& coloured,
                   const Column& column, std::size_t width) {
    const std::size_t taken = display_width(text);
    const std::size_t padding = width > taken ? width - taken : 0;
    if (column.align == Column::Align::right) line.append(padding, ' ');
    line += coloured;
    if (column.align == Column::Align::left) line.append(padding, ' ');
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<Cell> row) {
    REKEY_ASSERT(row.size() == columns_.size());
    rows_.push_back(std::move(row));
}

std::size_t Table::Layout::total() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < width.size(); ++i) {
        if (shown[i] == Shown::nothing) continue;
        sum += (sum == 0 ? 0 : kGap) + width[i];
    }
    return sum;
}

const std::string& Table::text_of(const Cell& cell, Shown shown) {
    return shown == Shown::brief && !cell.brief.empty() ? cell.brief : cell.text;
}

void Table::set(Layout& layout, std::size_t column, Shown shown) const {
    layout.shown[column] = shown;
    std::size_t& width = layout.width[column];
    width = display_width(columns_[column].title);
    for (const auto& row : rows_)
        width = std::max(width, display_width(text_of(row[column], shown)));
}

// Takes from the widest column that may be cut until all fits or nothing is left to take.
void Table::cut_widest(Layout& layout, std::size_t room) const {
    while (layout.total() > room) {
        std::size_t* widest = nullptr;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (columns_[i].fit != Column::Fit::cut || layout.width[i] <= kNarrowest) continue;
            if (widest == nullptr || layout.width[i] > *widest) widest = &layout.width[i];
        }
        if (widest == nullptr) return;
        --*widest;
    }
}

Table::Layout Table::fitted(std::size_t room) const {
    Layout layout{std::vector<Shown>(columns_.size()), std::vector<std::size_t>(columns_.size())};
    for (std::size_t i = 0; i < columns_.size(); ++i) set(layout, i, Shown::text);
    if (room == 0) return layout;
    for (std::size_t i = columns_.size(); i-- > 0 && layout.total() > room;)
        set(layout, i, Shown::brief);
    for (std::size_t i = columns_.size(); i-- > 0 && layout.total() > room;)
        if (columns_[i].fit == Column::Fit::leave_out) set(layout, i, Shown::nothing);
    cut_widest(layout, room);
    return layout;
}

std::string Table::render(const Screen& screen) const {
    const Layout layout = fitted(screen.is_terminal() ? screen.columns : 0);
    std::string out;
    const auto append_line = [&](const auto& cell_of) {
        std::string line;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (layout.shown[i] == Shown::nothing) continue;
            const Cell& cell = cell_of(i);
            const std::string text = cut_to_width(text_of(cell, layout.shown[i]), layout.width[i]);
            if (!line.empty()) line.append(kGap, ' ');
            append_padded(line, text, painted(text, cell.tone, screen), columns_[i],
                          layout.width[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    };
    std::vector<Cell> titles;
    titles.reserve(columns_.size());
    for (const Column& column : columns_) titles.push_back({column.title});
    append_line([&](std::size_t i) -> const Cell& { return titles[i]; });
    for (const auto& row : rows_) append_line([&](std::size_t i) -> const Cell& { return row[i]; });
    return out;
}

std::string render(const Record& record, const Screen& screen) {
    std::size_t width = 0;
    for (const auto& [label, cell] : record) width = std::max(width, display_width(label));
    std::string out;
    for (const auto& [label, cell] : record) {
        out += label;
        out.append(width - display_width(label) + kGap, ' ');
        out += painted(cell.text, cell.tone, screen) + '\n';
    }
    return out;
}

}  // namespace rekey::cli
