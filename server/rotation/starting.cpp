#include "base/ids.hpp"
#include "keys/seal.hpp"
#include "protocol/token.hpp"
#include "server/rotation/coordinator_state.hpp"

// S1: how a rotation begins, by an admin, the agent itself or the schedule; or waits for the agent.
namespace rekey::server::rotation {

namespace {

RotationView pending_view(const storage::AgentRow& row, RotationStatus status) {
    const storage::PendingToken& pending = *row.credentials.pending;
    return {.agent_id = row.agent_id,
            .status = status,
            .rotation_id = pending.rotation_id,
            .generation = pending.generation,
            .already_pending = true,
            .attempts = pending.attempts,
            .offered_at = pending.offered_at,
            .last_reason = pending.last_reason};
}

RotationView offered_view(const Offer& offer, Time now) {
    return {.agent_id = offer.agent_id,
            .status = RotationStatus::offered,
            .rotation_id = offer.rotation_id,
            .generation = offer.generation,
            .attempts = offer.attempts,
            .offered_at = now};
}

// An admin may only rotate what enrolled once: a token is delivered over its session or not at all.
Result<> require_enrolled(const Credentials& credentials) {
    if (credentials.current || credentials.pending) return {};
    if (credentials.status != storage::AgentStatus::active) return {};  // may_begin says why not
    return Error(Code::wrong_state, "the agent has not enrolled yet");
}

bool is_under_way(const Credentials& credentials) {
    return credentials.status == storage::AgentStatus::active && credentials.pending;
}

}  // namespace

FreshToken Coordinator::State::mint(std::string_view agent_id, std::uint64_t generation) {
    FreshToken fresh;
    fresh.token = protocol::mint_token(protocol::TokenKind::agent, agent_id, parts.random);
    fresh.minted.generation = generation;
    fresh.minted.rotation_id = make_uuid_v7(parts.clock, parts.random);
    fresh.minted.token_hash = protocol::token_hash(fresh.token);
    const keys::TokenContext context{agent_id, fresh.minted.rotation_id, generation};
    fresh.minted.sealed_token =
        keys::seal_token(parts.master_key, context, fresh.token, parts.random);
    return fresh;
}

Result<Coordinator::State::Begun> Coordinator::State::begin_in(storage::Transaction& transaction,
                                                               storage::AgentRow& row,
                                                               const Beginning& beginning,
                                                               Time now) {
    const auto& [cause, actor, details, instead_of] = beginning;
    REKEY_TRY_ASSIGN(generation, may_begin(row.credentials, cause, now));
    FreshToken fresh = mint(row.agent_id, generation);
    Begun begun;
    begun.transition = instead_of ? begin_instead(row.credentials, *instead_of, fresh.minted, now)
                                  : begin(row.credentials, fresh.minted, now);
    if (cause == RotationCause::emergency) answer_sightings(begun.transition.after, cause);
    REKEY_TRY(apply(transaction, row, begun.transition,
                    {.actor = actor, .details = details, .minted_for = cause}, now));
    begun.offer = describe_offer(row, std::move(fresh.token), now);
    return begun;
}

void Coordinator::State::start(StartRequest request,
                               std::function<void(Result<RotationView>)> answer) {
    if (parts.agents.connected(request.agent_id))
        start_connected(std::move(request), std::move(answer));
    else
        wish(std::move(request), std::move(answer));
}

void Coordinator::State::start_connected(StartRequest request,
                                         std::function<void(Result<RotationView>)> answer) {
    struct Started {
        RotationView view;
        std::optional<Begun> begun;
    };
    std::string agent_id = request.agent_id;
    // The agent that asks is ready for the offer now, whatever back-off its refusals have led to.
    const bool offer_at_once = request.cause == RotationCause::agent;
    decide<Started>(
        parts.store, std::move(agent_id),
        [self = shared_from_this(), request = std::move(request)](
            storage::Transaction& transaction, storage::AgentRow& row) -> Result<Started> {
            const Time now = self->parts.clock.now();
            if (request.still_allowed) REKEY_TRY(request.still_allowed(transaction, now));
            if (is_under_way(row.credentials))
                return Started{
                    pending_view(row, self->pending_status(row.agent_id, *row.credentials.pending)),
                    {}};
            REKEY_TRY(require_enrolled(row.credentials));
            REKEY_TRY_ASSIGN(
                begun, self->begin_in(transaction, row,
                                      {request.cause, request.actor, request.details, {}}, now));
            RotationView view = offered_view(begun.offer, now);
            return Started{std::move(view), std::move(begun)};
        },
        [self = shared_from_this(), offer_at_once,
         answer = std::move(answer)](Result<Started> started) {
            if (started.has_error()) return answer(started.error());
            const std::string id = started->view.agent_id;
            SlotPtr slot = started->begun ? self->try_slot() : nullptr;
            if (started->begun && !slot) started->view.status = RotationStatus::queued;
            // The answer first: an agent that asked hears "started" and then the offer.
            answer(std::move(started->view));
            if (!started->begun && offer_at_once)
                self->parts.agents.with(
                    id, [self](AgentLink& link) { self->attend(link, Occasion::connect, nullptr); },
                    {});
            if (!started->begun) return;
            close_sessions(self->parts.agents, id, started->begun->transition);
            if (slot)
                self->offer_soon(std::move(started->begun->offer), std::move(slot));
            else
                self->queue_offer(std::move(started->begun->offer));
        });
}

void Coordinator::State::wish(StartRequest request,
                              std::function<void(Result<RotationView>)> answer) {
    std::string agent_id = request.agent_id;
    decide<RotationView>(
        parts.store, std::move(agent_id),
        [self = shared_from_this(), request = std::move(request)](
            storage::Transaction& transaction, storage::AgentRow& row) -> Result<RotationView> {
            const Time now = self->parts.clock.now();
            if (request.still_allowed) REKEY_TRY(request.still_allowed(transaction, now));
            if (is_under_way(row.credentials))
                return pending_view(row,
                                    self->pending_status(row.agent_id, *row.credentials.pending));
            REKEY_TRY(require_enrolled(row.credentials));
            REKEY_TRY_ASSIGN(transition, rotation::request(row.credentials, {.cause = request.cause,
                                                                             .actor = request.actor,
                                                                             .requested_at = now}));
            REKEY_TRY(apply(transaction, row, transition,
                            {.actor = request.actor, .details = request.details}, now));
            return RotationView{.agent_id = row.agent_id,
                                .status = RotationStatus::at_next_connect};
        },
        [self = shared_from_this(), answer = std::move(answer)](Result<RotationView> view) {
            // An agent that connected meanwhile has read its row before this wish, perhaps.
            if (view.has_value() && view->status == RotationStatus::at_next_connect)
                self->parts.agents.with(
                    view->agent_id,
                    [self](AgentLink& link) { self->attend(link, Occasion::tick, nullptr); }, {});
            answer(std::move(view));
        });
}

void Coordinator::State::begin_due(const std::string& agent_id, SlotPtr slot) {
    using Due = std::optional<Begun>;
    decide<Due>(
        parts.store, agent_id,
        [self = shared_from_this()](storage::Transaction& transaction,
                                    storage::AgentRow& row) -> Result<Due> {
            const Time now = self->parts.clock.now();
            const auto cause = due(row.credentials, now);
            if (!cause) return Due{};
            const std::string actor =
                row.credentials.requested ? row.credentials.requested->actor : "system";
            REKEY_TRY_ASSIGN(begun, self->begin_in(transaction, row, {*cause, actor, {}, {}}, now));
            return Due{std::move(begun)};
        },
        [self = shared_from_this(), agent_id, slot = std::move(slot)](Result<Due> begun) mutable {
            if (begun.has_error()) {
                self->parts.log.warning(
                    "rotation.not_started",
                    {{"agent_id", agent_id}, {"error", begun.error().message()}});
                return;
            }
            if (!*begun) return;
            close_sessions(self->parts.agents, agent_id, (*begun)->transition);
            self->offer_soon(std::move((*begun)->offer), std::move(slot));
        });
}

}  // namespace rekey::server::rotation
