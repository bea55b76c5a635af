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

}  // namespace

void Coordinator::State::alarm_if_due(std::string_view agent_id, std::string_view rotation_id,
                                      std::uint64_t generation, std::uint32_t attempts,
                                      std::string_view reason) {
    if (attempts < limits::kAlarmAfterAttempts) return;
    parts.log.warning("rotation.alarm", {{"agent_id", agent_id},
                                         {"rotation_id", rotation_id},
                                         {"generation", generation},
                                         {"attempts", attempts},
                                         {"reason", reason}});
}

void Coordinator::State::refuse(const std::string& agent_id, Refusal refusal,
                                std::function<void(Result<>)> answer) {
    struct Outcome {
        Refused refused;
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
            self->alarm_if_due(agent_id, shared->rotation_id, refused.generation, refused.attempts,
                               shared->reason);
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
