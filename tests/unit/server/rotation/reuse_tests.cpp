#include "base/limits.hpp"
#include "server/rotation/recover.hpp"
#include "server/rotation/reuse.hpp"
#include "tests/unit/server/rotation/rows.hpp"

using namespace rekey;
using namespace rekey::server::rotation;
using protocol::ReusePolicy;
using storage::AgentStatus;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(reuse_tests)

namespace {

constexpr Time kRetired = kNow + 5min;
constexpr Time kLater = kNow + 1h;

// Generation 2 is current and activated, 1 a tombstone since kRetired.
Credentials rotated() { return retire(in_grace(), kRetired).after; }

ReuseVerdict judged(const Credentials& row, ShownToken shown) { return judge_reuse(row, shown); }

ShownToken first_token(Time accepted_at) {
    return {.generation = 1, .retired_at = kRetired, .accepted_at = accepted_at};
}

Sighting sighting(std::uint64_t generation = 1, std::string address = "192.0.2.9") {
    return {.seen_at = kLater,
            .generation = generation,
            .address = std::move(address),
            .holder_address = "192.0.2.7:4000",
            .answer = {}};
}

Credentials alarmed() { return report_reuse(rotated(), sighting(), ReusePolicy::alert).after; }

Credentials rotate(Credentials row, std::uint64_t generation, RotationCause cause, Time now) {
    row = begin(row, minted(generation), now).after;
    if (cause == RotationCause::emergency || cause == RotationCause::recovery)
        answer_sightings(row, cause);
    return complete(row, proven(generation), policy(), 0, now).transition.after;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_retired_token_that_comes_by_a_later_connection_is_reuse) {
    BOOST_TEST((judged(rotated(), first_token(kLater)) == ReuseVerdict::reuse));
    BOOST_TEST((judged(rotated(), first_token(kRetired + 1ms)) == ReuseVerdict::reuse));
    BOOST_TEST((judged(suspend(rotated())->after, first_token(kLater)) == ReuseVerdict::reuse));
}

BOOST_AUTO_TEST_CASE(i18_a_connection_that_was_accepted_before_the_retirement_is_none) {
    BOOST_TEST((judged(rotated(), first_token(kRetired)) == ReuseVerdict::accepted_first));
    BOOST_TEST((judged(rotated(), first_token(kNow)) == ReuseVerdict::accepted_first));
}

BOOST_AUTO_TEST_CASE(i18_a_connection_from_before_the_newest_promotion_is_none) {
    const Credentials row = rotate(rotated(), 3, RotationCause::recovery, kLater);
    BOOST_TEST((judged(row, first_token(kLater)) == ReuseVerdict::accepted_first));
    BOOST_TEST((judged(row, first_token(kLater + 1ms)) == ReuseVerdict::reuse));
}

BOOST_AUTO_TEST_CASE(i18_a_jump_of_the_wall_clock_makes_no_thief) {
    ShownToken shown = first_token(kLater);
    shown.clock = WallClock::jumped;
    BOOST_TEST((judged(rotated(), shown) == ReuseVerdict::unknown_order));
}

BOOST_AUTO_TEST_CASE(i18_what_an_act_has_ended_proves_nothing_nor_does_what_was_retired_before) {
    // The answer of an enrollment may be lost, and barred tokens are refused one after the other:
    // an honest agent then shows the newest one, and the one before it.
    for (const Transition& ended : {*enroll(rotated()), *bar(rotated())}) {
        BOOST_TEST(ended.retired.size() == 1U);
        for (const std::uint64_t generation : {1U, 2U}) {
            const ShownToken shown{
                .generation = generation, .retired_at = kRetired, .accepted_at = kLater};
            BOOST_TEST((judged(ended.after, shown) == ReuseVerdict::retired_by_act));
        }
    }
    // What comes after it is followed again.
    Credentials row = enroll(rotated())->after;
    for (const std::uint64_t generation : {3U, 4U, 5U})
        row = rotate(row, generation, RotationCause::admin, kNow);
    const ShownToken shown{.generation = 3, .retired_at = kNow, .accepted_at = kLater};
    BOOST_TEST((judged(row, shown) == ReuseVerdict::reuse));
}

BOOST_AUTO_TEST_CASE(a_revoked_agent_has_nothing_left_to_steal) {
    BOOST_TEST(
        (judged(revoke(rotated())->after, first_token(kLater)) == ReuseVerdict::agent_revoked));
}

BOOST_AUTO_TEST_CASE(the_alarm_remembers_who_and_changes_nothing_else) {
    const Transition raised = report_reuse(rotated(), sighting(), ReusePolicy::alert);
    BOOST_TEST(raised.action == "token.reuse_detected");
    BOOST_TEST((raised.sessions == SessionsAfter::keep));
    Credentials expected = rotated();
    expected.reuse = sighting();
    BOOST_TEST((raised.after == expected));
}

BOOST_AUTO_TEST_CASE(the_policy_suspend_suspends_in_the_same_transition) {
    const Transition raised = report_reuse(rotated(), sighting(), ReusePolicy::suspend);
    BOOST_TEST(raised.action == "token.reuse_detected");
    BOOST_TEST((raised.after.status == AgentStatus::suspended));
    BOOST_TEST(raised.after.epoch == rotated().epoch + 1);
    BOOST_TEST((raised.sessions == SessionsAfter::close_suspended));
    BOOST_TEST((accepted_hashes(raised.after) == accepted_hashes(rotated())), "the law");
    // Of one that is suspended already it is an alarm and no more; and an alarm that was raised
    // under the other policy does not keep it from being suspended.
    check_unchanged(report_reuse(raised.after, sighting(), ReusePolicy::suspend), raised.after);
    BOOST_TEST((report_reuse(alarmed(), sighting(), ReusePolicy::suspend).after.status ==
                AgentStatus::suspended));
}

BOOST_AUTO_TEST_CASE(the_same_token_from_the_same_address_is_written_once_in_a_window) {
    Sighting again = sighting();
    again.seen_at += limits::kSightingWindow - 1ms;
    check_unchanged(report_reuse(alarmed(), again, ReusePolicy::alert), alarmed());
    again.seen_at += 1ms;
    BOOST_TEST(report_reuse(alarmed(), again, ReusePolicy::alert).changed());
    BOOST_TEST(report_reuse(alarmed(), sighting(1, "192.0.2.10"), ReusePolicy::alert).changed());
}

BOOST_AUTO_TEST_CASE(a_recovery_closes_the_alarm_when_its_token_is_promoted) {
    const RecoveryPlan plan{RecoveryStep::mint, RecoveryCost::budget, 3};
    Credentials row = recover(alarmed(), plan, minted(3), kLater).after;
    BOOST_TEST(row.reuse.has_value(), "nobody has followed yet");
    // What the agent shows before it learns of the recovery keeps the alarm open, and answered.
    row = report_reuse(row, sighting(1, "192.0.2.11"), ReusePolicy::alert).after;
    row = complete(row, proven(3), policy(), 0, kLater).transition.after;
    BOOST_TEST(!row.reuse.has_value());
}

BOOST_AUTO_TEST_CASE(an_ordinary_rotation_leaves_the_alarm_open_and_an_emergency_closes_it) {
    BOOST_TEST(rotate(alarmed(), 3, RotationCause::schedule, kLater).reuse.has_value());
    BOOST_TEST(!rotate(alarmed(), 3, RotationCause::emergency, kLater).reuse.has_value());
    Credentials row = begin(rotated(), minted(3), kLater).after;
    answer_sightings(row, RotationCause::emergency);
    row = report_reuse(row, sighting(), ReusePolicy::alert).after;
    row = complete(row, proven(3), policy(), 0, kLater).transition.after;
    BOOST_TEST(row.reuse.has_value(), "raised after the emergency began");
}

BOOST_AUTO_TEST_CASE(an_admin_who_reactivates_lets_a_rolled_back_agent_come_in_by_recovery) {
    const Credentials suspended = report_reuse(rotated(), sighting(), ReusePolicy::suspend).after;
    const Credentials back = reactivate(suspended)->after;
    BOOST_TEST(!back.reuse.has_value());
    BOOST_TEST((judged(back, first_token(kLater)) == ReuseVerdict::retired_by_act));
    const ShownToken current{.generation = 2, .retired_at = kLater, .accepted_at = kLater + 1min};
    BOOST_TEST((judged(back, current) == ReuseVerdict::reuse), "the live one stays evidence");
    const Credentials plain = reactivate(suspend(rotated())->after)->after;
    BOOST_TEST((judged(plain, first_token(kLater)) == ReuseVerdict::reuse));
}

BOOST_AUTO_TEST_CASE(an_enrollment_closes_what_is_open) {
    Credentials row = report_contest(alarmed(), sighting(2)).after;
    row = enroll(row)->after;
    BOOST_TEST(!row.reuse.has_value());
    BOOST_TEST(!row.contested.has_value());
}

BOOST_AUTO_TEST_CASE(a_contest_lasts_until_the_contested_token_is_retired) {
    const Transition contest = report_contest(rotated(), sighting(2));
    BOOST_TEST(contest.action == "agent.contested");
    BOOST_TEST((contest.after.status == AgentStatus::active));
    check_unchanged(report_contest(contest.after, sighting(2)), contest.after);
    Credentials row = rotate(contest.after, 3, RotationCause::schedule, kLater);
    BOOST_TEST(row.contested.has_value(), "both may still be let in");
    row = activate(row, 3, "r3", policy(), kLater).after;
    row = retire(row, kLater + policy().grace).after;
    BOOST_TEST(!row.contested.has_value());
    // ... and whoever did not follow now shows a retired token.
    const ShownToken shown{
        .generation = 2, .retired_at = kLater + policy().grace, .accepted_at = kLater + 1h};
    BOOST_TEST((judged(row, shown) == ReuseVerdict::reuse));
}

BOOST_AUTO_TEST_SUITE_END()
