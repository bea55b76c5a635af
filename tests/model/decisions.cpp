#include "tests/model/decisions.hpp"

#include <algorithm>
#include <utility>

namespace rekey::model {

namespace rotation = server::rotation;
using rotation::CompletionVerdict;
using rotation::ProofCheck;
using rotation::Transition;
using storage::AgentStatus;
using storage::RotationCause;

namespace {

using Outcome = std::optional<Decided>;

rotation::Minted minted(Token token) {
    return {.generation = token.generation(),
            .rotation_id = rotation_of(token),
            .token_hash = hash_of(token)};
}

// S1. The next rotation waits for the grace of the last one, unless it is an emergency.
Outcome begin(const World& world, const Row& row, Event event) {
    const Credentials read = row.credentials();
    const bool waits = row.in_grace != 0 && event != Event::emergency;
    const Time at = waits ? after_the_grace() : kNow;
    const auto cause =
        event == Event::emergency ? RotationCause::emergency : rotation::due(read, at);
    if (!cause) return std::nullopt;
    const auto generation = rotation::may_begin(read, *cause, at);
    if (generation.has_error()) return std::nullopt;
    const Token token = Token::make(*generation, world.era);
    std::string_view words = "the server mints generation {}";
    if (event == Event::emergency) words = "an emergency: the server mints generation {} at once";
    if (event == Event::wish_fulfilled)
        words = "the server mints generation {}, as it was asked to";
    return Decided{event, rotation::begin(read, minted(token), at), words, token};
}

Outcome offer(const Row& row) {
    const Transition again = rotation::offer_again(row.credentials(), kNow);
    if (!again.changed()) return std::nullopt;
    return Decided{Event::offer, again, "the server offers {}", row.pending,
                   Sends{Message::offer, row.pending}};
}

Outcome completion(const Rules& rules, const World& world, const Row& row, Token token) {
    const rotation::CompletionResult result =
        rules.complete(row.credentials(),
                       {token.generation(), rotation_of(token), ProofCheck::valid}, policy(), kNow);
    const bool changed = result.transition.changed();
    const Sends commit{Message::commit, token};
    switch (result.verdict) {
        case CompletionVerdict::promoted: {
            const bool again =
                token.generation() <= row.current.generation() || world.tombstones.has(token);
            return Decided{
                Event::promote,
                result.transition,
                "the server promotes {}",
                token,
                commit,
                again && !law_gives_way(world) ? "I5: one rotation was promoted twice" : ""};
        }
        case CompletionVerdict::duplicate:
            return Decided{Event::complete_again,
                           result.transition,
                           "the server hears complete {} again, and answers as before",
                           token,
                           commit,
                           changed ? "I5: a duplicate changed the row" : ""};
        case CompletionVerdict::wrong_proof:
        case CompletionVerdict::unrelated:
            break;
    }
    if (!changed) return std::nullopt;
    return Decided{Event::promote, result.transition, "the server hears a completion of {}",
                   token,          std::nullopt,      "I6: a foreign completion changed the row"};
}

Outcome refusal(const Rules& rules, const Row& row, Event event, Token token) {
    const bool timed_out = event == Event::time_out;
    Transition transition = rules.refuse(
        row.credentials(), {rotation_of(token), timed_out ? "timeout" : "disk_full", std::nullopt});
    const bool foreign = row.pending != token && transition.changed();
    return Decided{event,
                   std::move(transition),
                   timed_out ? "the server has waited long enough for an answer to {}"
                             : "the server hears that {} failed",
                   token,
                   std::nullopt,
                   foreign ? "I6: a foreign refusal changed the row" : ""};
}

// S5's exception, and the minting in the same transaction that takes its place.
Outcome stale(const Rules& rules, const World& world, const Row& row, const Decision& decision) {
    const Credentials read = row.credentials();
    Transition transition =
        rules.refuse(read, {rotation_of(decision.token), "stale_generation", decision.newest_held});
    const bool foreign = row.pending != decision.token && transition.changed();
    Decided decided{
        Event::hear_stale, transition,   "the server hears that the agent is past {}",
        decision.token,    std::nullopt, foreign ? "I6: a foreign refusal changed the row" : ""};
    if (transition.ended_rotation_id.empty()) return decided;
    const auto generation = rotation::may_begin(transition.after, RotationCause::schedule, kNow);
    if (generation.has_error()) return decided;
    const Token token = Token::make(*generation, world.era);
    decided.transition =
        rotation::begin_instead(transition.after, *read.pending, minted(token), kNow);
    decided.words = "the server hears that the agent is past its offer, and mints {} instead";
    decided.token = token;
    return decided;
}

Outcome activation(const Row& row, Token token) {
    const Transition transition = rotation::activate(row.credentials(), token.generation(),
                                                     rotation_of(token), policy(), kNow);
    if (!transition.changed()) return std::nullopt;
    return Decided{Event::hear_activated,
                   transition,
                   "the server hears that {} is activated",
                   token,
                   std::nullopt,
                   row.current != token ? "I6: a foreign activation changed the row" : ""};
}

Outcome retirement(const Rules& rules, const Row& row) {
    const Transition transition = rules.retire(row.credentials(), after_the_grace());
    if (!transition.changed()) return std::nullopt;
    return Decided{Event::retire, transition, "the grace of {} is over: retired", row.previous};
}

Outcome recovery(const Rules& rules, const World& world, const Row& row, const Decision& asked) {
    if (rules.outdates_challenges() && asked.challenge != row.next_generation) return std::nullopt;
    const Credentials read = row.credentials();
    const auto plan = rules.plan_recovery(read, {asked.newest_held, hash_of(asked.token)},
                                          {.units_left = row.recoveries_left}, kNow);
    if (plan.has_error())
        return Decided{Event::recovery_refused,
                       {.after = read},
                       "the server refuses to recover an agent that holds {}",
                       asked.token};
    if (plan->step == rotation::RecoveryStep::hand_out_pending)
        return Decided{Event::recovery_hands_out,
                       {.after = read},
                       "recovery: the server hands out {}, which is pending",
                       row.pending,
                       Sends{Message::recovered, row.pending}};
    const Token token = Token::make(plan->generation, world.era);
    return Decided{
        Event::recovery_mints,
        rules.recover(read, *plan, minted(token), kNow),
        "recovery: the server mints generation {}",
        token,
        Sends{Message::recovered, token},
        "",
        static_cast<std::uint8_t>(plan->cost == rotation::RecoveryCost::nothing ? 0 : 1)};
}

Outcome administration(const Rules& rules, const Row& row, Event event) {
    const Credentials read = row.credentials();
    const auto made = [event](const Result<Transition>& result, std::string_view words) -> Outcome {
        if (result.has_error() || !result->changed()) return std::nullopt;
        return Decided{event, *result, words};
    };
    switch (event) {
        case Event::suspend:
            return made(rotation::suspend(read), "an administrator suspends the agent");
        case Event::reactivate:
            return made(rotation::reactivate(read), "an administrator reactivates the agent");
        case Event::revoke:
            return made(rules.revoke(read), "an administrator revokes the agent");
        case Event::wish:
            return made(
                rotation::request(
                    read, {.cause = RotationCause::admin, .actor = "admin", .requested_at = kNow}),
                "an administrator asks for a rotation");
        case Event::wish_at_once:
            return made(rotation::request(read, {.cause = RotationCause::emergency,
                                                 .actor = "admin",
                                                 .requested_at = kNow}),
                        "an administrator asks for an emergency rotation");
        case Event::cancel_wish:
            return made(rotation::cancel_request(read), "an administrator takes the wish back");
        default:
            break;
    }
    REKEY_ASSERT(event == Event::bar);
    Outcome barred = made(rotation::bar(read), "an administrator bars the agent's tokens");
    if (barred) barred->units_given = 1;
    return barred;
}

}  // namespace

std::vector<Decision> decisions(const World& world, Weather weather, bool has_session) {
    const Row& row = world.row;
    const Budget& left = world.left;
    const bool storm = weather == Weather::storm;
    std::vector<Decision> all;
    const auto may = [&all](bool possible, Event event, Token token = {}) {
        if (possible) all.push_back({event, token});
    };
    may(has_session && row.pending.exists() && !world.network.has(Message::offer, row.pending),
        Event::offer);
    may(storm && row.pending.exists() && world.network.has(Message::offer, row.pending),
        Event::time_out, row.pending);
    may(row.previous.exists(), Event::retire);
    // In the calm, what was minted already has to come to its end by itself.
    may(storm && row.wish == Wish::none && left.rotations_left() > 0, Event::mint);
    // An agent or a server that went back waits for the next scheduled rotation, to be of one mind.
    may(!storm && has_session && law_gives_way(world) && !is_settled(world) &&
            row.next_generation <= kNewestGeneration,
        Event::mint);
    may(has_session && row.wish != Wish::none && (!storm || left.rotations_left() > 0),
        Event::wish_fulfilled);
    may(storm && left.rotations_left() > 0 && left.allows(Misfortune::emergency), Event::emergency);
    for (const Event event : {Event::wish, Event::wish_at_once})
        may(storm && left.allows(Misfortune::wish), event);
    may(storm && row.wish != Wish::none, Event::cancel_wish);
    may(storm && left.allows(Misfortune::suspension), Event::suspend);
    may(row.status == AgentStatus::suspended, Event::reactivate);
    may(storm && left.allows(Misfortune::revoke), Event::revoke);
    may(storm && left.allows(Misfortune::bar), Event::bar);
    world.network.sent(Message::complete).for_each([&](Token token) {
        may(true, Event::promote, token);
    });
    world.network.sent(Message::failed).for_each([&](Token token) {
        may(storm, Event::hear_failed, token);
    });
    world.network.sent(Message::activated).for_each([&](Token token) {
        may(true, Event::hear_activated, token);
    });
    for (const Stale& said : world.stale)
        if (said.token.exists()) all.push_back({Event::hear_stale, said.token, said.newest_held});
    for (const RecoveryAsk& ask : world.asked)
        if (ask.newest_held != 0)
            all.push_back({Event::recovery_mints, ask.shown, ask.newest_held, ask.next_generation});
    return all;
}

std::optional<Decided> decide(const Rules& rules, const World& world, const Row& as_read,
                              const Decision& decision) {
    switch (decision.event) {
        case Event::mint:
        case Event::wish_fulfilled:
        case Event::emergency:
            return begin(world, as_read, decision.event);
        case Event::offer:
            return offer(as_read);
        case Event::promote:
            return completion(rules, world, as_read, decision.token);
        case Event::time_out:
        case Event::hear_failed:
            return refusal(rules, as_read, decision.event, decision.token);
        case Event::hear_stale:
            return stale(rules, world, as_read, decision);
        case Event::hear_activated:
            return activation(as_read, decision.token);
        case Event::retire:
            return retirement(rules, as_read);
        case Event::recovery_mints:
            return recovery(rules, world, as_read, decision);
        default:
            return administration(rules, as_read, decision.event);
    }
}

void pay(Budget& budget, Event event, Weather weather) {
    if (weather == Weather::calm) return;
    switch (event) {
        case Event::emergency:
            budget.spend(Misfortune::emergency);
            return budget.spend_rotation();
        case Event::mint:
        case Event::wish_fulfilled:
            return budget.spend_rotation();
        case Event::wish:
        case Event::wish_at_once:
            return budget.spend(Misfortune::wish);
        case Event::suspend:
            return budget.spend(Misfortune::suspension);
        case Event::revoke:
            return budget.spend(Misfortune::revoke);
        case Event::bar:
            return budget.spend(Misfortune::bar);
        default:
            return;
    }
}

}  // namespace rekey::model
