#include "agent/rotation/transitions.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::agent::rotation;

// A6: when the agent recovers, and what it does with the answer.
BOOST_AUTO_TEST_SUITE(recovery_tests)

namespace {

HeldToken token(std::uint64_t generation, TokenState state) {
    return {generation, "r" + std::to_string(generation),
            Secret("token " + std::to_string(generation)), state};
}
HeldToken confirmed(std::uint64_t generation) { return token(generation, TokenState::confirmed); }
HeldToken candidate(std::uint64_t generation) { return token(generation, TokenState::candidate); }

Offer offer(std::uint64_t generation) {
    const HeldToken of = confirmed(generation);
    return {of.rotation_id, generation, of.token};
}

const HeldTokens kTwo{confirmed(1), confirmed(2)};
const HeldTokens kUnresolved{confirmed(1), candidate(2)};

void check_written(const OfferDecision& decision, const HeldTokens& next) {
    const auto* write = std::get_if<WriteCandidate>(&decision);
    BOOST_REQUIRE(write != nullptr);
    BOOST_TEST((write->next == next));
}

void check_refused(const OfferDecision& decision, FailureReason reason) {
    const auto* refusal = std::get_if<RefuseOffer>(&decision);
    BOOST_REQUIRE(refusal != nullptr);
    BOOST_TEST(to_string(refusal->reason) == to_string(reason));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a6_it_is_due_when_every_token_is_unknown_or_one_is_expired) {
    BOOST_TEST(!recovery_due(kTwo, {}).has_value());
    BOOST_TEST(!recovery_due(kTwo, {.unknown = {"r2"}, .expired = {}}).has_value());
    const auto unknown = recovery_due(kTwo, {.unknown = {"r2", "r1"}, .expired = {}});
    BOOST_REQUIRE(unknown.has_value());
    BOOST_TEST(unknown->newest_held == 2U);
    BOOST_TEST(unknown->token == &kTwo[1]);

    const auto expired = recovery_due(kTwo, {.unknown = {}, .expired = {"r2"}});
    BOOST_REQUIRE(expired.has_value());
    BOOST_TEST(expired->newest_held == 2U);
    BOOST_TEST(expired->token == &kTwo[1]);

    const auto older = recovery_due(kTwo, {.unknown = {"r2"}, .expired = {"r1"}});
    BOOST_REQUIRE(older.has_value());
    BOOST_TEST(older->newest_held == 2U);
    BOOST_TEST(older->token == kTwo.data());
}

BOOST_AUTO_TEST_CASE(a6_an_unresolved_candidate_comes_first) {
    BOOST_TEST(!recovery_due(kUnresolved, {.unknown = {"r1"}, .expired = {}}).has_value());
    BOOST_TEST(!recovery_due(kUnresolved, {.unknown = {}, .expired = {"r1"}}).has_value());
    // Refused, and its removal could not be written.
    const auto refused = recovery_due(kUnresolved, {.unknown = {"r2", "r1"}, .expired = {}});
    BOOST_REQUIRE(refused.has_value());
    BOOST_TEST(refused->newest_held == 2U);
    BOOST_TEST(recovery_due(kUnresolved, {.unknown = {}, .expired = {"r2"}}).has_value());
}

BOOST_AUTO_TEST_CASE(a6_a_candidate_that_is_expired_has_been_promoted) {
    const auto write = on_token_expired(kUnresolved, "r2");
    BOOST_REQUIRE(write.has_value());
    BOOST_TEST((*write == kTwo));
    BOOST_TEST(!on_token_expired(kUnresolved, "r1").has_value());
    BOOST_TEST(!on_token_expired(kTwo, "r2").has_value());
}

BOOST_AUTO_TEST_CASE(a6_the_answer_is_written_as_a_candidate_beside_the_newest_confirmed_token) {
    const Refusals all{.unknown = {"r2", "r1"}, .expired = {}};
    check_written(on_recovered(kTwo, all, offer(3)), {confirmed(2), candidate(3)});
    // The same answer once more, because the first write failed.
    check_written(on_recovered({confirmed(2), candidate(3)}, {}, offer(3)),
                  {confirmed(2), candidate(3)});
}

BOOST_AUTO_TEST_CASE(a6_a_refused_candidate_gives_way_and_an_unresolved_one_does_not) {
    check_written(on_recovered(kUnresolved, {.unknown = {"r2", "r1"}, .expired = {}}, offer(3)),
                  {confirmed(1), candidate(3)});
    check_written(on_recovered(kUnresolved, {.unknown = {}, .expired = {"r2"}}, offer(3)),
                  {confirmed(2), candidate(3)});
    // Rule A: an answer that comes late must not overwrite what was saved meanwhile.
    check_refused(on_recovered(kUnresolved, {.unknown = {"r1"}, .expired = {}}, offer(3)),
                  FailureReason::candidate_unresolved);
}

BOOST_AUTO_TEST_CASE(a6_a_late_answer_changes_nothing) {
    const HeldTokens newer{confirmed(3), confirmed(4)};
    check_refused(on_recovered(newer, {}, offer(2)), FailureReason::stale_generation);
    const OfferDecision held = on_recovered(newer, {}, offer(4));
    BOOST_TEST(std::holds_alternative<AnswerComplete>(held));
}

BOOST_AUTO_TEST_CASE(i9_a_recovery_never_leaves_the_agent_without_a_confirmed_token) {
    for (const HeldTokens& held : {kTwo, kUnresolved, HeldTokens{confirmed(1)}})
        for (const Refusals& refusals : {Refusals{}, Refusals{{"r2", "r1"}, {}},
                                         Refusals{{}, {"r2"}}, Refusals{{"r2"}, {"r1"}}})
            for (std::uint64_t generation = 1; generation <= 4; ++generation) {
                const auto decision = on_recovered(held, refusals, offer(generation));
                const auto* write = std::get_if<WriteCandidate>(&decision);
                if (write == nullptr) continue;
                BOOST_TEST((write->next.front().state == TokenState::confirmed));
                BOOST_TEST(write->next.size() <= 2U);
            }
}

// Found by the search: the expired candidate's confirmation could not be written, and then neither
// could the answer that came with it, for certain.
BOOST_AUTO_TEST_CASE(i9_a_recovery_whose_write_may_not_last_leaves_a_confirmed_token) {
    const auto decision = on_recovered(kUnresolved, {.unknown = {}, .expired = {"r2"}}, offer(3));
    const auto* write = std::get_if<WriteCandidate>(&decision);
    BOOST_REQUIRE(write != nullptr);
    const HeldTokens held =
        after_write(kUnresolved, write->next, WriteOutcome::failed_after_rename);
    BOOST_TEST((held == HeldTokens{confirmed(2), candidate(3)}));
}

BOOST_AUTO_TEST_SUITE_END()
