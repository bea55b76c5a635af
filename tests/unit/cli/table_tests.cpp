#include "cli/table.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <vector>

using namespace rekey::cli;

namespace {

struct Fixture {
    std::ostringstream stream;
    Screen pipe{stream};
    [[nodiscard]] Screen terminal(std::size_t columns) {
        return {stream, Screen::Kind::terminal, columns};
    }
};

Table agents() {
    Table table({{"NAME", Column::Fit::cut},
                 {"N", Column::Fit::whole, Column::Align::right},
                 {"SEEN"},
                 {"ID", Column::Fit::leave_out}});
    table.add({{"web-1"}, {"7"}, {"2026-11-21 (2h ago)", "2h ago"}, {"0123456789"}});
    table.add({{"a-much-longer-name"}, {"12"}, {"-"}, {"9876543210"}});
    return table;
}

std::size_t widest_line(const std::string& text) {
    std::istringstream lines(text);
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);)
        widest = std::max(widest, display_width(line));
    return widest;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(table_tests, Fixture)

BOOST_AUTO_TEST_CASE(columns_line_up_and_no_line_ends_in_spaces) {
    BOOST_TEST(agents().render(pipe) ==
               "NAME                 N  SEEN                 ID\n"
               "web-1                7  2026-11-21 (2h ago)  0123456789\n"
               "a-much-longer-name  12  -                    9876543210\n");
}

BOOST_AUTO_TEST_CASE(a_pipe_is_never_cut) {
    Screen narrow_pipe = pipe;
    narrow_pipe.columns = 10;
    BOOST_TEST(agents().render(narrow_pipe) == agents().render(pipe));
}

BOOST_AUTO_TEST_CASE(a_narrow_terminal_gets_brief_forms_then_fewer_columns_then_cut_ones) {
    const std::string brief = agents().render(terminal(45));
    BOOST_TEST(brief.find("2h ago") != std::string::npos);
    BOOST_TEST(brief.find("2026") == std::string::npos);
    BOOST_TEST(brief.find("0123456789") != std::string::npos);

    const std::string fewer = agents().render(terminal(35));
    BOOST_TEST(fewer.find("0123456789") == std::string::npos);
    BOOST_TEST(fewer.find("ID") == std::string::npos);
    BOOST_TEST(fewer.find("a-much-longer-name") != std::string::npos);

    const std::string cut = agents().render(terminal(25));
    BOOST_TEST(cut.find("a-much-longer-name") == std::string::npos);
    BOOST_TEST(cut.find("a-much-") != std::string::npos);
    BOOST_TEST(cut.find("…") != std::string::npos);
    for (const std::size_t columns : {60U, 45U, 35U, 25U})
        BOOST_TEST(widest_line(agents().render(terminal(columns))) <= columns);
}

BOOST_AUTO_TEST_CASE(width_is_counted_in_characters) {
    Table table({{"A"}, {"B"}});
    table.add({{"é€"}, {"x"}});
    table.add({{"abc"}, {"y"}});
    BOOST_TEST(table.render(pipe) == "A    B\né€   x\nabc  y\n");
    BOOST_TEST(cut_to_width("é€abc", 3) == "é€…");
    BOOST_TEST(cut_to_width("é€a", 3) == "é€a");
}

BOOST_AUTO_TEST_CASE(colour_is_for_terminals_that_want_it_and_moves_no_column) {
    Table table({{"A"}, {"B"}});
    table.add({{"ok", {}, Tone::good}, {"x"}});
    table.add({{"longer"}, {"y"}});
    BOOST_TEST(table.render(pipe).find('\x1b') == std::string::npos);
    Screen coloured = terminal(80);
    coloured.colour = Screen::Colour::on;
    BOOST_TEST(table.render(coloured) == "A       B\n\x1b[32mok\x1b[0m      x\nlonger  y\n");
}

BOOST_AUTO_TEST_CASE(a_record_aligns_its_values) {
    BOOST_TEST(render(Record{{"id", {"7"}}, {"status", {"active"}}}, pipe) ==
               "id      7\nstatus  active\n");
}

BOOST_AUTO_TEST_CASE(what_others_wrote_cannot_command_the_terminal) {
    BOOST_TEST(printable("a\x1b[2Jb\n") == "a\\x1b[2Jb\\x0a");
    BOOST_TEST(printable("\xc2\x9b"
                         "31m") == "\\xc2\\x9b31m");
    BOOST_TEST(printable("ok é\xff") == "ok é\\xff");
    BOOST_TEST(printable("\xe2\x82") == "\\xe2\\x82");
}

BOOST_AUTO_TEST_SUITE_END()
