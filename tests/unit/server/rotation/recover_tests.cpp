#include "base/limits.hpp"
#include "server/rotation/recover.hpp"
#include "tests/unit/server/rotation/rows.hpp"

using namespace rekey;
using namespace rekey::server::rotation;

// Recovery by the identity key, and bar, which leaves nothing else.
BOOST_AUTO_TEST_SUITE(recover_tests)

namespace {

constexpr RecoveryTerms kTerms{.units_left = 1};
constexpr RecoveryTerms kSpent{.frees_at = kNow + Milliseconds(90'500)};
constexpr RecoveryTerms kReject{.expired_tokens = ExpiredTokens::reject, .units_left = 1};
constexpr RecoveryTerms kRejectGranted{.expired_tokens = ExpiredTokens::reject, .units_granted = 1};
constexpr Time kExpired = kNow + std::chrono::days{10};

RecoveryClaim showing(std::uint64_t generation) { return {generation, hash_of(generation)}; }

void check_plan(const Result<RecoveryPlan>& plan, RecoveryStep step, RecoveryCost cost,
                std::uint64_t generation) {
    BOOST_REQUIRE(plan.has_value());
    BOOST_TEST((plan->step == step));
    BOOST_TEST((plan->cost == cost));
    BOOST_TEST(plan->generation == generation);
}

}  // namespace

BOOST_AUTO_TEST_CASE(it_mints_a_pending_token_and_drops_nothing_that_is_accepted) {
    for (const Credentials& before : {settled(), promoted(), in_grace()}) {
        const auto plan = plan_recovery(before, {before.next_generation - 1, {}}, kTerms, kNow);
        check_plan(plan, RecoveryStep::mint, RecoveryCost::budget, before.next_generation);
        const Transition minting = recover(before, *plan, minted(plan->generation), kNow);
        BOOST_TEST(minting.action == "recovery.minted");
        BOOST_TEST(minting.retired.empty());
        BOOST_TEST(minting.ended_rotation_id.empty());
        BOOST_TEST((minting.after.current == before.current));
        BOOST_TEST((minting.after.previous == before.previous));
        BOOST_TEST(minting.after.pending->generation == before.next_generation);
        BOOST_TEST(minting.after.next_generation == before.next_generation + 1);
    }
}

BOOST_AUTO_TEST_CASE(a_repeat_hands_out_the_pending_token_and_costs_nothing) {
    for (const RecoveryTerms& terms : {kTerms, kSpent, kReject})
        for (const Time now : {kNow, kExpired})
            for (const RecoveryClaim& claim :
                 {RecoveryClaim{1, {}}, RecoveryClaim{}, showing(2), RecoveryClaim{2, {}}})
                check_plan(plan_recovery(offered(), claim, terms, now),
                           RecoveryStep::hand_out_pending, RecoveryCost::nothing, 2);
}

BOOST_AUTO_TEST_CASE(after_a_restore_the_generation_is_above_what_the_agent_holds) {
    const auto plan = plan_recovery(settled(), {7, {}}, kTerms, kNow);
    check_plan(plan, RecoveryStep::mint, RecoveryCost::budget, 8);
    const Transition minting = recover(settled(), *plan, minted(8), kNow);
    BOOST_TEST(minting.after.next_generation == 9U);

    const std::uint64_t highest = 1 + limits::kGenerationRaise;
    check_plan(plan_recovery(settled(), {highest, {}}, kTerms, kNow), RecoveryStep::mint,
               RecoveryCost::budget, highest + 1);
    check_error(plan_recovery(settled(), {highest + 1, {}}, kTerms, kNow), Code::wrong_state);
    check_error(plan_recovery(settled(), {~std::uint64_t{0}, {}}, kTerms, kNow), Code::wrong_state);
}

BOOST_AUTO_TEST_CASE(a_pending_token_that_the_agent_cannot_take_is_replaced) {
    for (const std::uint64_t held : {2U, 5U}) {
        const auto plan = plan_recovery(offered(), {held, hash_of(99)}, kTerms, kNow);
        check_plan(plan, RecoveryStep::mint, RecoveryCost::budget, held + 1);
        const Transition minting = recover(offered(), *plan, minted(held + 1), kNow);
        BOOST_TEST(minting.ended_rotation_id == "r2");
        BOOST_TEST(minting.retired.empty());
        BOOST_TEST(minting.after.pending->rotation_id == rotation(held + 1));
        BOOST_TEST((minting.after.current == offered().current));
    }
    // Never free, even with an expired token.
    check_plan(plan_recovery(offered(), {5, hash_of(1)}, kTerms, kExpired), RecoveryStep::mint,
               RecoveryCost::budget, 6);
    check_error(plan_recovery(offered(), {5, hash_of(1)}, kSpent, kExpired), Code::rate_limited);
}

BOOST_AUTO_TEST_CASE(a_token_that_is_merely_expired_costs_nothing) {
    check_plan(plan_recovery(settled(), showing(1), kSpent, kExpired), RecoveryStep::mint,
               RecoveryCost::nothing, 2);
    check_plan(plan_recovery(in_grace(), showing(1), kSpent, kExpired), RecoveryStep::mint,
               RecoveryCost::nothing, 3);
    // Not yet expired, not shown, or another one.
    check_error(plan_recovery(settled(), showing(1), kSpent, kNow), Code::rate_limited);
    check_error(plan_recovery(settled(), {1, {}}, kSpent, kExpired), Code::rate_limited);
    check_error(plan_recovery(settled(), showing(9), kSpent, kExpired), Code::rate_limited);
}

BOOST_AUTO_TEST_CASE(a_spent_budget_says_when_it_frees_a_unit_and_a_grant_stands_in) {
    const auto spent = plan_recovery(settled(), {1, {}}, kSpent, kNow);
    check_error(spent, Code::rate_limited);
    BOOST_TEST((spent.error().retry_after() == std::chrono::seconds(91)));
    const auto never = plan_recovery(settled(), {1, {}}, {}, kNow);
    check_error(never, Code::rate_limited);
    BOOST_TEST(!never.error().retry_after().has_value());
    check_plan(plan_recovery(settled(), {1, {}}, {.units_granted = 1}, kNow), RecoveryStep::mint,
               RecoveryCost::grant, 2);
    check_plan(plan_recovery(settled(), {1, {}}, {.units_left = 1, .units_granted = 1}, kNow),
               RecoveryStep::mint, RecoveryCost::budget, 2);
}

BOOST_AUTO_TEST_CASE(where_expired_tokens_are_rejected_only_a_grant_mints_for_one) {
    for (const RecoveryClaim& claim : {showing(1), RecoveryClaim{1, {}}}) {
        check_error(plan_recovery(settled(), claim, kReject, kExpired), Code::token_expired);
        check_plan(plan_recovery(settled(), claim, kRejectGranted, kExpired), RecoveryStep::mint,
                   RecoveryCost::grant, 2);
    }
    check_plan(plan_recovery(settled(), {1, {}}, kReject, kNow), RecoveryStep::mint,
               RecoveryCost::budget, 2);
}

BOOST_AUTO_TEST_CASE(suspended_and_revoked_agents_do_not_recover) {
    check_error(plan_recovery(suspend(offered())->after, {1, {}}, kTerms, kNow),
                Code::agent_suspended);
    check_error(plan_recovery(revoke(offered())->after, {1, {}}, kTerms, kNow),
                Code::agent_revoked);
}

BOOST_AUTO_TEST_CASE(bar_refuses_every_token_and_leaves_recovery_open) {
    const Credentials before = begin(promoted(), minted(3), kNow).after;
    const auto barred = bar(before);
    BOOST_REQUIRE(barred.has_value());
    BOOST_TEST(barred->action == "agent.barred");
    BOOST_TEST(barred->retired.size() == 3U);
    BOOST_TEST(barred->ended_rotation_id == "r3");
    BOOST_TEST((barred->sessions == SessionsAfter::close_retired));
    BOOST_TEST(barred->after.epoch == before.epoch + 1);
    BOOST_TEST((barred->after.status == storage::AgentStatus::active));
    BOOST_TEST(accepted_hashes(barred->after).empty());
    const RecoveryTerms granted{.units_granted = 1};
    const auto plan = plan_recovery(barred->after, {3, hash_of(3)}, granted, kNow);
    check_plan(plan, RecoveryStep::mint, RecoveryCost::grant, 4);
    const Transition minting = recover(barred->after, *plan, minted(4), kNow);
    BOOST_TEST((accepted_hashes(minting.after) == std::vector<Bytes32>{hash_of(4)}));
    // ... also where expired tokens are rejected: there is none to be expired.
    check_plan(plan_recovery(barred->after, {3, hash_of(3)}, kRejectGranted, kExpired),
               RecoveryStep::mint, RecoveryCost::grant, 4);
}

BOOST_AUTO_TEST_CASE(bar_keeps_a_suspension_and_never_touches_a_revoked_agent) {
    const auto barred = bar(suspend(settled())->after);
    BOOST_REQUIRE(barred.has_value());
    BOOST_TEST((barred->after.status == storage::AgentStatus::suspended));
    BOOST_TEST(accepted_hashes(barred->after).empty());
    check_error(bar(revoke(settled())->after), Code::agent_revoked);
}

BOOST_AUTO_TEST_SUITE_END()
