#include "agent/rotation_steps.hpp"

#include "base/limits.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace rekey::agent {
namespace {

rotation::Offer to_offer(const protocol::RotateOffer& offer) {
    return {offer.rotation_id, offer.generation, offer.token};
}

protocol::RotationFailure to_wire(rotation::FailureReason reason) {
    switch (reason) {
        case rotation::FailureReason::disk_full:
            return protocol::RotationFailure::disk_full;
        case rotation::FailureReason::read_only:
            return protocol::RotationFailure::read_only;
        case rotation::FailureReason::readback_differs:
            return protocol::RotationFailure::readback_differs;
        case rotation::FailureReason::candidate_unresolved:
            return protocol::RotationFailure::candidate_unresolved;
        case rotation::FailureReason::stale_generation:
            return protocol::RotationFailure::stale_generation;
        case rotation::FailureReason::other:
            break;
    }
    return protocol::RotationFailure::other;
}

// Read from the file, and not known to be on the disk.
constexpr std::string_view kMayBeTakenBack =
    "the token is held, and the disk does not say that it would survive a loss of power";

std::string_view explain(rotation::FailureReason reason) {
    switch (reason) {
        case rotation::FailureReason::candidate_unresolved:
            return "an earlier token is saved and not confirmed yet; reconnecting with it";
        case rotation::FailureReason::stale_generation:
            return "a token of this generation or a newer one is held already";
        default:
            return "another token is held under this rotation_id";
    }
}

}  // namespace

bool RotationSteps::is_new(const protocol::RotateOffer& offer) const {
    const auto decision = rotation::on_offer(vault_.held(), to_offer(offer));
    const bool held = std::ranges::find(vault_.held(), offer.rotation_id,
                                        &rotation::HeldToken::rotation_id) != vault_.held().end();
    return std::holds_alternative<rotation::WriteCandidate>(decision) && !held;
}

OfferAnswer RotationSteps::on_offer(const protocol::RotateOffer& offer) {
    if (offer.token.empty())
        return {refuse(offer, rotation::FailureReason::other, "the offered token is empty")};
    const auto decision = rotation::on_offer(vault_.held(), to_offer(offer));
    if (std::holds_alternative<rotation::AnswerComplete>(decision)) {
        if (vault_.make_durable()) return {complete(offer)};
        return {refuse(offer, rotation::FailureReason::other, std::string(kMayBeTakenBack))};
    }
    if (const auto* write = std::get_if<rotation::WriteCandidate>(&decision))
        return {save(offer, write->next)};
    const auto& refusal = std::get<rotation::RefuseOffer>(decision);
    OfferAnswer result{refuse(offer, refusal.reason, std::string(explain(refusal.reason))),
                       refusal.then};
    result.answer.newest_held = refusal.newest_held;
    return result;
}

protocol::RotateAnswer RotationSteps::save(const protocol::RotateOffer& offer,
                                           const rotation::HeldTokens& next) {
    const StoreOutcome outcome = vault_.store(next);
    if (!outcome.durable()) return refuse(offer, outcome.reason, outcome.detail);
    log_.info("rotation.saved", {{"agent_id", vault_.state().agent_id},
                                 {"rotation_id", offer.rotation_id},
                                 {"generation", offer.generation}});
    return complete(offer);
}

protocol::RotateAnswer RotationSteps::complete(const protocol::RotateOffer& offer) {
    auto proof = vault_.prove(offer.rotation_id);
    if (proof.has_error())
        return refuse(offer, rotation::FailureReason::readback_differs, proof.error().message());
    protocol::RotateAnswer answer;
    answer.status = protocol::RotateOutcome::rotation_complete;
    answer.rotation_id = offer.rotation_id;
    answer.generation = offer.generation;
    answer.proof = std::move(*proof);
    return answer;
}

protocol::RotateAnswer RotationSteps::refuse(const protocol::RotateOffer& offer,
                                             rotation::FailureReason reason, std::string detail) {
    log_.warning("rotation.refused", {{"agent_id", vault_.state().agent_id},
                                      {"rotation_id", offer.rotation_id},
                                      {"generation", offer.generation},
                                      {"reason", rotation::to_string(reason)},
                                      {"detail", detail}});
    protocol::RotateAnswer answer;
    answer.status = protocol::RotateOutcome::rotation_failed;
    answer.rotation_id = offer.rotation_id;
    answer.generation = offer.generation;
    answer.reason = to_wire(reason);
    answer.detail = std::string(protocol::cut_utf8(detail, limits::kDetailBytes));
    return answer;
}

Result<> RotationSteps::on_commit(std::string_view rotation_id, std::uint64_t generation) {
    const auto decision = rotation::on_commit(vault_.held(), generation, rotation_id);
    if (std::holds_alternative<rotation::AnswerActivated>(decision)) {
        // It may have been confirmed by a process that died before its directory was synced.
        if (vault_.make_durable()) return {};
        return Error(Code::unavailable, std::string(kMayBeTakenBack));
    }
    if (std::holds_alternative<rotation::NotHeld>(decision)) {
        boost::json::array held;
        for (const rotation::HeldToken& token : vault_.held())
            held.push_back(
                {{"generation", token.generation},
                 {"rotation_id", token.rotation_id},
                 {"state",
                  token.state == rotation::TokenState::candidate ? "candidate" : "confirmed"}});
        log_.warning("rotation.commit_unknown", {{"agent_id", vault_.state().agent_id},
                                                 {"rotation_id", rotation_id},
                                                 {"generation", generation}});
        return Error(Code::wrong_state, "the token of this commit is not held")
            .with("reason", "not_held")
            .with("tokens_held", std::move(held));
    }
    const auto& next = std::get<rotation::ConfirmThenAnswer>(decision).next;
    const StoreOutcome outcome = confirm(next, rotation_id, generation, "commit");
    if (outcome.durable()) return {};
    return Error(Code::unavailable, "the confirmation could not be saved: " + outcome.detail)
        .with("reason", boost::json::string_view(rotation::to_string(outcome.reason)));
}

void RotationSteps::on_welcome(std::string_view rotation_id, std::uint64_t generation) {
    if (const auto next = rotation::on_welcome(vault_.held(), generation, rotation_id))
        static_cast<void>(confirm(*next, rotation_id, generation, "welcome"));
}

StoreOutcome RotationSteps::confirm(const rotation::HeldTokens& next, std::string_view rotation_id,
                                    std::uint64_t generation, std::string_view by) {
    StoreOutcome outcome = vault_.store(next);
    if (!outcome.durable()) {
        log_.error("rotation.confirm_failed", {{"agent_id", vault_.state().agent_id},
                                               {"rotation_id", rotation_id},
                                               {"generation", generation},
                                               {"reason", rotation::to_string(outcome.reason)},
                                               {"detail", outcome.detail}});
        return outcome;
    }
    log_.info("rotation.confirmed", {{"agent_id", vault_.state().agent_id},
                                     {"rotation_id", rotation_id},
                                     {"generation", generation},
                                     {"by", by}});
    observer_.on_rotated({vault_.state().agent_id, std::string(rotation_id), generation});
    observer_.on_changed();
    return outcome;
}

void RotationSteps::on_unknown_credential(std::string_view rotation_id) {
    const auto next = rotation::on_unknown_credential(vault_.held(), rotation_id);
    if (!next) return;
    // A write that fails leaves the candidate: it is passed over until the next success, and
    // dropped then or later.
    const StoreOutcome outcome = vault_.store(*next);
    log_.warning("rotation.dropped", {{"agent_id", vault_.state().agent_id},
                                      {"rotation_id", rotation_id},
                                      {"why", "the server does not know this candidate"},
                                      {"durable", outcome.durable()}});
    observer_.on_changed();
}

void RotationSteps::on_token_expired(std::string_view rotation_id) {
    const auto next = rotation::on_token_expired(vault_.held(), rotation_id);
    if (!next) return;
    const rotation::HeldToken& token =
        *std::ranges::find(*next, rotation_id, &rotation::HeldToken::rotation_id);
    static_cast<void>(confirm(*next, rotation_id, token.generation, "token_expired"));
}

Result<> RotationSteps::on_recovered(const rotation::Refusals& refusals,
                                     const rotation::Offer& offer) {
    const auto decision = rotation::on_recovered(vault_.held(), refusals, offer);
    if (std::holds_alternative<rotation::AnswerComplete>(decision)) return {};
    if (const auto* refused = std::get_if<rotation::RefuseOffer>(&decision))
        return Error(Code::wrong_state, "the recovery was answered with generation " +
                                            std::to_string(offer.generation) + ": " +
                                            std::string(rotation::to_string(refused->reason)));
    const StoreOutcome outcome = vault_.store(std::get<rotation::WriteCandidate>(decision).next);
    if (!outcome.durable())
        return Error(Code::unavailable,
                     "the recovered token could not be saved: " + outcome.detail);
    log_.info("rotation.saved", {{"agent_id", vault_.state().agent_id},
                                 {"rotation_id", offer.rotation_id},
                                 {"generation", offer.generation},
                                 {"by", "recovery"}});
    observer_.on_changed();
    return {};
}

}  // namespace rekey::agent
