#include "base/limits.hpp"
#include "server/rotation/coordinator_state.hpp"

// S5: an offer that was not completed. Nothing is withdrawn, except what the agent cannot have
// saved.
namespace rekey::server::rotation {

namespace {

struct Refused {
    Transition transition;
    std::uint64_t generation = 0;
    std::uint32_t attempts = 0;
    Time attend_at{};
};

boost::json::object details_of(const Refusal& refusal) {
    boost::json::object details{{"reason", refusal.reason}};
    if (refusal.newest_held) details["newest_held"] = *refusal.newest_held;
    return details;
}

// The offers of this rotation have failed so often that somebody should look.
struct Alarm {
    std::string rotation_id;
    std::uint64_t generation = 0;
    std::uint32_t attempts = 0;
    std::string reason;
};

// In the transaction that counts the failure, with an audit row of its own. From the fifth offer on
// each one that fails raises it again: an alarm that was overheard must not have been the only one.
std::optional<Alarm> raise_if_due(storage::Transaction& transaction, const storage::AgentRow& row,
                                  std::string_view rotation_id, std::string_view reason, Time now) {
    const auto& pending = row.credentials.pending;
    if (!pending || pending->rotation_id != rotation_id ||
        pending->attempts < limits::kAlarmAfterAttempts)
        return std::nullopt;
    transaction.audit().append({.time = now,
                                .actor = "system",
                                .action = "rotation.alarm",
                                .subject = row.agent_id,
                                .outcome = "ok",
                                .details = {{"rotation_id", pending->rotation_id},
                                            {"generation", pending->generation},
                                            {"attempts", pending->attempts},
                                            {"reason", reason}}});
    return Alarm{pending->rotation_id, pending->generation, pending->attempts, std::string(reason)};
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
            return raise_if_due(transaction, row, rotation_id, "disconnected",
                                self->parts.clock.now());
        },
        [self = shared_from_this(), agent_id](const Result<std::optional<Alarm>>& alarm) {
            if (alarm.has_value()) warn(self->parts.log, agent_id, *alarm);
        });
}

void Coordinator::State::refuse(const std::string& agent_id, Refusal refusal,
                                std::function<void(Result<>)> answer) {
    struct Outcome {
        Refused refused;
        std::optional<Alarm> alarm;
        std::optional<Begun> begun;
    };
    auto shared = std::make_shared<const Refusal>(std::move(refusal));
    decide<Outcome>(
        parts.store, agent_id,
        [self = shared_from_this(), shared](storage::Transaction& transaction,
                                            storage::AgentRow& row) -> Result<Outcome> {
            const Time now = self->parts.clock.now();
            Outcome outcome;
            Refused& refused = outcome.refused;
            if (row.credentials.pending) {
                refused.generation = row.credentials.pending->generation;
                refused.attempts = row.credentials.pending->attempts;
            }
            refused.transition = rotation::refuse(row.credentials, *shared);
            REKEY_TRY(apply(transaction, row, refused.transition,
                            {.actor = row.agent_id, .details = details_of(*shared)}, now));
            if (refused.transition.changed())
                outcome.alarm =
                    raise_if_due(transaction, row, shared->rotation_id, shared->reason, now);
            if (!refused.transition.ended_rotation_id.empty()) {
                // It begins anew for the same reason. Where that is not allowed now, it is due
                // later.
                REKEY_TRY_ASSIGN(ended, transaction.rotations().find(shared->rotation_id));
                if (may_begin(row.credentials, ended.cause, now).has_value()) {
                    REKEY_TRY_ASSIGN(
                        begun, self->begin_in(transaction, row, ended.cause, ended.actor, now));
                    outcome.begun = std::move(begun);
                }
            }
            refused.attend_at =
                attend_at(row.credentials, self->policy(), self->parts.random.unit());
            return outcome;
        },
        [self = shared_from_this(), agent_id, shared,
         answer = std::move(answer)](Result<Outcome> outcome) {
            if (answer) answer(outcome.has_error() ? Result<>(outcome.error()) : Result<>());
            if (outcome.has_error() || !outcome->refused.transition.changed()) return;
            const Refused& refused = outcome->refused;
            self->parts.log.info("rotation.refused", {{"agent_id", agent_id},
                                                      {"rotation_id", shared->rotation_id},
                                                      {"generation", refused.generation},
                                                      {"attempts", refused.attempts},
                                                      {"reason", shared->reason}});
            warn(self->parts.log, agent_id, outcome->alarm);
            if (outcome->begun) {
                close_sessions(self->parts.agents, agent_id, outcome->begun->transition);
                return self->offer_soon(std::move(outcome->begun->offer), self->take_slot());
            }
            self->parts.agents.with(agent_id,
                                    [attend_at = refused.attend_at](AgentLink& link) {
                                        link.progress().attend_at = attend_at;
                                    },
                                    {});
        });
}

}  // namespace rekey::server::rotation
