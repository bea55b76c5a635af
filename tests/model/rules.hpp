#pragma once

#include "agent/rotation/transitions.hpp"
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

    [[nodiscard]] virtual server::rotation::CompletionResult complete(
        const Credentials& row, const server::rotation::Completion& completion,
        const server::rotation::Policy& policy, Time now) const {
        return server::rotation::complete(row, completion, policy, 0, now);
    }
    [[nodiscard]] virtual server::rotation::Transition refuse(
        const Credentials& row, const server::rotation::Refusal& refusal) const {
        return server::rotation::refuse(row, refusal);
    }
    [[nodiscard]] virtual Result<server::rotation::Transition> revoke(
        const Credentials& row) const {
        return server::rotation::revoke(row);
    }
    [[nodiscard]] virtual bool commit_outstanding(const Credentials& row) const {
        return server::rotation::commit_outstanding(row);
    }
    // A connection that was accepted before its token was retired is no reuse.
    [[nodiscard]] virtual bool forgives_delayed_connects() const { return true; }

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
    // A5: what a start finds in the file is made durable before anything is said about it.
    [[nodiscard]] virtual bool syncs_at_start() const { return true; }
    // A candidate that a power loss could take back opens no connection.
    [[nodiscard]] virtual bool syncs_before_connect() const { return true; }
};

}  // namespace rekey::model
