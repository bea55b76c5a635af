#include "base/limits.hpp"
#include "base/time_format.hpp"
#include "tests/unit/server/rotation/rows.hpp"

using namespace rekey;
using namespace rekey::server::rotation;
using namespace std::chrono_literals;

// S1 and S2: what may begin when, and when an offer comes again.
BOOST_AUTO_TEST_SUITE(begin_tests)

namespace {

constexpr RotationCause kEveryCause[] = {RotationCause::schedule,   RotationCause::admin,
                                         RotationCause::emergency,  RotationCause::agent,
                                         RotationCause::enrollment, RotationCause::recovery};

}  // namespace

BOOST_AUTO_TEST_CASE(a_settled_row_may_begin_for_every_cause) {
    for (const RotationCause cause : kEveryCause) {
        const auto generation = may_begin(settled(), cause, kNow);
        BOOST_REQUIRE(generation.has_value());
        BOOST_TEST(*generation == 2U);
    }
}

BOOST_AUTO_TEST_CASE(a_suspended_or_revoked_agent_is_minted_nothing) {
    for (const RotationCause cause : kEveryCause) {
        check_error(may_begin(suspend(settled())->after, cause, kNow), Code::agent_suspended);
        check_error(may_begin(revoke(settled())->after, cause, kNow), Code::agent_revoked);
    }
}

BOOST_AUTO_TEST_CASE(a_pending_token_blocks_every_cause_and_is_named) {
    for (const RotationCause cause : kEveryCause) {
        const auto refused = may_begin(offered(), cause, kNow);
        check_error(refused, Code::wrong_state);
        BOOST_TEST(detail(refused.error(), "rotation_id") == "r2");
    }
}

BOOST_AUTO_TEST_CASE(a_running_grace_blocks_all_but_an_emergency_and_a_recovery) {
    for (const RotationCause cause : kEveryCause) {
        const auto answer = may_begin(in_grace(), cause, kNow + 5min - 1ms);
        if (cause == RotationCause::emergency || cause == RotationCause::recovery) {
            BOOST_TEST(*answer == 3U);
            continue;
        }
        check_error(answer, Code::wrong_state);
        BOOST_TEST(detail(answer.error(), "not_before") == to_rfc3339(kNow + 5min));
    }
    BOOST_TEST(may_begin(in_grace(), RotationCause::schedule, kNow + 5min).has_value());
}

BOOST_AUTO_TEST_CASE(a_previous_whose_successor_is_not_activated_does_not_block) {
    BOOST_TEST(*may_begin(promoted(), RotationCause::schedule, kNow) == 3U);
}

BOOST_AUTO_TEST_CASE(generations_end_below_the_ceiling) {
    Credentials row = settled();
    row.next_generation = limits::kGenerationCeiling - 1;
    BOOST_TEST(may_begin(row, RotationCause::schedule, kNow).has_value());
    row.next_generation = limits::kGenerationCeiling;
    check_error(may_begin(row, RotationCause::emergency, kNow), Code::wrong_state);
}

BOOST_AUTO_TEST_CASE(s1_makes_the_minted_token_pending_and_keeps_the_rest) {
    Credentials before = settled();
    before.requested = storage::RotationRequest{RotationCause::admin, "admin", kNow};
    const Transition started = begin(before, minted(2), kNow + 1s);
    BOOST_TEST(started.action == "rotation.started");
    BOOST_REQUIRE(started.after.pending.has_value());
    BOOST_TEST(started.after.pending->generation == 2U);
    BOOST_TEST(started.after.pending->rotation_id == "r2");
    BOOST_TEST((started.after.pending->token_hash == hash_of(2)));
    BOOST_TEST((started.after.pending->sealed_token == Bytes{1, 2, 3}));
    BOOST_TEST((started.after.pending->offered_at == kNow + 1s));
    BOOST_TEST(started.after.pending->attempts == 1U);
    BOOST_TEST(started.after.next_generation == 3U);
    BOOST_TEST((started.after.current == before.current));
    BOOST_TEST(!started.after.requested.has_value());
    BOOST_TEST(started.retired.empty());
}

BOOST_AUTO_TEST_CASE(s1_retires_a_previous_that_is_due_and_an_emergency_leaves_one_in_grace) {
    const Transition late = begin(in_grace(), minted(3), kNow + 5min);
    BOOST_TEST(!late.after.previous.has_value());
    BOOST_REQUIRE(late.retired.size() == 1U);
    BOOST_TEST(late.retired[0].generation == 1U);
    BOOST_TEST((late.sessions == SessionsAfter::close_retired));

    const Transition early = begin(in_grace(), minted(3), kNow);
    BOOST_TEST((early.after.previous == in_grace().previous));
    BOOST_TEST(early.retired.empty());
}

BOOST_AUTO_TEST_CASE(s2_offers_the_same_bytes_again_and_counts) {
    const Transition again = offer_again(offered(), kNow + 1min);
    BOOST_TEST(again.action == "rotation.offered");
    Credentials expected = offered();
    expected.pending->attempts = 2;
    expected.pending->offered_at = kNow + 1min;
    BOOST_TEST((again.after == expected));

    check_unchanged(offer_again(settled(), kNow), settled());
    const Credentials suspended = suspend(offered())->after;
    check_unchanged(offer_again(suspended, kNow), suspended);
}

BOOST_AUTO_TEST_CASE(offers_back_off_by_doubling_up_to_the_cap) {
    BOOST_TEST(!next_offer_at(settled(), policy(), 0).has_value());
    Credentials row = offered();
    const auto delay = [&row](double jitter) {
        return *next_offer_at(row, policy(), jitter) - row.pending->offered_at;
    };
    const std::pair<std::uint32_t, Milliseconds> steps[] = {
        {0, 60s}, {1, 60s}, {2, 120s}, {3, 240s}, {6, 1920s}, {7, 3600s}, {8, 3600s}};
    for (const auto& [attempts, whole] : steps) {
        row.pending->attempts = attempts;
        BOOST_TEST((delay(0) == whole / 2));
        BOOST_TEST((delay(0.5) == whole * 3 / 4));
        BOOST_TEST((delay(0.999999) <= whole));
    }
    row.pending->attempts = std::numeric_limits<std::uint32_t>::max();
    BOOST_TEST((delay(0) == 30min));
    Policy slow = policy();
    slow.backoff_unit = 5h;
    BOOST_TEST((*next_offer_at(row, slow, 0) - row.pending->offered_at == 30min));
}

BOOST_AUTO_TEST_CASE(a_rotation_is_due_at_its_drawn_moment) {
    const Credentials row = settled();
    BOOST_TEST(!due(row, *row.rotate_at - 1ms).has_value());
    BOOST_TEST((due(row, *row.rotate_at) == RotationCause::schedule));
    BOOST_TEST(!due(suspend(row)->after, *row.rotate_at).has_value());
    BOOST_TEST(!due(offered(), kNow + 20 * 24h).has_value());
    BOOST_TEST(!due(Credentials{}, kNow).has_value());
}

BOOST_AUTO_TEST_CASE(a_row_of_an_older_schema_is_due_now) {
    Credentials row = settled();
    row.current->expires_at.reset();
    BOOST_TEST((due(row, kNow) == RotationCause::schedule));
    row = settled();
    row.rotate_at.reset();
    BOOST_TEST((due(row, kNow) == RotationCause::schedule));
}

BOOST_AUTO_TEST_CASE(a_wish_waits_for_the_next_connect_and_can_be_taken_back) {
    const storage::RotationRequest wish{RotationCause::admin, "admin", kNow};
    const auto asked = request(settled(), wish);
    BOOST_REQUIRE(asked.has_value());
    BOOST_TEST(asked->action == "rotation.requested");
    BOOST_TEST((due(asked->after, kNow) == RotationCause::admin));

    const auto taken_back = cancel_request(asked->after);
    BOOST_REQUIRE(taken_back.has_value());
    BOOST_TEST((taken_back->after == settled()));
    check_error(cancel_request(settled()), Code::wrong_state);
    const auto too_late = cancel_request(offered());
    check_error(too_late, Code::wrong_state);
    BOOST_TEST(detail(too_late.error(), "rotation_id") == "r2");
}

BOOST_AUTO_TEST_CASE(a_second_wish_changes_nothing_unless_it_is_an_emergency) {
    const storage::RotationRequest wish{RotationCause::admin, "first", kNow};
    const Credentials asked = request(settled(), wish)->after;
    check_unchanged(*request(asked, {RotationCause::admin, "second", kNow}), asked);
    const auto forced = request(asked, {RotationCause::emergency, "third", kNow});
    BOOST_TEST(forced->changed());
    BOOST_TEST(forced->after.requested->actor == "third");
    check_unchanged(*request(forced->after, wish), forced->after);
}

BOOST_AUTO_TEST_CASE(a_wish_is_refused_as_a_beginning_would_be) {
    const storage::RotationRequest wish{RotationCause::admin, "admin", kNow};
    check_error(request(offered(), wish), Code::wrong_state);
    check_error(request(in_grace(), wish), Code::wrong_state);
    check_error(request(suspend(settled())->after, wish), Code::agent_suspended);
    BOOST_TEST(request(in_grace(), {RotationCause::emergency, "admin", kNow}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
