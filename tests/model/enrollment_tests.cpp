#include "tests/model/enrollment.hpp"

#include <boost/test/unit_test.hpp>

// Every interleaving of one enrollment: lost and repeated answers, either side killed anywhere.
BOOST_AUTO_TEST_SUITE(enrollment_tests)

using namespace rekey::model;
using rekey::storage::Credentials;

namespace {

// An agent that was enrolled before, in the middle of a rotation.
Credentials enrolled_before() {
    World world = settled_world({});
    apply(world,
          rekey::server::rotation::begin(
              world.server,
              {.generation = 2, .rotation_id = rotation_of(2), .token_hash = hash_of(2)}, kNow));
    return world.server;
}

Report search(const EnrollmentRules& rules, const Credentials& before) {
    const EnrollmentModel model(rules, before);
    Report report = Search(model).run();
    BOOST_TEST_MESSAGE(fmt::format("{} states; with the network emptied {}. {}", report.states,
                                   report.calm_states, report.broken));
    for (const std::string& line : report.story) BOOST_TEST_MESSAGE("    " + line);
    return report;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_leaves_an_agent_outside) {
    for (const Credentials& before : {Credentials{}, enrolled_before()}) {
        const Report report = search({}, before);
        BOOST_TEST(report.broken == "");
        BOOST_TEST(report.states >= 10U);
    }
}

BOOST_AUTO_TEST_CASE(a_key_that_dies_with_its_process_spends_the_code_for_ever) {
    const Report report = search({.key_is_durable_before_the_code_is_sent = false}, Credentials{});
    BOOST_TEST(report.broken.starts_with("I7:"));
}

BOOST_AUTO_TEST_CASE(a_connect_before_the_first_write_spends_the_code_for_ever) {
    const Report report = search({.token_is_durable_before_the_connect = false}, Credentials{});
    BOOST_TEST(report.broken.starts_with("I7:"));
}

BOOST_AUTO_TEST_SUITE_END()
