#include "server/rotation/coordinator.hpp"

#include "server/rotation/coordinator_state.hpp"

namespace rekey::server::rotation {

Coordinator::Coordinator(Parts parts) : state_(std::make_shared<State>(parts)) {}

// Calls that still wait hold the state, but whatever it refers to may go now.
Coordinator::~Coordinator() { state_->stopped = true; }

void Coordinator::start(StartRequest request, std::function<void(Result<RotationView>)> answer) {
    state_->start(std::move(request), std::move(answer));
}

RotationStatus Coordinator::pending_status(std::string_view agent_id,
                                           const storage::PendingToken& pending) const {
    return state_->pending_status(agent_id, pending);
}

void Coordinator::promote_at_connect(std::string agent_id, Bytes32 token_hash, std::string address,
                                     std::function<void(Result<Accepted>)> answer) {
    state_->promote_at_connect(std::move(agent_id), token_hash, std::move(address),
                               std::move(answer));
}

void Coordinator::on_ready(AgentLink& link) { state_->attend(link, Occasion::connect, nullptr); }

void Coordinator::on_tick(AgentLink& link) { state_->attend(link, Occasion::tick, nullptr); }

void Coordinator::on_complete(AgentLink& link, Completion claim, std::string proof,
                              std::function<void(Result<std::uint64_t>)> answer) {
    state_->complete({.agent_id = link.agent_id(),
                      .address = link.address(),
                      .connection = link.connection_generation(),
                      .rotation_id = std::move(claim.rotation_id),
                      .generation = claim.generation,
                      .proof = std::move(proof)},
                     std::move(answer));
}

void Coordinator::on_failed(AgentLink& link, Refusal refusal,
                            std::function<void(Result<>)> answer) {
    state_->refuse({link.agent_id(), link.address()}, std::move(refusal), std::move(answer));
}

void Coordinator::sweep() { state_->sweep(); }

void Coordinator::report_reuse(ShownAgain shown, std::function<void(Result<>)> done) {
    state_->report_reuse(std::move(shown), std::move(done));
}

void Coordinator::report_contest(const std::string& agent_id, storage::Sighting sighting,
                                 std::function<void(Result<>)> done) {
    state_->report_contest(agent_id, std::move(sighting), std::move(done));
}

FreshToken Coordinator::mint(std::string_view agent_id, std::uint64_t generation) {
    return state_->mint(agent_id, generation);
}

}  // namespace rekey::server::rotation
