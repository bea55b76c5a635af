#include "base/fail_point.hpp"
#include "keys/seal.hpp"
#include "protocol/methods/agent.hpp"
#include "server/rotation/coordinator_state.hpp"
#include "server/rotation/offer_call.hpp"

// What a connected agent is owed: the commit, the offer (S2) or a rotation that is due (S1).
namespace rekey::server::rotation {

Offer Coordinator::State::describe_offer(const storage::AgentRow& row, Secret token, Time now) {
    const Policy now_in_force = policy();
    const storage::PendingToken& pending = *row.credentials.pending;
    return {.agent_id = row.agent_id,
            .rotation_id = pending.rotation_id,
            .generation = pending.generation,
            .attempts = pending.attempts,
            .token = std::move(token),
            .expires_at = now + now_in_force.token_life,
            .grace = std::chrono::duration_cast<std::chrono::seconds>(now_in_force.grace),
            .attend_at = *next_offer_at(row.credentials, now_in_force, parts.random.unit())};
}

void Coordinator::State::attend(AgentLink& link, Occasion occasion, SlotPtr slot) {
    // Should the look fail, the next one comes an interval later.
    const Policy now_in_force = policy();
    link.progress().attend_at = parts.clock.now() + now_in_force.backoff_unit;

    auto wanted = std::make_shared<Attention>();
    parts.store.read(
        [self = shared_from_this(), wanted, occasion, now_in_force,
         agent_id = link.agent_id()](storage::Transaction& transaction) -> Result<> {
            REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
            *wanted = attention(row.credentials, now_in_force, occasion, self->parts.random.unit(),
                                self->parts.clock.now());
            return {};
        },
        [self = shared_from_this(), wanted, occasion, slot = std::move(slot),
         agent_id = link.agent_id(),
         connection = link.connection_generation()](const Result<>& result) {
            if (result.has_error()) return;
            self->parts.agents.with(agent_id,
                                    [self, wanted, occasion, slot, connection](AgentLink& found) {
                                        // A newer connection is looked after when it is ready.
                                        if (found.connection_generation() == connection)
                                            self->act(found, *wanted, occasion, slot);
                                    },
                                    {});
        });
}

void Coordinator::State::act(AgentLink& link, const Attention& wanted, Occasion occasion,
                             SlotPtr slot) {
    link.progress().attend_at = wanted.attend_at;
    if (wanted.commit) send_commit(link, wanted.commit->rotation_id, wanted.commit->generation);
    const bool offer = wanted.offer && link.progress().offer_in_flight != *wanted.offer;
    if (!offer && !wanted.begin) return;
    // A connect offers what is pending at once; all the rest takes its turn.
    if (!slot) slot = offer && occasion == Occasion::connect ? take_slot() : try_slot();
    if (!slot) return wait_for_slot(link.agent_id());
    if (offer)
        offer_again(link.agent_id(), occasion, std::move(slot));
    else
        begin_due(link.agent_id(), std::move(slot));
}

void Coordinator::State::offer_again(const std::string& agent_id, Occasion occasion, SlotPtr slot) {
    using Again = std::optional<Offer>;
    decide<Again>(
        parts.store, agent_id,
        [self = shared_from_this(), occasion](storage::Transaction& transaction,
                                              storage::AgentRow& row) -> Result<Again> {
            const Time now = self->parts.clock.now();
            // Two ticks at once offer one time: the first moves offered_at.
            if (!attention(row.credentials, self->policy(), occasion, 0, now).offer) return Again{};
            const storage::PendingToken& pending = *row.credentials.pending;
            const keys::TokenContext context{row.agent_id, pending.rotation_id, pending.generation};
            REKEY_TRY_ASSIGN(
                token, keys::open_token(self->parts.master_key, context, pending.sealed_token));
            REKEY_TRY(apply(transaction, row, rotation::offer_again(row.credentials, now),
                            {.actor = "system"}, now));
            return Again{self->describe_offer(row, std::move(token), now)};
        },
        [self = shared_from_this(), agent_id, slot = std::move(slot)](Result<Again> offer) mutable {
            if (offer.has_error())
                return self->parts.log.warning(
                    "rotation.not_offered",
                    {{"agent_id", agent_id}, {"error", offer.error().message()}});
            if (*offer) self->offer_soon(*std::move(*offer), std::move(slot));
        });
}

void Coordinator::State::offer_soon(Offer offer, SlotPtr slot) {
    const auto kept = std::make_shared<const Offer>(std::move(offer));
    // Whoever is not there any more gets it at the next connect; it was counted, and has failed.
    parts.agents.with(
        kept->agent_id,
        [self = shared_from_this(), kept, slot = std::move(slot)](AgentLink& link) {
            self->send_offer(link, *kept, slot);
        },
        [self = shared_from_this(), kept] {
            self->note_disconnect(kept->agent_id, kept->rotation_id, kept->attempts);
        });
}

void Coordinator::State::send_offer(AgentLink& link, const Offer& offer, SlotPtr slot) {
    forget_queued(offer.agent_id);
    LinkProgress& progress = link.progress();
    progress.attend_at = std::min(progress.attend_at, offer.attend_at);
    if (progress.offer_in_flight == offer.generation) return;
    progress.offer_in_flight = offer.generation;

    auto call = std::make_shared<OfferCall>();
    call->state = shared_from_this();
    call->link = &link;
    call->rotation_id = offer.rotation_id;
    call->generation = offer.generation;
    call->attempts = offer.attempts;
    call->slot = std::move(slot);
    const auto settings = parts.settings.snapshot();
    fail_point::reached(fail_point::Point::server_send_rotate);
    link.call(
        protocol::AgentRotate::name,
        protocol::encode(protocol::RotateOffer{.rotation_id = offer.rotation_id,
                                               .generation = offer.generation,
                                               .token = offer.token,
                                               .expires_at = offer.expires_at,
                                               .grace_period_seconds = offer.grace.count()}),
        std::chrono::seconds{settings->rotation_timeout_seconds},
        [call](const Result<boost::json::value>& answer) {
            call->state->on_offer_answer(*call, answer);
        },
        [call](const Result<boost::json::value>& answer) {
            call->state->on_late_offer_answer(*call, answer);
        });
    parts.log.info("rotation.offered", {{"agent_id", offer.agent_id},
                                        {"rotation_id", offer.rotation_id},
                                        {"generation", offer.generation},
                                        {"attempts", offer.attempts}});
}

}  // namespace rekey::server::rotation
