#pragma once

#include "tests/model/rules.hpp"

#include <algorithm>
#include <utility>

// Rules that are wrong in one way each, taken from designs that look right. Each is put on top of
// others: WithoutRuleB<WithoutRuleA<Rules>> is production without both.
namespace rekey::model {

// ---- the server

// S5: "the agent said failed, so the token is free again".
template <class Base>
class WithdrawsRefused : public Base {
  public:
    server::rotation::Transition refuse(const Credentials& row,
                                        const server::rotation::Refusal& refusal) const override {
        auto transition = Base::refuse(row, refusal);
        if (transition.changed() && refusal.reason != "timeout") transition.after.pending.reset();
        return transition;
    }
};

// S5: "it did not answer in time, so it never got it".
template <class Base>
class CancelsAfterTimeOut : public Base {
  public:
    server::rotation::Transition refuse(const Credentials& row,
                                        const server::rotation::Refusal& refusal) const override {
        auto transition = Base::refuse(row, refusal);
        if (transition.changed() && refusal.reason == "timeout") transition.after.pending.reset();
        return transition;
    }
};

// ... "and who shows it later is a thief".
template <class Base>
class BuriesWithdrawn : public Base {
  public:
    server::rotation::Transition refuse(const Credentials& row,
                                        const server::rotation::Refusal& refusal) const override {
        auto transition = Base::refuse(row, refusal);
        if (row.pending && !transition.after.pending)
            transition.retired.push_back({row.pending->token_hash, row.pending->generation});
        return transition;
    }
};

// S3: "what was promoted is in use, so the predecessor goes at once".
template <class Base>
class DropsPreviousAtPromotion : public Base {
  public:
    server::rotation::CompletionResult complete(const Credentials& row,
                                                const server::rotation::Completion& completion,
                                                const server::rotation::Policy& policy,
                                                Time now) const override {
        auto result = Base::complete(row, completion, policy, now);
        Credentials& after = result.transition.after;
        if (!result.transition.changed() || !after.previous) return result;
        result.transition.retired.push_back(
            {after.previous->token_hash, after.previous->generation});
        after.previous.reset();
        return result;
    }
};

// S7: "the grace begins with the promotion".
template <class Base>
class RetiresByTimer : public Base {
  public:
    server::rotation::Transition retire(const Credentials& row, Time /*now*/) const override {
        server::rotation::Transition transition{.after = row};
        if (!row.previous) return transition;
        transition.action = "rotation.retired";
        transition.retired.push_back({row.previous->token_hash, row.previous->generation});
        transition.after.previous.reset();
        return transition;
    }
};

// S6: "it connects with the new token, so it has saved it".
template <class Base>
class ActivatesAtFirstUse : public Base {
  public:
    server::rotation::Transition on_let_in(const Credentials& row,
                                           const server::rotation::Accepted& accepted,
                                           const server::rotation::Policy& policy,
                                           Time now) const override {
        auto transition = Base::on_let_in(row, accepted, policy, now);
        auto activated = server::rotation::activate(transition.after, accepted.generation,
                                                    accepted.rotation_id, policy, now);
        if (!activated.changed()) return transition;
        activated.retired = std::move(transition.retired);
        return activated;
    }
};

// S6: "the commit was sent".
template <class Base>
class SendsCommitOnce : public Base {
  public:
    bool commit_outstanding(const Credentials& /*row*/) const override { return false; }
};

// S8: "the token is revoked", and the one that is under way is not.
template <class Base>
class RevokesCurrentOnly : public Base {
  public:
    Result<server::rotation::Transition> revoke(const Credentials& row) const override {
        auto transition = Base::revoke(row);
        if (transition) transition->after.pending = row.pending;
        return transition;
    }
};

// I4: "the row was read a moment ago".
template <class Base>
class WelcomesUnread : public Base {
  public:
    bool reads_the_row_again() const override { return false; }
};

// I14: "there is only one writer".
template <class Base>
class LastWriteWins : public Base {
  public:
    bool compares_and_swaps() const override { return false; }
};

// I4: "the database knows".
template <class Base>
class KeepsRevocationsInside : public Base {
  public:
    bool keeps_revocations_outside() const override { return false; }
};

// I18: "a retired token was shown".
template <class Base>
class CountsDelayedConnects : public Base {
  public:
    server::rotation::ReuseVerdict judge_reuse(
        const Credentials& row, const server::rotation::ShownToken& shown) const override {
        auto moved = shown;
        moved.accepted_at = shown.retired_at + Milliseconds{1};
        return Base::judge_reuse(row, moved);
    }
};

// Recovery: "here is your new token, the old ones are void".
template <class Base>
class RecoversIntoCurrent : public Base {
  public:
    server::rotation::Transition recover(const Credentials& row,
                                         const server::rotation::RecoveryPlan& plan,
                                         const server::rotation::Minted& minted,
                                         Time now) const override {
        auto transition = Base::recover(row, plan, minted, now);
        Credentials& after = transition.after;
        for (const auto& old : {row.current ? row.current->token_hash : Bytes32{}})
            if (row.current) transition.retired.push_back({old, row.current->generation});
        if (row.previous)
            transition.retired.push_back({row.previous->token_hash, row.previous->generation});
        after.previous.reset();
        after.current = storage::CurrentToken{.generation = minted.generation,
                                              .rotation_id = minted.rotation_id,
                                              .token_hash = minted.token_hash,
                                              .issued_at = now,
                                              .expires_at = now + std::chrono::hours{1}};
        after.pending.reset();
        return transition;
    }
};

// Recovery: "the next generation is the next generation", whatever the agent holds.
template <class Base>
class RecoversBelowTheNewest : public Base {
  public:
    Result<server::rotation::RecoveryPlan> plan_recovery(
        const Credentials& row, const server::rotation::RecoveryClaim& claim,
        const server::rotation::RecoveryTerms& terms, Time now) const override {
        return Base::plan_recovery(row, {0, claim.token_hash}, terms, now);
    }
};

// Recovery: "every minting costs".
template <class Base>
class ChargesTheExpired : public Base {
  public:
    Result<server::rotation::RecoveryPlan> plan_recovery(
        const Credentials& row, const server::rotation::RecoveryClaim& claim,
        const server::rotation::RecoveryTerms& terms, Time now) const override {
        auto plan = Base::plan_recovery(row, claim, terms, now);
        if (plan.has_error() || plan->step != server::rotation::RecoveryStep::mint) return plan;
        if (terms.units_left == 0) return Error(Code::rate_limited, "the budget is spent");
        plan->cost = server::rotation::RecoveryCost::budget;
        return plan;
    }
};

// ---- the agent

// "The new one replaces the old one."
template <class Base>
class HoldsOneToken : public Base {
  public:
    agent::rotation::OfferDecision on_offer(const agent::rotation::HeldTokens& held,
                                            const agent::rotation::Offer& offer) const override {
        if (offer.generation <= held.back().generation) return Base::on_offer(held, offer);
        return agent::rotation::WriteCandidate{{{offer.generation, offer.rotation_id, offer.token,
                                                 agent::rotation::TokenState::confirmed}}};
    }
};

// Rule A: "the newer offer wins".
template <class Base>
class WithoutRuleA : public Base {
  public:
    agent::rotation::OfferDecision on_offer(const agent::rotation::HeldTokens& held,
                                            const agent::rotation::Offer& offer) const override {
        using namespace agent::rotation;
        OfferDecision decision = Base::on_offer(held, offer);
        const auto* refusal = std::get_if<RefuseOffer>(&decision);
        if (refusal == nullptr || refusal->reason != FailureReason::candidate_unresolved)
            return decision;
        HeldTokens next = held;
        std::erase_if(next,
                      [](const HeldToken& token) { return token.state == TokenState::candidate; });
        next.push_back({offer.generation, offer.rotation_id, offer.token, TokenState::candidate});
        return WriteCandidate{std::move(next)};
    }
};

// Rule B: "activated", and then the write.
template <class Base>
class WithoutRuleB : public Base {
  public:
    agent::rotation::CommitDecision on_commit(const agent::rotation::HeldTokens& held,
                                              std::uint64_t generation,
                                              std::string_view rotation_id) const override {
        auto decision = Base::on_commit(held, generation, rotation_id);
        if (std::holds_alternative<agent::rotation::ConfirmThenAnswer>(decision))
            return agent::rotation::AnswerActivated{};
        return decision;
    }
};

// I10: "the connect with the new token failed, so back to the old one".
template <class Base>
class RevertsAfterNetworkError : public Base {
  public:
    std::optional<agent::rotation::HeldTokens> on_network_error(
        const agent::rotation::HeldTokens& held) const override {
        auto next = held;
        std::erase_if(next, [](const agent::rotation::HeldToken& token) {
            return token.state == agent::rotation::TokenState::candidate;
        });
        if (next == held) return std::nullopt;
        return next;
    }
};

// A4: "the newest token did not work, so the next one": also after a mere network error.
template <class Base>
class TriesAnyToken : public Base {
  public:
    const agent::rotation::HeldToken* next_credential(
        const agent::rotation::HeldTokens& held,
        const std::vector<std::string>& /*refused*/) const override {
        return &held.front();
    }
};

// A1: "it stands in the file, so it is saved".
template <class Base>
class ProvesWithoutWriting : public Base {
  public:
    agent::rotation::OfferDecision on_offer(const agent::rotation::HeldTokens& held,
                                            const agent::rotation::Offer& offer) const override {
        auto decision = Base::on_offer(held, offer);
        const auto* write = std::get_if<agent::rotation::WriteCandidate>(&decision);
        if (write != nullptr && write->next == held)
            return agent::rotation::AnswerComplete{offer.rotation_id};
        return decision;
    }
};

// A4: ... "so it may be used".
template <class Base>
class ConnectsWithoutSync : public Base {
  public:
    bool syncs_before_connect() const override { return false; }
};

// A5: ... "so it is what it was".
template <class Base>
class StartsWithoutSync : public Base {
  public:
    bool syncs_at_start() const override { return false; }
};

}  // namespace rekey::model
