#include "tests/model/mutants.hpp"

#include "tests/model/alarms.hpp"
#include "tests/model/enrollment.hpp"
#include "tests/model/mutant_rules.hpp"

#include <utility>

namespace rekey::model {

namespace {

template <class Mutated>
std::function<Report()> searching(const Budget& bounds, std::string_view breaks) {
    return [bounds, breaks] {
        const Mutated rules;
        const RotationModel model(rules, bounds);
        return Search(model, breaks).run();
    };
}

struct Bounds {
    Budget budget;
    std::string_view words;
};
const Bounds kOne{Budget().rotations(1), "one rotation"};
const Bounds kTwo{Budget().rotations(2), "two rotations"};
const Bounds kThree{Budget().rotations(3), "three rotations"};
const Bounds kRevoke{Budget().rotations(1).with(Misfortune::revoke), "one rotation, a revoke"};
const Bounds kSlowRevoke{
    Budget().rotations(1).with(Misfortune::revoke).with(Misfortune::slow_connect),
    "one rotation, a revoke, a slow connect"};
const Bounds kSlowConnect{Budget().rotations(1).with(Misfortune::slow_connect),
                          "one rotation, a slow connect"};
const Bounds kRace{
    Budget().rotations(1).with(Misfortune::slow_transaction).with(Misfortune::revoke),
    "one rotation, a revoke, two transactions at once"};
const Bounds kPowerLoss{Budget().rotations(3).with(Misfortune::power_loss, 2),
                        "three rotations, two power losses"};
const Bounds kExpiry{Budget().rotations(1).with(Misfortune::expiry), "one rotation, an expiry"};
const Bounds kRestore{Budget().rotations(2).recoveries(2).with(Misfortune::restore),
                      "two rotations, a restored backup"};
const Bounds kRestoreRevoked{
    Budget().rotations(1).recoveries(2).with(Misfortune::restore).with(Misfortune::revoke),
    "one rotation, a revoke, a restored backup"};

template <class Mutated>
Mutant alone(std::string_view what, const Bounds& bounds, std::string_view breaks) {
    return {what, "", breaks, bounds.words, searching<Mutated>(bounds.budget, breaks), {}};
}

// `Covered` is the same without the second fault.
template <class Mutated, class Covered>
Mutant covered(std::string_view what, std::string_view by, const Bounds& bounds,
               std::string_view breaks) {
    return {what,
            by,
            breaks,
            bounds.words,
            searching<Mutated>(bounds.budget, breaks),
            searching<Covered>(bounds.budget, breaks)};
}

Mutant enrolling(std::string_view what, const EnrollmentRules& rules) {
    return {what,
            "",
            "I7:",
            "one enrollment",
            [rules] {
                const EnrollmentModel model(rules, Row());
                return Search(model, "I7:").run();
            },
            {}};
}

Mutant alarming(std::string_view what, std::string_view bounds, const AlarmRules& rules,
                std::uint8_t lies) {
    return {what,
            "",
            "I8:",
            bounds,
            [rules, lies] {
                const AlarmModel model(rules, lies);
                return Search(model, "I8:").run();
            },
            {}};
}

void add_shapes_of_the_field(std::vector<Mutant>& all) {
    using R = Rules;
    all.push_back(covered<HoldsOneToken<CancelsAfterTimeOut<R>>, CancelsAfterTimeOut<R>>(
        "one token on the agent; the server cancels a pending one that was not answered in time",
        "two tokens on the agent", kOne, "L:"));
    all.push_back(alone<WithdrawsRefused<R>>(
        "a refused token is withdrawn: the agent said that it failed", kOne, "S5:"));
    all.push_back(covered<HoldsOneToken<WithdrawsRefused<R>>, WithdrawsRefused<R>>(
        "a refused token is withdrawn, and the agent has room for one", "two tokens on the agent",
        kOne, "L:"));
    all.push_back(
        alone<RevokesCurrentOnly<R>>("a revoke clears the current token only", kRevoke, "I4:"));
    all.push_back(covered<RevertsAfterNetworkError<DropsPreviousAtPromotion<R>>,
                          DropsPreviousAtPromotion<R>>(
        "the server deletes the old token once the new one is used; the agent deletes the new one "
        "if that connect seems to fail",
        "I10: a connect without an answer changes nothing", kOne, "L:"));
    all.push_back(covered<DropsPreviousAtPromotion<WithoutRuleA<R>>, DropsPreviousAtPromotion<R>>(
        "the old token goes at the promotion", "Rule A", kTwo, "L:"));
    all.push_back(covered<RetiresByTimer<WithoutRuleA<R>>, RetiresByTimer<R>>(
        "the old token is retired by a timer that runs from the promotion", "Rule A", kTwo, "L:"));
    all.push_back(covered<ActivatesAtFirstUse<WithoutRuleA<R>>, ActivatesAtFirstUse<R>>(
        "the old token's grace begins when the new one is seen in use", "Rule A", kTwo, "L:"));
    all.push_back(covered<RetiresByTimer<CancelsAfterTimeOut<WithoutRuleA<R>>>,
                          RetiresByTimer<CancelsAfterTimeOut<R>>>(
        "a grace timer, a pending token that expires, and a newer offer over the candidate",
        "Rule A", kTwo, "L:"));
}

void add_rules_a_and_b(std::vector<Mutant>& all) {
    using R = Rules;
    all.push_back(alone<WithoutRuleA<R>>(
        "a newer offer overwrites an unresolved candidate (without Rule A)", kThree, "L:"));
    all.push_back(covered<WithoutRuleB<WithoutRuleA<R>>, WithoutRuleB<R>>(
        "neither Rule A nor Rule B", "Rule A", kTwo, "L:"));
    all.push_back(alone<SendsCommitOnce<R>>("agent.commit is sent once", kOne, "I7:"));
    all.push_back(alone<ProvesWithoutWriting<R>>(
        "a candidate that stands in the file is proven without another write", kPowerLoss, "L:"));
    all.push_back(alone<ConnectsWithoutSync<R>>(
        "a candidate that a power loss could take back opens a connection", kPowerLoss, "L:"));
    all.push_back(alone<LastWriteWins<R>>("of two transactions on one row the last write wins",
                                          kRace, "I4:"));
}

void add_alarms_and_doors(std::vector<Mutant>& all) {
    using R = Rules;
    all.push_back(
        alone<TriesAnyToken<R>>("the next token is tried after a network error", kOne, "I18:"));
    all.push_back(alone<BuriesWithdrawn<WithdrawsRefused<R>>>(
        "the hash of a withdrawn token is kept as a tombstone", kOne, "I18:"));
    all.push_back(alone<CountsDelayedConnects<R>>(
        "a connect that was delayed until its token was retired counts as reuse", kSlowConnect,
        "I18:"));
    all.push_back(alone<StartsWithoutSync<R>>(
        "a start believes a file that a power loss could take back", kPowerLoss, "I18:"));
    all.push_back(alone<WelcomesUnread<R>>(
        "a revoke closes the registered sessions while a connect is between reading the row and "
        "registering",
        kSlowRevoke, "I4:"));
    all.push_back(alone<KeepsRevocationsInside<R>>("a revoke stands in the database only",
                                                   kRestoreRevoked, "I4:"));
    all.push_back(alarming(
        "what is minted instead of a token that the agent calls stale begins to count anew",
        "one rotation, five lies", {.replacements_count_on = false}, kMostLies));
    all.push_back(alarming("an offer whose session ended is not counted as a failure",
                           "one rotation", {.ends_of_sessions_are_told = false}, 0));
    all.push_back(alarming("an offer that came too late for its session is not counted",
                           "one rotation", {.unsent_offers_are_told = false}, 0));
}

void add_recovery_and_enrollment(std::vector<Mutant>& all) {
    using R = Rules;
    all.push_back(
        alone<RecoversIntoCurrent<R>>("a recovery mints a new current token", kExpiry, "L:"));
    all.push_back(alone<RecoversBelowTheNewest<R>>(
        "a recovery mints the next generation, whatever the agent holds", kRestore, "I7:"));
    all.push_back(alone<ChargesTheExpired<R>>(
        "a recovery from mere expiry is charged to the budget, which is spent", kExpiry, "I7:"));
    all.push_back(enrolling("the agent connects before it has written its first token",
                            {.token_is_durable_before_the_connect = false}));
    all.push_back(enrolling("the identity key is not durable before the code is sent",
                            {.key_is_durable_before_the_code_is_sent = false}));
}

}  // namespace

std::vector<Mutant> mutants() {
    std::vector<Mutant> all;
    add_shapes_of_the_field(all);
    add_rules_a_and_b(all);
    add_alarms_and_doors(all);
    add_recovery_and_enrollment(all);
    return all;
}

}  // namespace rekey::model
