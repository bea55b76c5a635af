#pragma once

#include "agent/observer.hpp"
#include "agent/token_vault.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "protocol/methods/agent.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rekey::agent {

// What the server is answered on an offer, and whether to come back with the candidate (Rule A).
struct OfferAnswer {
    protocol::RotateAnswer answer;
    rotation::ThenDo then = rotation::ThenDo::stay;
};

// Carries out what rotation/transitions.hpp decides: each durable write before the answer that
// depends on it (A1, A2, A3, Rule B). Writes the log events rotation.saved, rotation.confirmed and
// rotation.refused. Blocks for the disk. One thread.
class RotationSteps {
  public:
    RotationSteps(TokenVault& vault, const Log& log, AgentObserver& observer)
        : vault_(vault), log_(log), observer_(observer) {}

    // Whether taking this offer means saving a token that is not held yet.
    [[nodiscard]] bool is_new(const protocol::RotateOffer& offer) const;
    [[nodiscard]] OfferAnswer on_offer(const protocol::RotateOffer& offer);

    // Success means: durably confirmed. `wrong_state` with details.reason "not_held" for a token
    // that is not held; `unavailable` with details.reason when it could not be written: the server
    // sends the commit again.
    [[nodiscard]] Result<> on_commit(std::string_view rotation_id, std::uint64_t generation);

    // The connection was opened with this token: the server has promoted it. A write that fails
    // leaves it a candidate; the commit that follows tries again.
    void on_welcome(std::string_view rotation_id, std::uint64_t generation);

    // A connect with this token was answered `unknown_credential`.
    void on_unknown_credential(std::string_view rotation_id);

    // A connect with this token was answered `token_expired`.
    void on_token_expired(std::string_view rotation_id);

    // A recovery was answered. Success means: the token is held durably, to be connected with.
    // `wrong_state` for an answer that comes too late, `unavailable` when it could not be written.
    [[nodiscard]] Result<> on_recovered(const rotation::Refusals& refusals,
                                        const rotation::Offer& offer);

  private:
    [[nodiscard]] StoreOutcome confirm(const rotation::HeldTokens& next,
                                       std::string_view rotation_id, std::uint64_t generation,
                                       std::string_view by);
    [[nodiscard]] protocol::RotateAnswer refuse(const protocol::RotateOffer& offer,
                                                rotation::FailureReason reason, std::string detail);
    [[nodiscard]] protocol::RotateAnswer complete(const protocol::RotateOffer& offer);
    [[nodiscard]] protocol::RotateAnswer save(const protocol::RotateOffer& offer,
                                              const rotation::HeldTokens& next);

    TokenVault& vault_;
    const Log& log_;
    AgentObserver& observer_;
};

}  // namespace rekey::agent
