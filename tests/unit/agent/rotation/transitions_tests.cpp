#include "agent/rotation/transitions.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::agent::rotation;

// A0 to A4: what the agent decides about offers, commits and connects.
BOOST_AUTO_TEST_SUITE(transitions_tests)

namespace {

std::string rotation(std::uint64_t generation) { return "r" + std::to_string(generation); }

HeldToken token(std::uint64_t generation, TokenState state) {
    return {generation, rotation(generation), Secret("token " + std::to_string(generation)), state};
}
HeldToken confirmed(std::uint64_t generation) { return token(generation, TokenState::confirmed); }
HeldToken candidate(std::uint64_t generation) { return token(generation, TokenState::candidate); }

Offer offer(std::uint64_t generation) {
    return {rotation(generation), generation, confirmed(generation).token};
}

void check_refused(const HeldTokens& held, const Offer& offer, FailureReason reason,
                   std::optional<std::uint64_t> newest_held, ThenDo then) {
    const OfferDecision decision = on_offer(held, offer);
    const auto* refusal = std::get_if<RefuseOffer>(&decision);
    BOOST_REQUIRE(refusal != nullptr);
    BOOST_TEST(to_string(refusal->reason) == to_string(reason));
    BOOST_TEST((refusal->newest_held == newest_held));
    BOOST_TEST((refusal->then == then));
}

void check_written(const HeldTokens& held, const Offer& offer, const HeldTokens& next) {
    const OfferDecision decision = on_offer(held, offer);
    const auto* write = std::get_if<WriteCandidate>(&decision);
    BOOST_REQUIRE(write != nullptr);
    BOOST_TEST((write->next == next));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a0_the_first_token_is_confirmed_from_the_start) {
    BOOST_TEST((on_enrolled(offer(1)) == HeldTokens{confirmed(1)}));
}

BOOST_AUTO_TEST_CASE(a1_a_new_offer_is_written_beside_the_newest_confirmed_token) {
    check_written({confirmed(1)}, offer(2), {confirmed(1), candidate(2)});
    // The older confirmed token goes with this write, not before.
    check_written({confirmed(1), confirmed(2)}, offer(3), {confirmed(2), candidate(3)});
    check_written({confirmed(1)}, offer(9), {confirmed(1), candidate(9)});
}

BOOST_AUTO_TEST_CASE(a1_a_confirmed_token_that_is_offered_again_is_proven_again) {
    for (const std::uint64_t generation : {1U, 2U}) {
        const OfferDecision decision = on_offer({confirmed(1), confirmed(2)}, offer(generation));
        const auto* answer = std::get_if<AnswerComplete>(&decision);
        BOOST_REQUIRE(answer != nullptr);
        BOOST_TEST(answer->rotation_id == rotation(generation));
    }
}

BOOST_AUTO_TEST_CASE(a1_a_candidate_that_is_offered_again_is_written_again_before_it_is_proven) {
    check_written({confirmed(1), candidate(2)}, offer(2), {confirmed(1), candidate(2)});
}

BOOST_AUTO_TEST_CASE(a1_a_generation_that_has_passed_is_stale_and_the_newest_is_named) {
    Offer other_token = offer(2);
    other_token.rotation_id = "other";
    check_refused({confirmed(1), confirmed(2)}, other_token, FailureReason::stale_generation, 2,
                  ThenDo::stay);
    check_refused({confirmed(1), candidate(2)}, other_token, FailureReason::stale_generation, 2,
                  ThenDo::stay);
    check_refused({confirmed(3), candidate(5)}, offer(2), FailureReason::stale_generation, 5,
                  ThenDo::stay);
    check_refused({confirmed(5), confirmed(7)}, offer(6), FailureReason::stale_generation, 7,
                  ThenDo::stay);
}

BOOST_AUTO_TEST_CASE(rule_a_an_unresolved_candidate_is_never_overwritten) {
    check_refused({confirmed(1), candidate(2)}, offer(3), FailureReason::candidate_unresolved,
                  std::nullopt, ThenDo::reconnect);
    // Between the two: only a restored database offers it, and the connect clears it up.
    check_refused({confirmed(1), candidate(5)}, offer(3), FailureReason::candidate_unresolved,
                  std::nullopt, ThenDo::reconnect);
}

BOOST_AUTO_TEST_CASE(a1_another_token_under_a_known_rotation_is_refused) {
    Offer moved = offer(2);
    moved.generation = 3;
    Offer changed = offer(2);
    changed.token = Secret("something else");
    for (const HeldTokens& held :
         {HeldTokens{confirmed(1), candidate(2)}, HeldTokens{confirmed(1), confirmed(2)}})
        for (const Offer& wrong : {moved, changed})
            check_refused(held, wrong, FailureReason::other, std::nullopt, ThenDo::stay);
}

BOOST_AUTO_TEST_CASE(a2_a_write_leaves_the_old_file_or_the_candidate) {
    const HeldTokens before{confirmed(1), confirmed(2)};
    const HeldTokens next{confirmed(2), candidate(3)};
    BOOST_TEST((after_write(before, next, WriteOutcome::durable) == next));
    BOOST_TEST((after_write(before, next, WriteOutcome::failed_before_rename) == before));
    BOOST_TEST((after_write(before, next, WriteOutcome::failed_after_rename) == next));
}

BOOST_AUTO_TEST_CASE(rule_b_a_confirmation_that_may_not_last_is_none) {
    const HeldTokens before{confirmed(1), candidate(2)};
    const HeldTokens next{confirmed(1), confirmed(2)};
    BOOST_TEST((after_write(before, next, WriteOutcome::durable) == next));
    BOOST_TEST((after_write(before, next, WriteOutcome::failed_before_rename) == before));
    BOOST_TEST((after_write(before, next, WriteOutcome::failed_after_rename) == before));
}

BOOST_AUTO_TEST_CASE(a3_a_commit_confirms_durably_before_it_is_answered) {
    const CommitDecision decision = on_commit({confirmed(1), candidate(2)}, 2, "r2");
    const auto* confirm = std::get_if<ConfirmThenAnswer>(&decision);
    BOOST_REQUIRE(confirm != nullptr);
    BOOST_TEST((confirm->next == HeldTokens{confirmed(1), confirmed(2)}));
    const CommitDecision again = on_commit(confirm->next, 2, "r2");
    BOOST_TEST(std::holds_alternative<AnswerActivated>(again));
}

BOOST_AUTO_TEST_CASE(a3_a_commit_for_a_token_that_is_not_held_changes_nothing) {
    const HeldTokens held{confirmed(1), candidate(2)};
    const std::pair<std::uint64_t, const char*> others[] = {
        {3, "r3"}, {2, "other"}, {3, "r2"}, {2, "r1"}};
    for (const auto& [generation, rotation_id] : others)
        BOOST_TEST(std::holds_alternative<NotHeld>(on_commit(held, generation, rotation_id)));
}

BOOST_AUTO_TEST_CASE(a3_a_welcome_confirms_the_candidate_that_opened_the_connection) {
    const HeldTokens held{confirmed(1), candidate(2)};
    const auto write = on_welcome(held, 2, "r2");
    BOOST_REQUIRE(write.has_value());
    BOOST_TEST((*write == HeldTokens{confirmed(1), confirmed(2)}));
    BOOST_TEST(!on_welcome(held, 1, "r1").has_value());
    BOOST_TEST(!on_welcome(held, 2, "other").has_value());
    BOOST_TEST(!on_welcome(held, 3, "r2").has_value());
}

BOOST_AUTO_TEST_CASE(a4_connects_try_the_candidate_then_the_newest_then_the_older) {
    const HeldTokens unresolved{confirmed(1), candidate(2)};
    BOOST_TEST(next_credential(unresolved, {})->generation == 2U);
    BOOST_TEST(next_credential(unresolved, {"r1"})->generation == 2U);
    BOOST_TEST(next_credential(unresolved, {"r2"})->generation == 1U);
    BOOST_TEST(next_credential(unresolved, {"r2", "r1"}) == nullptr);

    const HeldTokens resolved{confirmed(1), confirmed(2)};
    BOOST_TEST(next_credential(resolved, {})->generation == 2U);
    BOOST_TEST(next_credential(resolved, {"r2"})->generation == 1U);
    BOOST_TEST(next_credential(resolved, {"r1", "r2"}) == nullptr);
    BOOST_TEST(next_credential({}, {}) == nullptr);
}

BOOST_AUTO_TEST_CASE(i10_unknown_credential_drops_a_candidate_and_nothing_else) {
    const HeldTokens held{confirmed(1), candidate(2)};
    const auto write = on_unknown_credential(held, "r2");
    BOOST_REQUIRE(write.has_value());
    BOOST_TEST((*write == HeldTokens{confirmed(1)}));
    BOOST_TEST(!on_unknown_credential(held, "r1").has_value());
    BOOST_TEST(!on_unknown_credential(held, "other").has_value());
    BOOST_TEST(!on_unknown_credential({confirmed(1), confirmed(2)}, "r2").has_value());
}

BOOST_AUTO_TEST_CASE(every_reason_has_the_name_of_the_wire) {
    const std::pair<FailureReason, std::string_view> names[] = {
        {FailureReason::disk_full, "disk_full"},
        {FailureReason::read_only, "read_only"},
        {FailureReason::readback_differs, "readback_differs"},
        {FailureReason::candidate_unresolved, "candidate_unresolved"},
        {FailureReason::stale_generation, "stale_generation"},
        {FailureReason::other, "other"}};
    for (const auto& [reason, name] : names) BOOST_TEST(to_string(reason) == name);
}

BOOST_AUTO_TEST_SUITE_END()
