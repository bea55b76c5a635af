#include "tests/model/moves.hpp"

#include <boost/test/unit_test.hpp>

// Every interleaving within the bounds that each case prints.
BOOST_AUTO_TEST_SUITE(rotation_tests)

using namespace rekey::model;

namespace {

void check_safe_and_live(const Bounds& bounds) {
    const Rules production;
    const RotationModel model(production, bounds);
    const Report report = Search(model).run();
    BOOST_TEST_MESSAGE(fmt::format(
        "{} rotations, {} emergencies, {} suspensions, {} revokes, {} power losses, {} delayed "
        "connects: {} states; with the network emptied {}, each of which leads to a settled one",
        bounds.rotations, bounds.budget.emergencies, bounds.budget.suspensions,
        bounds.budget.revokes, bounds.budget.power_losses, bounds.delayed_connects, report.states,
        report.calm_states));
    for (const std::string& line : report.story) BOOST_TEST_MESSAGE("  " + line);
    BOOST_TEST(report.broken == "");
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_of_messages_crashes_and_admins_locks_out) {
    check_safe_and_live(
        {.rotations = 3, .budget = {.emergencies = 2, .suspensions = 1, .revokes = 1}});
}

BOOST_AUTO_TEST_CASE(no_delayed_connect_locks_out_or_raises_the_reuse_alarm) {
    check_safe_and_live(
        {.rotations = 2, .budget = {.emergencies = 1, .suspensions = 1}, .delayed_connects = 2});
}

BOOST_AUTO_TEST_CASE(no_power_loss_takes_back_what_the_agent_has_said) {
    check_safe_and_live({.rotations = 3, .budget = {.power_losses = 2}});
}

BOOST_AUTO_TEST_SUITE_END()
