#include "base/fail_point.hpp"
#include "protocol/methods/agent.hpp"
#include "server/rotation/offer_call.hpp"

// What an agent says to an offer. Everything that is neither a proven completion nor a refusal is
// no answer: counted, audited, and the offer comes again.
namespace rekey::server::rotation {

namespace {

using protocol::RotateAnswer;
using protocol::RotateOutcome;

Refusal refusal_from(const RotateAnswer& answer) {
    return {.rotation_id = answer.rotation_id,
            .reason = std::string(protocol::name_of(*answer.reason)),
            .newest_held = answer.newest_held};
}

// For what the transport says instead of an answer.
std::string_view reason_of(Code code) { return code == Code::agent_timeout ? "timeout" : "other"; }

}  // namespace

void Coordinator::State::on_offer_answer(OfferCall& call,
                                         const Result<boost::json::value>& answer) {
    fail_point::reached(fail_point::Point::server_receive_rotation_complete);
    LinkProgress& progress = call.link->progress();
    if (progress.offer_in_flight == call.generation) progress.offer_in_flight = 0;
    const SlotPtr released_after_this = std::move(call.slot);
    const std::string& agent_id = call.link->agent_id();
    const Speaker speaker{agent_id, call.link->address()};

    if (answer.has_error()) {
        // A session that ended says nothing about the offer; it was counted when it was made.
        if (answer.error().code() == Code::agent_offline)
            return note_disconnect(agent_id, call.rotation_id, call.attempts);
        const auto reason = std::string(reason_of(answer.error().code()));
        return refuse(speaker, {.rotation_id = call.rotation_id, .reason = reason}, {});
    }
    auto said = protocol::decode_result<protocol::AgentRotate>(*answer);
    if (said.has_error() || said->rotation_id != call.rotation_id ||
        said->generation != call.generation)
        return refuse(speaker, {.rotation_id = call.rotation_id, .reason = "malformed"}, {});
    if (said->status == RotateOutcome::rotation_failed)
        return refuse(speaker, refusal_from(*said), {});
    complete({.agent_id = agent_id,
              .address = speaker.address,
              .connection = call.link->connection_generation(),
              .rotation_id = call.rotation_id,
              .generation = call.generation,
              .proof = *std::move(said->proof)},
             {});
}

// Its time-out was counted already; what it says still holds, by its own rotation_id.
void Coordinator::State::on_late_offer_answer(OfferCall& call,
                                              const Result<boost::json::value>& answer) {
    if (answer.has_error()) return;
    auto said = protocol::decode_result<protocol::AgentRotate>(*answer);
    if (said.has_error()) return;
    const std::string& agent_id = call.link->agent_id();
    const Speaker speaker{agent_id, call.link->address()};
    if (said->status == RotateOutcome::rotation_failed)
        return refuse(speaker, refusal_from(*said), {});
    complete({.agent_id = agent_id,
              .address = speaker.address,
              .connection = call.link->connection_generation(),
              .rotation_id = std::move(said->rotation_id),
              .generation = said->generation,
              .proof = *std::move(said->proof)},
             {});
}

}  // namespace rekey::server::rotation
