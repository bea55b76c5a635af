#include "tests/model/alarms.hpp"

#include <boost/test/unit_test.hpp>

// I8: an offer that can be delivered is confirmed in the end, and until then five failures are
// never kept quiet, whatever the agent says and whoever dies.
BOOST_AUTO_TEST_SUITE(alarms_tests)

using namespace rekey::model;

BOOST_AUTO_TEST_CASE(no_way_of_failing_five_times_goes_without_an_alarm) {
    const AlarmModel model({}, kMostLies);
    const Report report = Search(model).run();
    BOOST_TEST_MESSAGE(fmt::format("{} states, {} transitions, {} in the calm; {} ms. {}",
                                   report.states, report.transitions, report.calm_states,
                                   report.took.count(), report.broken));
    for (const std::string& line : report.story) BOOST_TEST_MESSAGE("    " + line);
    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.states >= 1000U);
}

BOOST_AUTO_TEST_SUITE_END()
