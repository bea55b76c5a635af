#include "base/limits.hpp"
#include "server/recovery/audit_pause.hpp"
#include "server/recovery/challenge.hpp"
#include "tests/unit/server/support/world.hpp"

using namespace rekey;
using namespace rekey::server;
using recovery::Challenges;

BOOST_AUTO_TEST_SUITE(challenge_tests)

namespace {

struct Fixture {
    SeededRandom random{3};
    keys::MasterKey master_key = keys::MasterKey::generate(random);
    Challenges challenges{master_key};
    server::testing::ManualClock clock;
    Time now = clock.now();
    std::string issued = challenges.issue("agent", 5, now);
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(it_is_good_for_its_agent_until_a_token_is_minted, Fixture) {
    BOOST_TEST(challenges.holds(issued, "agent", 5, now));
    BOOST_TEST(!challenges.holds(issued, "other", 5, now));
    BOOST_TEST(!challenges.holds(issued, "agent", 6, now));
    BOOST_TEST(!challenges.holds(issued, "agent", 0, now));
    // Also after a restart, and with no other master key.
    BOOST_TEST(Challenges(master_key).holds(issued, "agent", 5, now));
    const auto other_key = keys::MasterKey::generate(random);
    BOOST_TEST(!Challenges(other_key).holds(issued, "agent", 5, now));
}

BOOST_FIXTURE_TEST_CASE(it_lives_for_a_minute_and_no_longer_when_the_clock_is_set_back, Fixture) {
    const Milliseconds life = limits::kChallengeLife;
    BOOST_TEST(challenges.holds(issued, "agent", 5, now + life - Milliseconds(1)));
    BOOST_TEST(!challenges.holds(issued, "agent", 5, now + life));
    BOOST_TEST(!challenges.holds(issued, "agent", 5, now - Milliseconds(1)));
}

BOOST_FIXTURE_TEST_CASE(every_byte_of_it_counts, Fixture) {
    for (std::size_t i = 0; i + 1 < issued.size(); ++i) {
        std::string wrong = issued;
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(!challenges.holds(wrong, "agent", 5, now));
    }
    for (const std::string& wrong :
         {std::string(), std::string("!"), issued + "AAAA", issued.substr(4)})
        BOOST_TEST(!challenges.holds(wrong, "agent", 5, now));
}

BOOST_FIXTURE_TEST_CASE(it_does_not_show_whether_the_agent_is_there, Fixture) {
    BOOST_TEST(challenges.issue("agent", 0, now).size() == issued.size());
}

BOOST_FIXTURE_TEST_CASE(alike_audit_rows_are_counted_and_not_written, Fixture) {
    recovery::AuditPause pause(clock);
    BOOST_TEST((pause.admit("a") == 0U));
    BOOST_TEST(!pause.admit("a").has_value());
    BOOST_TEST(!pause.admit("a").has_value());
    BOOST_TEST((pause.admit("b") == 0U));
    clock.advance(limits::kRecoveryAuditPause);
    BOOST_TEST((pause.admit("a") == 2U));
    BOOST_TEST(!pause.admit("a").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
