#pragma once

#include "agent/rotation/transitions.hpp"
#include "server/rotation/recover.hpp"
#include "server/rotation/reuse.hpp"
#include "server/rotation/transitions.hpp"

#include <optional>
#include <string>
#include <vector>

// What the search drives: the production transitions of both sides, and the few duties that the
// daemons have around them. A mutant (mutants.hpp) overrides one or two of these, so that we see
// the search fail.
namespace rekey::model {

using storage::Credentials;

class Rules {
  public:
    Rules() = default;
    Rules(const Rules&) = delete;
    Rules& operator=(const Rules&) = delete;
    virtual ~Rules() = default;

    // ---- the server's transitions
    [[nodiscard]] virtual server::rotation::CompletionResult complete(
        const Credentials& row, const server::rotation::Completion& completion,
        const server::rotation::Policy& policy, Time now) const {
        return server::rotation::complete(row, completion, policy, 0, now);
    }
    [[nodiscard]] virtual server::rotation::Transition refuse(
        const Credentials& row, const server::rotation::Refusal& refusal) const {
        return server::rotation::refuse(row, refusal);
    }
    [[nodiscard]] virtual server::rotation::Transition retire(const Credentials& row,
                                                              Time now) const {
        return server::rotation::retire(row, now);
    }
    [[nodiscard]] virtual Result<server::rotation::Transition> revoke(
        const Credentials& row) const {
        return server::rotation::revoke(row);
    }
    [[nodiscard]] virtual bool commit_outstanding(const Credentials& row) const {
        return server::rotation::commit_outstanding(row);
    }
    // A connect that is let in: one with the pending token proves that the agent holds it.
    [[nodiscard]] virtual server::rotation::Transition on_let_in(
        const Credentials& row, const server::rotation::Accepted& accepted,
        const server::rotation::Policy& policy, Time now) const {
        if (accepted.slot != server::rotation::TokenSlot::pending) return {.after = row};
        return complete(
                   row,
                   {accepted.generation, accepted.rotation_id, server::rotation::ProofCheck::valid},
                   policy, now)
            .transition;
    }

    [[nodiscard]] virtual Result<server::rotation::RecoveryPlan> plan_recovery(
        const Credentials& row, const server::rotation::RecoveryClaim& claim,
        const server::rotation::RecoveryTerms& terms, Time now) const {
        return server::rotation::plan_recovery(row, claim, terms, now);
    }
    [[nodiscard]] virtual server::rotation::Transition recover(
        const Credentials& row, const server::rotation::RecoveryPlan& plan,
        const server::rotation::Minted& minted, Time now) const {
        return server::rotation::recover(row, plan, minted, now);
    }

    [[nodiscard]] virtual server::rotation::ReuseVerdict judge_reuse(
        const Credentials& row, const server::rotation::ShownToken& shown) const {
        return server::rotation::judge_reuse(row, shown);
    }

    // ---- the server's duties
    // A challenge to recover is outdated by any minting.
    [[nodiscard]] virtual bool outdates_challenges() const { return true; }
    // A revoke stands in a file outside the database, which every start merges.
    [[nodiscard]] virtual bool keeps_revocations_outside() const { return true; }
    // I4: a connect registers its session, and then reads the row again.
    [[nodiscard]] virtual bool reads_the_row_again() const { return true; }
    // I14: a write whose row has moved since it was read is refused, and reads again.
    [[nodiscard]] virtual bool compares_and_swaps() const { return true; }

    // ---- the agent's transitions
    [[nodiscard]] virtual agent::rotation::OfferDecision on_offer(
        const agent::rotation::HeldTokens& held, const agent::rotation::Offer& offer) const {
        return agent::rotation::on_offer(held, offer);
    }
    [[nodiscard]] virtual agent::rotation::CommitDecision on_commit(
        const agent::rotation::HeldTokens& held, std::uint64_t generation,
        std::string_view rotation_id) const {
        return agent::rotation::on_commit(held, generation, rotation_id);
    }
    [[nodiscard]] virtual const agent::rotation::HeldToken* next_credential(
        const agent::rotation::HeldTokens& held, const std::vector<std::string>& refused) const {
        return agent::rotation::next_credential(held, refused);
    }

    [[nodiscard]] virtual agent::rotation::OfferDecision on_recovered(
        const agent::rotation::HeldTokens& held, const agent::rotation::Refusals& refusals,
        const agent::rotation::Offer& offer) const {
        return agent::rotation::on_recovered(held, refusals, offer);
    }

    // ---- the agent's duties
    // What a connect that was not answered changes: nothing (I10).
    [[nodiscard]] virtual std::optional<agent::rotation::HeldTokens> on_network_error(
        const agent::rotation::HeldTokens& /*held*/) const {
        return std::nullopt;
    }
    // A5: what a start finds in the file is made durable before anything is said about it.
    [[nodiscard]] virtual bool syncs_at_start() const { return true; }
    // A candidate that a power loss could take back opens no connection.
    [[nodiscard]] virtual bool syncs_before_connect() const { return true; }
};

}  // namespace rekey::model
