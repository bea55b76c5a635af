#include "tests/model/searches.hpp"

#include <boost/test/unit_test.hpp>

// Every interleaving within the bounds that each search prints, and every pair of events together.
BOOST_AUTO_TEST_SUITE(rotation_tests)

using namespace rekey::model;

BOOST_AUTO_TEST_CASE(no_interleaving_breaks_an_invariant_and_every_pair_of_events_was_tried) {
    const bool good = run_all(0, [](const std::string& line) { BOOST_TEST_MESSAGE(line); });
    BOOST_TEST(good);
}

BOOST_AUTO_TEST_SUITE_END()
