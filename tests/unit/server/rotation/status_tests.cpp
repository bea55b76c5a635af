#include "tests/unit/server/rotation/rows.hpp"

#include <algorithm>

using namespace rekey;
using namespace rekey::server::rotation;
using storage::AgentStatus;

// S8 and enrollment: what an administrator's acts leave behind.
BOOST_AUTO_TEST_SUITE(status_tests)

namespace {

// Current 2, previous 1 and pending 3: as much as a row can hold.
Credentials full() {
    Credentials row = begin(promoted(), minted(3), kNow).after;
    row.requested = storage::RotationRequest{RotationCause::emergency, "admin", kNow};
    return row;
}

void check_all_retired(const Transition& transition) {
    BOOST_REQUIRE(transition.retired.size() == 3U);
    for (std::uint64_t generation = 1; generation <= 3; ++generation)
        BOOST_TEST(std::ranges::count(transition.retired, generation, &RetiredToken::generation) ==
                   1);
    BOOST_TEST(transition.ended_rotation_id == "r3");
    BOOST_TEST(accepted_hashes(transition.after).empty());
    BOOST_TEST(!transition.after.rotate_at.has_value());
    BOOST_TEST(!transition.after.requested.has_value());
    BOOST_TEST(transition.after.next_generation == 4U, "a generation is never used again");
}

}  // namespace

BOOST_AUTO_TEST_CASE(s8_revoke_ends_every_token_and_says_so_to_the_sessions) {
    for (const Credentials& before : {full(), suspend(full())->after}) {
        const auto revoked = revoke(before);
        BOOST_REQUIRE(revoked.has_value());
        BOOST_TEST(revoked->action == "agent.revoked");
        check_all_retired(*revoked);
        BOOST_TEST((revoked->after.status == AgentStatus::revoked));
        BOOST_TEST(revoked->after.epoch == before.epoch + 1);
        BOOST_TEST((revoked->sessions == SessionsAfter::close_revoked));
    }
    BOOST_TEST(revoke(Credentials{})->retired.empty());
}

BOOST_AUTO_TEST_CASE(s8_suspend_keeps_every_token_and_reactivate_gives_them_back) {
    const auto suspended = suspend(full());
    BOOST_REQUIRE(suspended.has_value());
    BOOST_TEST(suspended->action == "agent.suspended");
    BOOST_TEST(suspended->retired.empty());
    BOOST_TEST((suspended->sessions == SessionsAfter::close_suspended));
    Credentials expected = full();
    expected.status = AgentStatus::suspended;
    expected.epoch += 1;
    BOOST_TEST((suspended->after == expected));
    BOOST_TEST((accepted_hashes(suspended->after) == accepted_hashes(full())));

    const auto back = reactivate(suspended->after);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->action == "agent.reactivated");
    expected.status = AgentStatus::active;
    BOOST_TEST((back->after == expected));
}

BOOST_AUTO_TEST_CASE(s8_refuses_what_is_so_already) {
    const Credentials suspended = suspend(settled())->after;
    const Credentials revoked = revoke(settled())->after;
    check_error(suspend(suspended), Code::wrong_state);
    check_error(suspend(revoked), Code::wrong_state);
    check_error(reactivate(settled()), Code::wrong_state);
    check_error(reactivate(revoked), Code::wrong_state);
    check_error(revoke(revoked), Code::wrong_state);
}

BOOST_AUTO_TEST_CASE(i4_nothing_leads_a_revoked_row_back_to_an_accepted_token) {
    const Credentials revoked = revoke(full())->after;
    check_error(enroll(revoked), Code::agent_revoked);
    check_error(request(revoked, {RotationCause::emergency, "admin", kNow}), Code::agent_revoked);
    check_unchanged(offer_again(revoked, kNow), revoked);
    for (std::uint64_t generation = 1; generation <= 4; ++generation) {
        check_unchanged(complete(revoked, proven(generation), policy(), 0, kNow).transition,
                        revoked);
        check_unchanged(activate(revoked, generation, rotation(generation), policy(), kNow),
                        revoked);
        check_unchanged(refuse(revoked, {rotation(generation), "stale_generation", 9}), revoked);
    }
    check_unchanged(retire(revoked, kNow), revoked);
}

BOOST_AUTO_TEST_CASE(a_first_enrollment_changes_nothing_but_the_audit) {
    const auto enrolled = enroll(Credentials{});
    BOOST_REQUIRE(enrolled.has_value());
    BOOST_TEST(enrolled->action == "agent.enrolled");
    BOOST_TEST((enrolled->after == Credentials{}));
    BOOST_TEST(enrolled->retired.empty());
    BOOST_TEST((enrolled->sessions == SessionsAfter::keep));
    BOOST_TEST(*may_begin(enrolled->after, RotationCause::enrollment, kNow) == 1U);
}

BOOST_AUTO_TEST_CASE(a_second_enrollment_retires_all_of_the_first) {
    const auto again = enroll(full());
    BOOST_REQUIRE(again.has_value());
    check_all_retired(*again);
    BOOST_TEST((again->after.status == AgentStatus::active));
    BOOST_TEST((again->sessions == SessionsAfter::close_retired));
    BOOST_TEST(again->after.epoch == full().epoch + 1, "what was issued before is void");
    BOOST_TEST(*may_begin(again->after, RotationCause::enrollment, kNow) == 4U);
    check_error(enroll(suspend(full())->after), Code::agent_suspended);
}

BOOST_AUTO_TEST_SUITE_END()
