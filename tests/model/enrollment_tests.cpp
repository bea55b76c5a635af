#include "tests/model/enrollment.hpp"

#include <boost/test/unit_test.hpp>

// Every interleaving of one enrollment: lost and repeated answers, either side killed anywhere, a
// racer with the same code.
BOOST_AUTO_TEST_SUITE(enrollment_tests)

using namespace rekey::model;

namespace {

// An agent that was enrolled before, in the middle of a rotation.
Row enrolled_before() {
    World world = settled_world({});
    apply(world, rekey::server::rotation::begin(world.row.credentials(),
                                                {.generation = 2,
                                                 .rotation_id = rotation_of(Token::make(2, 0)),
                                                 .token_hash = hash_of(Token::make(2, 0))},
                                                kNow));
    return world.row;
}

Report search(const Row& before, std::uint8_t racers) {
    const EnrollmentModel model({}, before, racers);
    Report report = Search(model).run();
    BOOST_TEST_MESSAGE(
        fmt::format("{} racers: {} states, {} transitions; with the network emptied "
                    "{}. {}",
                    racers, report.states, report.transitions, report.calm_states, report.broken));
    for (const std::string& line : report.story) BOOST_TEST_MESSAGE("    " + line);
    return report;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_leaves_an_agent_outside) {
    for (const Row& before : {Row(), enrolled_before()}) {
        const Report report = search(before, 0);
        BOOST_TEST(report.broken == "");
        BOOST_TEST(report.states >= 10U);
    }
}

BOOST_AUTO_TEST_CASE(of_two_racers_with_one_code_one_is_answered) {
    for (const Row& before : {Row(), enrolled_before()}) BOOST_TEST(search(before, 1).broken == "");
}

BOOST_AUTO_TEST_SUITE_END()
