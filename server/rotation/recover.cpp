#include "server/rotation/recover.hpp"

#include "base/contract.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"
#include "server/rotation/reuse.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rekey::server::rotation {

using storage::AgentStatus;

namespace {

Result<> require_active(const Credentials& credentials) {
    if (credentials.status == AgentStatus::revoked)
        return Error(Code::agent_revoked, "the agent is revoked");
    if (credentials.status == AgentStatus::suspended)
        return Error(Code::agent_suspended, "the agent is suspended");
    return {};
}

template <class Token>
bool shows(const RecoveryClaim& claim, const std::optional<Token>& token) {
    return token && claim.token_hash &&
           equal_in_constant_time(token->token_hash, *claim.token_hash);
}

template <class Token>
bool expired(const std::optional<Token>& token, Time now) {
    return token && token->expires_at && now >= *token->expires_at;
}

// It would have to refuse the pending token for ever, as a generation that it is past, or holds
// under another rotation. At the same generation it may also be the pending token that it holds: an
// agent that shows none gets the benefit of the doubt.
bool cannot_take_pending(const Credentials& credentials, const RecoveryClaim& claim) {
    const std::uint64_t pending = credentials.pending->generation;
    if (claim.newest_held != pending) return claim.newest_held > pending;
    return claim.token_hash && !shows(claim, credentials.pending);
}

Result<std::uint64_t> generation_above(const Credentials& credentials, std::uint64_t newest_held) {
    const std::uint64_t next = credentials.next_generation;
    // Compared without an addition: newest_held is whatever the peer says.
    if (newest_held >= next && newest_held - next >= limits::kGenerationRaise)
        return Error(Code::wrong_state,
                     "newest_held is further above what the server knows than a restored backup "
                     "explains: ask an admin for a new enrollment code");
    const std::uint64_t generation = newest_held >= next ? newest_held + 1 : next;
    if (generation >= limits::kGenerationCeiling)
        return Error(Code::wrong_state, "the agent has used up its generations: enroll a new one");
    return generation;
}

Error budget_spent(const RecoveryTerms& terms, Time now) {
    Error error(Code::rate_limited,
                "the recovery budget of this agent is spent; an admin can raise it once "
                "(rekeyctl agents recover)");
    if (!terms.frees_at) return error;
    const auto left = std::chrono::ceil<std::chrono::seconds>(*terms.frees_at - now);
    return std::move(error).with_retry_after(std::max(left, std::chrono::seconds(1)));
}

Result<RecoveryCost> cost_of(const Credentials& credentials, const RecoveryClaim& claim,
                             const RecoveryTerms& terms, Time now) {
    const bool replaces = credentials.pending.has_value();
    const bool merely_expired =
        (shows(claim, credentials.current) && expired(credentials.current, now)) ||
        (shows(claim, credentials.previous) && expired(credentials.previous, now));
    if (terms.expired_tokens == ExpiredTokens::reject && expired(credentials.current, now)) {
        if (terms.units_granted > 0) return RecoveryCost::grant;
        return Error(Code::token_expired,
                     "the token expired, and this server's expired_token_policy leaves it to an "
                     "admin (rekeyctl agents recover)");
    }
    // A replacement is never free, or an expired token could mint without an end.
    if (merely_expired && !replaces) return RecoveryCost::nothing;
    if (terms.units_left > 0) return RecoveryCost::budget;
    if (terms.units_granted > 0) return RecoveryCost::grant;
    return budget_spent(terms, now);
}

}  // namespace

Result<RecoveryPlan> plan_recovery(const Credentials& credentials, const RecoveryClaim& claim,
                                   const RecoveryTerms& terms, Time now) {
    REKEY_TRY(require_active(credentials));
    if (credentials.pending && !cannot_take_pending(credentials, claim))
        return RecoveryPlan{RecoveryStep::hand_out_pending, RecoveryCost::nothing,
                            credentials.pending->generation};
    REKEY_TRY_ASSIGN(generation, generation_above(credentials, claim.newest_held));
    REKEY_TRY_ASSIGN(cost, cost_of(credentials, claim, terms, now));
    return RecoveryPlan{RecoveryStep::mint, cost, generation};
}

Transition recover(const Credentials& credentials, const RecoveryPlan& plan, const Minted& minted,
                   Time now) {
    REKEY_ASSERT(plan.step == RecoveryStep::mint);
    REKEY_ASSERT(plan.generation >= credentials.next_generation);
    Credentials ready = credentials;
    ready.next_generation = plan.generation;
    // Its hash need not be remembered: the agent cannot have saved it.
    ready.pending.reset();
    Transition transition = begin(ready, minted, now);
    transition.action = "recovery.minted";
    if (credentials.pending) transition.ended_rotation_id = credentials.pending->rotation_id;
    answer_sightings(transition.after, RotationCause::recovery);
    return transition;
}

Result<Transition> bar(const Credentials& credentials) {
    // What an enrollment does to the tokens before it, for whoever is not revoked.
    Credentials as_active = credentials;
    if (as_active.status == AgentStatus::suspended) as_active.status = AgentStatus::active;
    REKEY_TRY_ASSIGN(transition, enroll(as_active));
    transition.action = "agent.barred";
    transition.after.status = credentials.status;
    // Once, also if there was no token to retire.
    transition.after.epoch = credentials.epoch + 1;
    return transition;
}

}  // namespace rekey::server::rotation
