#include "base/limits.hpp"
#include "server/rotation/coordinator_state.hpp"

// S5: an offer that was not completed. Nothing is withdrawn, except what the agent cannot have
// saved.
namespace rekey::server::rotation {

namespace {

using storage::PendingToken;

boost::json::object details_of(const Refusal& refusal, const std::string& address) {
    boost::json::object details{{"reason", refusal.reason}, {"address", address}};
    if (refusal.newest_held) details["newest_held"] = *refusal.newest_held;
    return details;
}

struct Alarm {
    std::string rotation_id;
    std::uint64_t generation = 0;
    std::uint32_t attempts = 0;
    std::string reason;
};

std::optional<Alarm> alarm_about(const PendingToken* failing, std::string_view reason) {
    if (failing == nullptr) return std::nullopt;
    return Alarm{failing->rotation_id, failing->generation, failing->attempts, std::string(reason)};
}

// In the transaction that counts the failure, with an audit row of its own.
void raise(storage::Transaction& transaction, const std::string& agent_id,
           const std::optional<Alarm>& alarm, Time now) {
    if (!alarm) return;
    transaction.audit().append({.time = now,
                                .actor = "system",
                                .action = "rotation.alarm",
                                .subject = agent_id,
                                .outcome = "ok",
                                .details = {{"rotation_id", alarm->rotation_id},
                                            {"generation", alarm->generation},
                                            {"attempts", alarm->attempts},
                                            {"reason", alarm->reason}}});
}

void warn(const Log& log, const std::string& agent_id, const std::optional<Alarm>& alarm) {
    if (!alarm) return;
    log.warning("rotation.alarm", {{"agent_id", agent_id},
                                   {"rotation_id", alarm->rotation_id},
                                   {"generation", alarm->generation},
                                   {"attempts", alarm->attempts},
                                   {"reason", alarm->reason}});
}

}  // namespace

// An offer that was made at the risk of an alarm ended with its session: no row says so yet.
void Coordinator::State::note_disconnect(const std::string& agent_id,
                                         const std::string& rotation_id, std::uint32_t attempts) {
    if (attempts < limits::kAlarmAfterAttempts) return;
    decide<std::optional<Alarm>>(
        parts.store, agent_id,
        [self = shared_from_this(), rotation_id](
            storage::Transaction& transaction,
            storage::AgentRow& row) -> Result<std::optional<Alarm>> {
            auto alarm = alarm_about(alarm_due(row.credentials, rotation_id), "disconnected");
            raise(transaction, row.agent_id, alarm, self->parts.clock.now());
            return alarm;
        },
        [self = shared_from_this(), agent_id](const Result<std::optional<Alarm>>& alarm) {
            if (alarm.has_value()) warn(self->parts.log, agent_id, *alarm);
        });
}

struct Coordinator::State::Refused {
    std::optional<PendingToken> pending;  // as it was offered
    Transition transition;
    std::optional<Alarm> alarm;
    std::optional<Begun> begun;
    Time attend_at{};
};

// Where the agent is past what it was offered, the rotation begins anew for the same reason. Where
// that is not allowed now, it is due later.
Result<> Coordinator::State::begin_anew(storage::Transaction& transaction, storage::AgentRow& row,
                                        Refused& refused, Time now) {
    if (refused.transition.ended_rotation_id.empty()) return {};
    REKEY_TRY_ASSIGN(ended, transaction.rotations().find(refused.transition.ended_rotation_id));
    if (may_begin(row.credentials, ended.cause, now).has_error()) return {};
    REKEY_TRY_ASSIGN(
        begun, begin_in(transaction, row, {ended.cause, ended.actor, {}, refused.pending}, now));
    refused.begun = std::move(begun);
    return {};
}

void Coordinator::State::refuse(Speaker speaker, Refusal refusal,
                                std::function<void(Result<>)> answer) {
    auto shared = std::make_shared<const Refusal>(std::move(refusal));
    std::string agent_id = speaker.agent_id;
    decide<Refused>(
        parts.store, agent_id,
        [self = shared_from_this(), shared, address = std::move(speaker.address)](
            storage::Transaction& transaction, storage::AgentRow& row) -> Result<Refused> {
            const Time now = self->parts.clock.now();
            Refused refused;
            refused.pending = row.credentials.pending;
            refused.alarm =
                alarm_about(alarm_due(row.credentials, shared->rotation_id), shared->reason);
            refused.transition = rotation::refuse(row.credentials, *shared);
            REKEY_TRY(apply(transaction, row, refused.transition,
                            {.actor = row.agent_id, .details = details_of(*shared, address)}, now));
            raise(transaction, row.agent_id, refused.alarm, now);
            REKEY_TRY(self->begin_anew(transaction, row, refused, now));
            refused.attend_at =
                attend_at(row.credentials, self->policy(), self->parts.random.unit());
            return refused;
        },
        [self = shared_from_this(), agent_id, shared,
         answer = std::move(answer)](Result<Refused> refused) {
            if (answer) answer(refused.has_error() ? Result<>(refused.error()) : Result<>());
            if (refused.has_value() && refused->transition.changed())
                self->after_refusal(agent_id, *shared, *std::move(refused));
        });
}

void Coordinator::State::after_refusal(const std::string& agent_id, const Refusal& refusal,
                                       Refused refused) {
    parts.log.info("rotation.refused", {{"agent_id", agent_id},
                                        {"rotation_id", refusal.rotation_id},
                                        {"generation", refused.pending->generation},
                                        {"attempts", refused.pending->attempts},
                                        {"reason", refusal.reason}});
    warn(parts.log, agent_id, refused.alarm);
    if (refused.begun) {
        close_sessions(parts.agents, agent_id, refused.begun->transition);
        if (refused.begun->offer.attempts > refused.pending->attempts)
            return offer_soon(std::move(refused.begun->offer), take_slot());
    }
    parts.agents.with(
        agent_id,
        [attend_at = refused.attend_at](AgentLink& link) { link.progress().attend_at = attend_at; },
        {});
}

}  // namespace rekey::server::rotation
