#include "tests/model/mutants.hpp"

#include <utility>

namespace rekey::model {

using namespace agent::rotation;
using server::rotation::Completion;
using server::rotation::CompletionResult;
using server::rotation::Policy;
using server::rotation::Refusal;
using server::rotation::Transition;

namespace {

HeldTokens instead_of_the_candidate(HeldTokens held, const Offer& offer) {
    std::erase_if(held,
                  [](const HeldToken& token) { return token.state == TokenState::candidate; });
    held.push_back({offer.generation, offer.rotation_id, offer.token, TokenState::candidate});
    return held;
}

// S5: "the agent said failed, so the token is free again".
class WithdrawsRefused : public Rules {
  public:
    Transition refuse(const Credentials& row, const Refusal& refusal) const override {
        Transition transition = Rules::refuse(row, refusal);
        if (transition.changed()) transition.after.pending.reset();
        return transition;
    }
};

// ... and the agent has room for one token: "the new one replaces the old one".
class HoldsOneToken : public WithdrawsRefused {
  public:
    OfferDecision on_offer(const HeldTokens& held, const Offer& offer) const override {
        if (offer.generation <= held.back().generation) return Rules::on_offer(held, offer);
        return WriteCandidate{
            {{offer.generation, offer.rotation_id, offer.token, TokenState::confirmed}}};
    }
};

// Rule A: "the newer offer wins".
class WithoutRuleA : public Rules {
  public:
    OfferDecision on_offer(const HeldTokens& held, const Offer& offer) const override {
        OfferDecision decision = Rules::on_offer(held, offer);
        const auto* refusal = std::get_if<RefuseOffer>(&decision);
        if (refusal == nullptr || refusal->reason != FailureReason::candidate_unresolved)
            return decision;
        return WriteCandidate{instead_of_the_candidate(held, offer)};
    }
};

// ... and Rule B: activated before the confirmation is durable.
class NeitherRuleANorRuleB : public WithoutRuleA {
  public:
    CommitDecision on_commit(const HeldTokens& held, std::uint64_t generation,
                             std::string_view rotation_id) const override {
        CommitDecision decision = Rules::on_commit(held, generation, rotation_id);
        if (std::holds_alternative<ConfirmThenAnswer>(decision)) return AnswerActivated{};
        return decision;
    }
};

// One-phase: what was promoted is in use, so the predecessor goes at once. Rule A alone would still
// save it.
class DropsPreviousAtPromotion : public WithoutRuleA {
  public:
    CompletionResult complete(const Credentials& row, const Completion& completion,
                              const Policy& policy, Time now) const override {
        CompletionResult result = Rules::complete(row, completion, policy, now);
        Credentials& after = result.transition.after;
        if (!result.transition.changed() || !after.previous) return result;
        result.transition.retired.push_back(
            {after.previous->token_hash, after.previous->generation});
        after.previous.reset();
        return result;
    }
};

class SendsCommitOnce : public Rules {
  public:
    bool commit_outstanding(const Credentials& /*row*/) const override { return false; }
};

class RevokesCurrentOnly : public Rules {
  public:
    Result<Transition> revoke(const Credentials& row) const override {
        Result<Transition> transition = Rules::revoke(row);
        if (transition) transition->after.pending = row.pending;
        return transition;
    }
};

// "The newest token did not work, so the next one": also after a mere network error.
class TriesAnyToken : public Rules {
  public:
    const HeldToken* next_credential(const HeldTokens& held,
                                     const std::vector<std::string>& /*refused*/) const override {
        return &held.front();
    }
};

class CountsDelayedConnects : public Rules {
  public:
    bool forgives_delayed_connects() const override { return false; }
};

// "It stands in the file, so it is saved."
class ProvesWithoutWriting : public Rules {
  public:
    OfferDecision on_offer(const HeldTokens& held, const Offer& offer) const override {
        OfferDecision decision = Rules::on_offer(held, offer);
        const auto* write = std::get_if<WriteCandidate>(&decision);
        if (write != nullptr && write->next == held) return AnswerComplete{offer.rotation_id};
        return decision;
    }
};

class ConnectsWithoutSync : public Rules {
  public:
    bool syncs_before_connect() const override { return false; }
};

class StartsWithoutSync : public Rules {
  public:
    bool syncs_at_start() const override { return false; }
};

}  // namespace

std::vector<Mutant> mutants() {
    std::vector<Mutant> all;
    const auto add = [&all](std::string_view what, std::unique_ptr<Rules> rules,
                            const Bounds& bounds, std::string_view breaks) {
        all.push_back({what, std::move(rules), bounds, breaks});
    };
    constexpr Bounds kPlain{.rotations = 3};
    constexpr Bounds kRevoke{.rotations = 2, .budget = {.revokes = 1}};
    constexpr Bounds kDelays{.rotations = 2, .delayed_connects = 2};
    constexpr Bounds kPowerLoss{.rotations = 3, .budget = {.power_losses = 2}};
    add("the server withdraws a refused token", std::make_unique<WithdrawsRefused>(), kPlain,
        "S5:");
    add("... and the agent holds one token", std::make_unique<HoldsOneToken>(), kPlain, "L:");
    add("the agent holds one token", std::make_unique<HoldsOneToken>(), kPlain, "I10:");
    add("without Rule A", std::make_unique<WithoutRuleA>(), kPlain, "L:");
    add("neither Rule A nor Rule B", std::make_unique<NeitherRuleANorRuleB>(), kPlain, "L:");
    add("the predecessor goes at the promotion", std::make_unique<DropsPreviousAtPromotion>(),
        kPlain, "L:");
    add("commit is sent once", std::make_unique<SendsCommitOnce>(), kPlain, "I7:");
    add("a revoke leaves the pending token", std::make_unique<RevokesCurrentOnly>(), kRevoke,
        "I4:");
    add("the next token is tried after a network error", std::make_unique<TriesAnyToken>(), kPlain,
        "I18:");
    add("a delayed connect counts as reuse", std::make_unique<CountsDelayedConnects>(), kDelays,
        "I18:");
    add("a candidate is proven without another write", std::make_unique<ProvesWithoutWriting>(),
        kPowerLoss, "L:");
    add("a connect with a candidate that is not synced", std::make_unique<ConnectsWithoutSync>(),
        kPowerLoss, "L:");
    add("a start without a sync", std::make_unique<StartsWithoutSync>(), kPowerLoss, "I18:");
    return all;
}

}  // namespace rekey::model
