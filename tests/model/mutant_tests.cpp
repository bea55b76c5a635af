#include "tests/model/mutants.hpp"

#include <boost/test/unit_test.hpp>

// The search can fail: it finds what is wrong with each mutant, and tells the shortest story of it.
BOOST_AUTO_TEST_SUITE(mutant_tests)

using namespace rekey::model;

BOOST_AUTO_TEST_CASE(every_mutant_is_found_with_its_story) {
    for (const Mutant& mutant : mutants()) {
        const Report report = mutant.search();
        BOOST_TEST_MESSAGE(
            fmt::format("{}: {} ({} states)", mutant.what, report.broken, report.states));
        for (const std::string& line : report.story) BOOST_TEST_MESSAGE("    " + line);
        BOOST_TEST(report.broken.starts_with(mutant.breaks), mutant.what);
        BOOST_TEST(report.story.size() >= 3U, mutant.what);
    }
}

// Where the table names a rule that covers for another, that rule does.
BOOST_AUTO_TEST_CASE(what_is_said_to_cover_for_a_mutant_does) {
    for (const Mutant& mutant : mutants()) {
        BOOST_TEST(mutant.covered_by.empty() == !mutant.search_covered);
        if (!mutant.search_covered) continue;
        const Report report = mutant.search_covered();
        for (const std::string& line : report.story) BOOST_TEST_MESSAGE("    " + line);
        BOOST_TEST(report.broken == "", mutant.what);
    }
}

BOOST_AUTO_TEST_CASE(the_stories_in_the_docs_are_these) {
    BOOST_TEST(
        (stories_in(ROTATION_DOCS) == "\n" + table_of_stories() + "\n"),
        "docs/rotation.md tells other stories: rekey-model-search --write-docs " << ROTATION_DOCS);
}

BOOST_AUTO_TEST_SUITE_END()
