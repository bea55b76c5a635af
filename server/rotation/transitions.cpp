#include "server/rotation/transitions.hpp"

#include "base/contract.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"
#include "base/time_format.hpp"
#include "server/rotation/reuse.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rekey::server::rotation {

using storage::AgentStatus;
using storage::CurrentToken;
using storage::PendingToken;
using storage::PreviousToken;

namespace {

constexpr std::string_view kStale = "stale_generation";

Transition unchanged(const Credentials& credentials) { return {.after = credentials}; }

boost::json::value json_text(std::string_view text) { return boost::json::string(text); }

// A row that no token can be minted for, offered to or used with, whatever it holds.
Result<> require_active(const Credentials& credentials) {
    switch (credentials.status) {
        case AgentStatus::active:
            return {};
        case AgentStatus::suspended:
            return Error(Code::agent_suspended, "the agent is suspended");
        case AgentStatus::revoked:
            return Error(Code::agent_revoked, "the agent is revoked");
    }
    return Error(Code::internal, "the agent has no known status");
}

template <class Token>
bool names(const std::optional<Token>& token, std::uint64_t generation,
           std::string_view rotation_id) {
    return token && token->generation == generation && token->rotation_id == rotation_id;
}

template <class Token>
void take(std::optional<Token>& token, std::vector<RetiredToken>& retired) {
    if (!token) return;
    retired.push_back({token->token_hash, token->generation});
    token.reset();
}

bool activated(const Credentials& credentials) {
    return credentials.current &&
           credentials.activated_generation == credentials.current->generation;
}

bool previous_is_due(const Credentials& credentials, Time now) {
    return activated(credentials) && credentials.previous && credentials.previous->retire_after &&
           now >= *credentials.previous->retire_after;
}

// A previous whose successor was never activated has no grace yet, and does not block: the agent
// may have lost that successor, and then only a new minting leads on.
bool in_grace(const Credentials& credentials, Time now) {
    return credentials.previous && credentials.previous->retire_after &&
           now < *credentials.previous->retire_after;
}

bool ignores_grace(RotationCause cause) {
    return cause == RotationCause::emergency || cause == RotationCause::recovery;
}

Milliseconds scaled(Milliseconds duration, double factor) {
    return Milliseconds(
        static_cast<Milliseconds::rep>(static_cast<double>(duration.count()) * factor));
}

// All three fields, for the two acts that end every token an agent holds.
void take_all(Transition& transition) {
    Credentials& after = transition.after;
    if (after.pending) transition.ended_rotation_id = after.pending->rotation_id;
    take(after.previous, transition.retired);
    take(after.current, transition.retired);
    take(after.pending, transition.retired);
    after.rotate_at.reset();
    after.requested.reset();
}

Transition promote(const Credentials& credentials, const Policy& policy, double rotate_at_draw,
                   Time now) {
    Transition transition{.after = credentials, .action = "rotation.promoted"};
    Credentials& after = transition.after;
    take(after.previous, transition.retired);
    if (!transition.retired.empty()) transition.sessions = SessionsAfter::close_retired;
    if (after.current)
        after.previous = PreviousToken{.generation = after.current->generation,
                                       .rotation_id = after.current->rotation_id,
                                       .token_hash = after.current->token_hash,
                                       .expires_at = after.current->expires_at};
    after.current = CurrentToken{.generation = after.pending->generation,
                                 .rotation_id = after.pending->rotation_id,
                                 .token_hash = after.pending->token_hash,
                                 .issued_at = now,
                                 .expires_at = now + policy.token_life};
    after.pending.reset();
    const double span = policy.rotate_at_fraction_max - policy.rotate_at_fraction_min;
    after.rotate_at =
        now + scaled(policy.token_life, policy.rotate_at_fraction_min + span * rotate_at_draw);
    close_settled(after);
    return transition;
}

}  // namespace

Result<std::uint64_t> may_begin(const Credentials& credentials, RotationCause cause, Time now) {
    REKEY_TRY(require_active(credentials));
    if (credentials.pending)
        return Error(Code::wrong_state, "a rotation is under way")
            .with("rotation_id", json_text(credentials.pending->rotation_id));
    if (in_grace(credentials, now) && !ignores_grace(cause))
        return Error(Code::wrong_state, "the grace period of the last rotation is running")
            .with("not_before", json_text(to_rfc3339(*credentials.previous->retire_after)));
    if (credentials.next_generation >= limits::kGenerationCeiling)
        return Error(Code::wrong_state, "the agent has used up its generations: enroll a new one");
    return credentials.next_generation;
}

Transition begin(const Credentials& credentials, const Minted& minted, Time now) {
    REKEY_ASSERT(credentials.status == AgentStatus::active);
    REKEY_ASSERT(!credentials.pending);
    REKEY_ASSERT(minted.generation == credentials.next_generation);
    Transition transition = retire(credentials, now);
    Credentials& after = transition.after;
    transition.action = "rotation.started";
    after.next_generation = minted.generation + 1;
    after.pending = PendingToken{.generation = minted.generation,
                                 .rotation_id = minted.rotation_id,
                                 .token_hash = minted.token_hash,
                                 .sealed_token = minted.sealed_token,
                                 .offered_at = now,
                                 .attempts = 1};
    // Whoever asked for a rotation gets this one.
    after.requested.reset();
    return transition;
}

Transition offer_again(const Credentials& credentials, Time now) {
    Transition transition = unchanged(credentials);
    if (credentials.status != AgentStatus::active || !credentials.pending) return transition;
    transition.action = "rotation.offered";
    transition.after.pending->offered_at = now;
    transition.after.pending->attempts += 1;
    return transition;
}

std::optional<Time> next_offer_at(const Credentials& credentials, const Policy& policy,
                                  double jitter) {
    if (!credentials.pending) return std::nullopt;
    constexpr Milliseconds kCap = limits::kRotationBackoffCap;
    Milliseconds delay = std::min(policy.backoff_unit, kCap);
    for (std::uint32_t attempt = 1; attempt < credentials.pending->attempts && delay < kCap;
         ++attempt)
        delay = std::min(delay * 2, kCap);
    return credentials.pending->offered_at + scaled(delay, 0.5 + jitter / 2);
}

CompletionResult complete(const Credentials& credentials, const Completion& completion,
                          const Policy& policy, double rotate_at_draw, Time now) {
    using enum CompletionVerdict;
    if (names(credentials.current, completion.generation, completion.rotation_id))
        return {duplicate, unchanged(credentials)};
    if (!names(credentials.pending, completion.generation, completion.rotation_id))
        return {unrelated, unchanged(credentials)};
    if (completion.proof == ProofCheck::wrong) return {wrong_proof, unchanged(credentials)};
    return {promoted, promote(credentials, policy, rotate_at_draw, now)};
}

Transition refuse(const Credentials& credentials, const Refusal& refusal) {
    Transition transition = unchanged(credentials);
    Credentials& after = transition.after;
    if (!after.pending || after.pending->rotation_id != refusal.rotation_id) return transition;
    after.pending->last_reason = refusal.reason;
    transition.action = "rotation.refused";
    const bool passed = refusal.reason == kStale && refusal.newest_held &&
                        *refusal.newest_held >= after.pending->generation;
    if (!passed) return transition;
    // Compared without an addition: newest_held is whatever the peer says.
    if (*refusal.newest_held >= after.next_generation &&
        *refusal.newest_held - after.next_generation >= limits::kGenerationRaise) {
        transition.action = "rotation.raise_refused";
        return transition;
    }
    // The agent cannot have saved this token, so its hash need not be remembered either.
    after.next_generation = std::max(after.next_generation, *refusal.newest_held + 1);
    transition.ended_rotation_id = after.pending->rotation_id;
    after.pending.reset();
    transition.action = "rotation.replaced";
    return transition;
}

Transition begin_instead(const Credentials& credentials, const storage::PendingToken& replaced,
                         const Minted& minted, Time now) {
    Transition transition = begin(credentials, minted, now);
    storage::PendingToken& pending = *transition.after.pending;
    const bool waits = replaced.last_reason == kStale;
    pending.attempts = waits ? replaced.attempts : replaced.attempts + 1;
    pending.last_reason = kStale;
    return transition;
}

const storage::PendingToken* alarm_due(const Credentials& credentials,
                                       std::string_view rotation_id) {
    if (!credentials.pending || credentials.pending->rotation_id != rotation_id) return nullptr;
    const storage::PendingToken& pending = *credentials.pending;
    return pending.attempts < limits::kAlarmAfterAttempts ? nullptr : &pending;
}

Transition activate(const Credentials& credentials, std::uint64_t generation,
                    std::string_view rotation_id, const Policy& policy, Time now) {
    Transition transition = unchanged(credentials);
    if (!names(credentials.current, generation, rotation_id) || activated(credentials))
        return transition;
    transition.action = "rotation.activated";
    transition.after.activated_generation = generation;
    if (transition.after.previous) transition.after.previous->retire_after = now + policy.grace;
    return transition;
}

Transition retire(const Credentials& credentials, Time now) {
    Transition transition = unchanged(credentials);
    if (!previous_is_due(credentials, now)) return transition;
    transition.action = "rotation.retired";
    take(transition.after.previous, transition.retired);
    transition.sessions = SessionsAfter::close_retired;
    close_settled(transition.after);
    return transition;
}

Result<Transition> suspend(const Credentials& credentials) {
    if (credentials.status != AgentStatus::active)
        return Error(Code::wrong_state, "only an active agent can be suspended");
    Transition transition{.after = credentials, .action = "agent.suspended"};
    transition.after.status = AgentStatus::suspended;
    transition.after.epoch += 1;
    transition.sessions = SessionsAfter::close_suspended;
    return transition;
}

Result<Transition> reactivate(const Credentials& credentials) {
    if (credentials.status != AgentStatus::suspended)
        return Error(Code::wrong_state, "only a suspended agent can be reactivated");
    Transition transition{.after = credentials, .action = "agent.reactivated"};
    transition.after.status = AgentStatus::active;
    forgive(transition.after);
    return transition;
}

Result<Transition> revoke(const Credentials& credentials) {
    if (credentials.status == AgentStatus::revoked)
        return Error(Code::wrong_state, "the agent is revoked already");
    Transition transition{.after = credentials, .action = "agent.revoked"};
    take_all(transition);
    transition.after.status = AgentStatus::revoked;
    transition.after.epoch += 1;
    transition.sessions = SessionsAfter::close_revoked;
    return transition;
}

Result<Transition> enroll(const Credentials& credentials) {
    REKEY_TRY(require_active(credentials));
    Transition transition{.after = credentials, .action = "agent.enrolled"};
    take_all(transition);
    // A first enrollment follows nothing that could be void now.
    if (transition.retired.empty()) return transition;
    end_evidence(transition.after);
    transition.after.epoch += 1;
    transition.sessions = SessionsAfter::close_retired;
    return transition;
}

Result<Transition> request(const Credentials& credentials, const storage::RotationRequest& wish) {
    REKEY_TRY(may_begin(credentials, wish.cause, wish.requested_at));
    Transition transition = unchanged(credentials);
    // An emergency replaces a wish that would still wait for the grace; any other second wish is
    // the first one again.
    const bool replaces =
        !credentials.requested || (wish.cause == RotationCause::emergency &&
                                   credentials.requested->cause != RotationCause::emergency);
    if (!replaces) return transition;
    transition.action = "rotation.requested";
    transition.after.requested = wish;
    return transition;
}

Result<Transition> cancel_request(const Credentials& credentials) {
    if (!credentials.requested) {
        Error error(Code::wrong_state, "no rotation waits for the agent's next connect");
        if (!credentials.pending) return error;
        return std::move(error).with("rotation_id", json_text(credentials.pending->rotation_id));
    }
    Transition transition{.after = credentials, .action = "rotation.request_cancelled"};
    transition.after.requested.reset();
    return transition;
}

std::optional<RotationCause> due(const Credentials& credentials, Time now) {
    // Before the first connect there is nothing to rotate.
    if (!credentials.current) return std::nullopt;
    std::optional<RotationCause> cause;
    if (credentials.requested)
        cause = credentials.requested->cause;
    else if (!credentials.current->expires_at || !credentials.rotate_at ||
             now >= *credentials.rotate_at)
        cause = RotationCause::schedule;
    if (cause && may_begin(credentials, *cause, now).has_error()) return std::nullopt;
    return cause;
}

Result<Accepted> authenticate(const Credentials& credentials, const Bytes32& token_hash,
                              TombstoneMatch tombstone, Time now) {
    std::optional<Accepted> found;
    std::optional<Time> expires_at;
    // Every slot is compared, so that the time taken does not tell which one matched.
    const auto look = [&](TokenSlot slot, const auto& token) {
        if (!token || !equal_in_constant_time(token->token_hash, token_hash)) return;
        found = Accepted{slot, token->generation, token->rotation_id};
        if constexpr (requires { token->expires_at; }) expires_at = token->expires_at;
    };
    look(TokenSlot::current, credentials.current);
    look(TokenSlot::pending, credentials.pending);
    look(TokenSlot::previous, credentials.previous);

    Error unknown(Code::unknown_credential, "no such credential");
    if (!found && tombstone == TombstoneMatch::no) return unknown;
    REKEY_TRY(require_active(credentials));
    if (!found) return unknown;
    if (expires_at && now >= *expires_at) return Error(Code::token_expired, "the token is expired");
    return *std::move(found);
}

bool commit_outstanding(const Credentials& credentials) {
    return credentials.current && !activated(credentials);
}

std::vector<Bytes32> accepted_hashes(const Credentials& credentials) {
    std::vector<Bytes32> hashes;
    if (credentials.current) hashes.push_back(credentials.current->token_hash);
    if (credentials.pending) hashes.push_back(credentials.pending->token_hash);
    if (credentials.previous) hashes.push_back(credentials.previous->token_hash);
    return hashes;
}

}  // namespace rekey::server::rotation
