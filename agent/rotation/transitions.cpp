#include "agent/rotation/transitions.hpp"

#include <algorithm>

namespace rekey::agent::rotation {

namespace {

bool is_candidate(const HeldToken& token) { return token.state == TokenState::candidate; }

const HeldToken* find(const HeldTokens& held, std::string_view rotation_id) {
    const auto found = std::ranges::find(held, rotation_id, &HeldToken::rotation_id);
    return found == held.end() ? nullptr : &*found;
}

const HeldToken* find(const HeldTokens& held, std::uint64_t generation,
                      std::string_view rotation_id) {
    const HeldToken* token = find(held, rotation_id);
    return token && token->generation == generation ? token : nullptr;
}

const HeldToken* candidate_of(const HeldTokens& held) {
    const auto found = std::ranges::find_if(held, is_candidate);
    return found == held.end() ? nullptr : &*found;
}

// Ascending generations: the last confirmed one is the newest.
const HeldToken* newest_confirmed(const HeldTokens& held) {
    const auto found = std::find_if_not(held.rbegin(), held.rend(), is_candidate);
    return found == held.rend() ? nullptr : &*found;
}

std::uint64_t newest_generation(const HeldTokens& held) {
    return held.empty() ? 0 : held.back().generation;
}

bool contains(const std::vector<std::string>& names, std::string_view rotation_id) {
    return std::ranges::find(names, rotation_id) != names.end();
}

HeldTokens with_confirmed(HeldTokens held, std::string_view rotation_id) {
    for (HeldToken& token : held)
        if (token.rotation_id == rotation_id) token.state = TokenState::confirmed;
    return held;
}

}  // namespace

std::string_view to_string(FailureReason reason) {
    switch (reason) {
        case FailureReason::disk_full:
            return "disk_full";
        case FailureReason::read_only:
            return "read_only";
        case FailureReason::readback_differs:
            return "readback_differs";
        case FailureReason::candidate_unresolved:
            return "candidate_unresolved";
        case FailureReason::stale_generation:
            return "stale_generation";
        case FailureReason::other:
            break;
    }
    return "other";
}

OfferDecision on_offer(const HeldTokens& held, const Offer& offer) {
    if (const HeldToken* same = find(held, offer.rotation_id)) {
        // One rotation names one token: another one under its name is not ours to guess about.
        if (same->generation != offer.generation || same->token != offer.token)
            return RefuseOffer{.reason = FailureReason::other};
        // That a candidate stands in the file does not say that it would survive a power loss: its
        // write may have ended after the rename. It is written again before anything is proven.
        if (is_candidate(*same)) return WriteCandidate{held};
        return AnswerComplete{offer.rotation_id};
    }
    const HeldToken* confirmed = newest_confirmed(held);
    const HeldToken* candidate = candidate_of(held);
    const bool stale = (confirmed && offer.generation <= confirmed->generation) ||
                       (candidate && offer.generation == candidate->generation);
    if (stale)
        return RefuseOffer{.reason = FailureReason::stale_generation,
                           .newest_held = newest_generation(held)};
    // Rule A: the server may have promoted the candidate, and it may be all that is accepted soon.
    if (candidate)
        return RefuseOffer{.reason = FailureReason::candidate_unresolved,
                           .then = ThenDo::reconnect};
    WriteCandidate write;
    if (confirmed) write.next.push_back(*confirmed);
    write.next.push_back({offer.generation, offer.rotation_id, offer.token, TokenState::candidate});
    return write;
}

HeldTokens after_write(const HeldTokens& before, const HeldTokens& next, WriteOutcome outcome) {
    switch (outcome) {
        case WriteOutcome::durable:
            return next;
        case WriteOutcome::failed_before_rename:
            return before;
        case WriteOutcome::failed_after_rename:
            break;
    }
    // An offer's write brings its own candidate. What stands confirmed beside it was confirmed
    // before, or its confirmation came from the server's own word (on_recovered): the agent keeps a
    // confirmed token (I9), and one candidate.
    if (candidate_of(next) != nullptr) return next;
    // Rule B: a confirmation that may not last is none yet, so that the next commit writes it
    // again.
    HeldTokens held = next;
    for (HeldToken& token : held) {
        const HeldToken* earlier = find(before, token.rotation_id);
        if (earlier && is_candidate(*earlier)) token.state = TokenState::candidate;
    }
    return held;
}

CommitDecision on_commit(const HeldTokens& held, std::uint64_t generation,
                         std::string_view rotation_id) {
    const HeldToken* token = find(held, generation, rotation_id);
    if (!token) return NotHeld{};
    if (!is_candidate(*token)) return AnswerActivated{};
    return ConfirmThenAnswer{with_confirmed(held, rotation_id)};
}

std::optional<HeldTokens> on_welcome(const HeldTokens& held, std::uint64_t generation,
                                     std::string_view rotation_id) {
    const HeldToken* token = find(held, generation, rotation_id);
    if (!token || !is_candidate(*token)) return std::nullopt;
    return with_confirmed(held, rotation_id);
}

const HeldToken* next_credential(const HeldTokens& held, const std::vector<std::string>& refused) {
    const auto try_it = [&refused](const HeldToken& token) {
        return !contains(refused, token.rotation_id);
    };
    if (const HeldToken* candidate = candidate_of(held); candidate && try_it(*candidate))
        return candidate;
    for (auto token = held.rbegin(); token != held.rend(); ++token)
        if (!is_candidate(*token) && try_it(*token)) return &*token;
    return nullptr;
}

std::optional<HeldTokens> on_unknown_credential(const HeldTokens& held,
                                                std::string_view rotation_id) {
    const HeldToken* token = find(held, rotation_id);
    if (!token || !is_candidate(*token)) return std::nullopt;
    HeldTokens next;
    std::ranges::remove_copy_if(held, std::back_inserter(next), is_candidate);
    return next;
}

std::optional<HeldTokens> on_token_expired(const HeldTokens& held, std::string_view rotation_id) {
    const HeldToken* token = find(held, rotation_id);
    if (!token || !is_candidate(*token)) return std::nullopt;
    return with_confirmed(held, rotation_id);
}

std::optional<RecoveryRequest> recovery_due(const HeldTokens& held, const Refusals& refusals) {
    const HeldToken* expired_token = nullptr;
    bool all_unknown = true;
    for (const HeldToken& token : held) {
        const bool unknown = contains(refusals.unknown, token.rotation_id);
        const bool expired = contains(refusals.expired, token.rotation_id);
        if (is_candidate(token) && !unknown && !expired) return std::nullopt;
        if (expired) expired_token = &token;
        all_unknown = all_unknown && unknown;
    }
    if (!all_unknown && expired_token == nullptr) return std::nullopt;
    const HeldToken* newest = held.empty() ? nullptr : &held.back();
    return RecoveryRequest{newest_generation(held), expired_token ? expired_token : newest};
}

OfferDecision on_recovered(const HeldTokens& held, const Refusals& refusals, const Offer& offer) {
    if (find(held, offer.rotation_id)) return on_offer(held, offer);
    HeldTokens resolved = held;
    if (const HeldToken* candidate = candidate_of(held)) {
        // The server has judged it: unknown, or promoted and expired since.
        if (contains(refusals.unknown, candidate->rotation_id))
            resolved = *on_unknown_credential(held, candidate->rotation_id);
        else if (contains(refusals.expired, candidate->rotation_id))
            resolved = *on_token_expired(held, candidate->rotation_id);
    }
    return on_offer(resolved, offer);
}

HeldTokens on_enrolled(const Offer& first) {
    return {{first.generation, first.rotation_id, first.token, TokenState::confirmed}};
}

}  // namespace rekey::agent::rotation
