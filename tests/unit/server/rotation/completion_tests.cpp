#include "base/limits.hpp"
#include "tests/unit/server/rotation/rows.hpp"

using namespace rekey;
using namespace rekey::server::rotation;
using namespace std::chrono_literals;

// S3 to S7: what an agent's answers change.
BOOST_AUTO_TEST_SUITE(completion_tests)

BOOST_AUTO_TEST_CASE(s3_promotes_pending_and_keeps_current_as_previous) {
    const CompletionResult result = complete(offered(), proven(2), policy(), 0.5, kNow + 1s);
    BOOST_TEST((result.verdict == CompletionVerdict::promoted));
    BOOST_TEST(result.transition.action == "rotation.promoted");
    const Credentials& after = result.transition.after;
    BOOST_TEST(!after.pending.has_value());
    BOOST_TEST(after.current->generation == 2U);
    BOOST_TEST(after.current->rotation_id == "r2");
    BOOST_TEST((after.current->token_hash == hash_of(2)));
    BOOST_TEST((after.current->issued_at == kNow + 1s));
    BOOST_TEST((*after.current->expires_at == kNow + 1s + 10 * 24h));
    BOOST_TEST((*after.rotate_at == kNow + 1s + 8 * 24h));
    BOOST_TEST(after.previous->generation == 1U);
    BOOST_TEST(after.previous->rotation_id == "r1");
    BOOST_TEST((after.previous->token_hash == hash_of(1)));
    BOOST_TEST((after.previous->expires_at == settled().current->expires_at));
    BOOST_TEST(!after.previous->retire_after.has_value());
    BOOST_TEST(after.activated_generation == 1U);
    BOOST_TEST(commit_outstanding(after));
    BOOST_TEST(result.transition.retired.empty());
    BOOST_TEST((result.transition.sessions == SessionsAfter::keep));
}

BOOST_AUTO_TEST_CASE(s3_draws_the_next_moment_between_the_two_fractions) {
    const auto drawn = [](double draw) {
        return *complete(offered(), proven(2), policy(), draw, kNow).transition.after.rotate_at;
    };
    BOOST_TEST((drawn(0) == kNow + 7 * 24h));
    BOOST_TEST((drawn(0.999999999) <= kNow + 9 * 24h));
    BOOST_TEST((drawn(0.25) < drawn(0.75)));
}

BOOST_AUTO_TEST_CASE(s3_buries_the_older_previous) {
    const Credentials before = begin(promoted(), minted(3), kNow).after;
    const Transition after = complete(before, proven(3), policy(), 0, kNow).transition;
    BOOST_TEST(after.after.current->generation == 3U);
    BOOST_TEST(after.after.previous->generation == 2U);
    BOOST_REQUIRE(after.retired.size() == 1U);
    BOOST_TEST(after.retired[0].generation == 1U);
    BOOST_TEST((after.retired[0].hash == hash_of(1)));
    BOOST_TEST((after.sessions == SessionsAfter::close_retired));
}

BOOST_AUTO_TEST_CASE(s3_serves_the_first_connect_of_an_enrollment) {
    Credentials row = enroll(Credentials{})->after;
    row = begin(row, minted(1), kNow).after;
    const Transition first = complete(row, proven(1), policy(), 0, kNow).transition;
    BOOST_TEST(first.after.current->generation == 1U);
    BOOST_TEST(!first.after.previous.has_value());
    BOOST_TEST(commit_outstanding(first.after));
}

BOOST_AUTO_TEST_CASE(s4_a_duplicate_is_answered_without_a_look_at_its_proof) {
    for (const ProofCheck proof : {ProofCheck::valid, ProofCheck::wrong}) {
        const auto again = complete(promoted(), {2, "r2", proof}, policy(), 0, kNow + 1h);
        BOOST_TEST((again.verdict == CompletionVerdict::duplicate));
        check_unchanged(again.transition, promoted());
    }
}

BOOST_AUTO_TEST_CASE(s5_a_wrong_proof_promotes_nothing) {
    const auto result = complete(offered(), {2, "r2", ProofCheck::wrong}, policy(), 0, kNow);
    BOOST_TEST((result.verdict == CompletionVerdict::wrong_proof));
    check_unchanged(result.transition, offered());
}

BOOST_AUTO_TEST_CASE(i6_a_completion_of_another_rotation_changes_nothing) {
    const Completion others[] = {{2, "rX", ProofCheck::valid},
                                 {3, "r2", ProofCheck::valid},
                                 {1, "r2", ProofCheck::valid},
                                 {0, "", ProofCheck::valid}};
    for (const Completion& other : others)
        for (const Credentials& row : {offered(), promoted(), settled(), Credentials{}}) {
            const auto result = complete(row, other, policy(), 0, kNow);
            BOOST_TEST((result.verdict == CompletionVerdict::unrelated));
            check_unchanged(result.transition, row);
        }
    // The predecessor's own late duplicate, too.
    BOOST_TEST((complete(promoted(), proven(1), policy(), 0, kNow).verdict ==
                CompletionVerdict::unrelated));
}

BOOST_AUTO_TEST_CASE(s5_a_refusal_never_withdraws_the_pending_token) {
    for (const char* reason : {"disk_full", "read_only", "readback_differs", "candidate_unresolved",
                               "stale_generation", "other", "timeout", "malformed"}) {
        const Transition refused = refuse(offered(), {"r2", reason, std::nullopt});
        BOOST_TEST(refused.action == "rotation.refused");
        Credentials expected = offered();
        expected.pending->last_reason = reason;
        BOOST_TEST((refused.after == expected), reason);
        BOOST_TEST(refused.ended_rotation_id.empty());
    }
    // Only a stale generation, and only one at or above pending's, replaces it.
    BOOST_TEST(refuse(offered(), {"r2", "disk_full", 7}).after.pending.has_value());
    BOOST_TEST(refuse(offered(), {"r2", "stale_generation", 1}).after.pending.has_value());
    check_unchanged(refuse(offered(), {"r1", "disk_full", std::nullopt}), offered());
    check_unchanged(refuse(settled(), {"r1", "disk_full", std::nullopt}), settled());
}

BOOST_AUTO_TEST_CASE(s5_a_stale_generation_replaces_the_pending_token_above_what_is_held) {
    const Transition replaced = refuse(offered(), {"r2", "stale_generation", 7});
    BOOST_TEST(replaced.action == "rotation.replaced");
    BOOST_TEST(!replaced.after.pending.has_value());
    BOOST_TEST(replaced.after.next_generation == 8U);
    BOOST_TEST(replaced.ended_rotation_id == "r2");
    BOOST_TEST(replaced.retired.empty(), "an honest agent must never match its tombstone");
    BOOST_TEST(*may_begin(replaced.after, RotationCause::schedule, kNow) == 8U);
    // Never lowered.
    BOOST_TEST(refuse(offered(), {"r2", "stale_generation", 2}).after.next_generation == 3U);
}

BOOST_AUTO_TEST_CASE(s5_a_raise_of_more_than_the_limit_is_audited_and_refused) {
    const std::uint64_t next = offered().next_generation;
    const std::uint64_t highest = next + limits::kGenerationRaise - 1;
    const Transition most = refuse(offered(), {"r2", "stale_generation", highest});
    BOOST_TEST(most.action == "rotation.replaced");
    BOOST_TEST(most.after.next_generation == next + limits::kGenerationRaise);
    for (const std::uint64_t beyond :
         {highest + 1, limits::kGenerationCeiling, std::numeric_limits<std::uint64_t>::max()}) {
        const Transition refused = refuse(offered(), {"r2", "stale_generation", beyond});
        BOOST_TEST(refused.action == "rotation.raise_refused");
        BOOST_TEST(refused.after.next_generation == next);
        BOOST_TEST(refused.after.pending.has_value());
        BOOST_TEST(refused.ended_rotation_id.empty());
    }
}

BOOST_AUTO_TEST_CASE(s6_activation_starts_the_grace_once) {
    const Transition active = activate(promoted(), 2, "r2", policy(), kNow + 1s);
    BOOST_TEST(active.action == "rotation.activated");
    BOOST_TEST(active.after.activated_generation == 2U);
    BOOST_TEST((*active.after.previous->retire_after == kNow + 1s + 5min));
    BOOST_TEST(!commit_outstanding(active.after));
    check_unchanged(activate(active.after, 2, "r2", policy(), kNow + 1h), active.after);
}

BOOST_AUTO_TEST_CASE(s6_only_current_can_be_activated) {
    check_unchanged(activate(promoted(), 1, "r1", policy(), kNow), promoted());
    check_unchanged(activate(promoted(), 2, "r1", policy(), kNow), promoted());
    check_unchanged(activate(promoted(), 3, "r2", policy(), kNow), promoted());
    check_unchanged(activate(offered(), 2, "r2", policy(), kNow), offered());
    check_unchanged(activate(Credentials{}, 0, "", policy(), kNow), Credentials{});
}

BOOST_AUTO_TEST_CASE(s7_retires_only_an_activated_previous_after_its_grace) {
    check_unchanged(retire(in_grace(), kNow + 5min - 1ms), in_grace());
    const Transition gone = retire(in_grace(), kNow + 5min);
    BOOST_TEST(gone.action == "rotation.retired");
    BOOST_TEST(!gone.after.previous.has_value());
    BOOST_REQUIRE(gone.retired.size() == 1U);
    BOOST_TEST((gone.retired[0].hash == hash_of(1)));
    BOOST_TEST((gone.sessions == SessionsAfter::close_retired));
    check_unchanged(retire(promoted(), kNow + 1000h), promoted());
    check_unchanged(retire(settled(), kNow + 1000h), settled());
}

BOOST_AUTO_TEST_CASE(s7_waits_for_the_newest_activation_not_for_an_older_one) {
    Credentials row = in_grace();
    row = begin(row, minted(3), kNow).after;  // an emergency, within the grace of 1
    row = complete(row, proven(3), policy(), 0, kNow).transition.after;
    BOOST_TEST(row.previous->generation == 2U);
    check_unchanged(retire(row, kNow + 1000h), row);
}

BOOST_AUTO_TEST_SUITE_END()
