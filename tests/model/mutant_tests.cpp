#include "tests/model/mutants.hpp"

#include <boost/test/unit_test.hpp>

// The search can fail: it finds what is wrong with each mutant, and tells the shortest story of it.
BOOST_AUTO_TEST_SUITE(mutant_tests)

using namespace rekey::model;

BOOST_AUTO_TEST_CASE(every_mutant_is_found_with_its_story) {
    for (const Mutant& mutant : mutants()) {
        const RotationModel model(*mutant.rules, mutant.bounds);
        const Report report = Search(model, mutant.breaks).run();
        BOOST_TEST_MESSAGE(fmt::format("{}: {} in {} steps ({} states)", mutant.what, report.broken,
                                       report.story.size(), report.states));
        for (const std::string& line : report.story) BOOST_TEST_MESSAGE("    " + line);
        BOOST_TEST(report.broken.starts_with(mutant.breaks), mutant.what);
        BOOST_TEST(report.story.size() >= 2U, mutant.what);
    }
}

BOOST_AUTO_TEST_SUITE_END()
