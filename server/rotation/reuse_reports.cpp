#include "server/rotation/coordinator_state.hpp"

// What was seen at the door is judged on the row as it is now, and written in the same transaction
// as its audit row. An alarm is one line of the log as well.
namespace rekey::server::rotation {

namespace {

struct Reported {
    ReuseVerdict verdict = ReuseVerdict::accepted_first;
    Transition transition;
    storage::Sighting sighting;
};

boost::json::object details_of(const storage::Sighting& sighting) {
    return {{"generation", sighting.generation},
            {"address", sighting.address},
            {"holder_address", sighting.holder_address}};
}

Result<Reported> report_in(storage::Transaction& transaction, storage::AgentRow& row,
                           const ShownAgain& shown, protocol::ReusePolicy policy, Time now) {
    REKEY_TRY_ASSIGN(buried, transaction.tombstones().find(row.agent_id, shown.token_hash));
    Reported reported;
    reported.verdict = judge_reuse(row.credentials, {.generation = buried.generation,
                                                     .retired_at = buried.retired_at,
                                                     .accepted_at = shown.accepted_at,
                                                     .clock = shown.clock});
    if (reported.verdict != ReuseVerdict::reuse) return reported;
    reported.sighting = {
        .seen_at = now,
        .generation = buried.generation,
        .address = shown.address,
        .holder_address = shown.holder_address.empty() ? row.last_address : shown.holder_address,
        .answer = {}};
    reported.transition = report_reuse(row.credentials, reported.sighting, policy);
    Cause cause{.actor = "system", .details = details_of(reported.sighting)};
    cause.details["policy"] = protocol::name_of(policy);
    cause.details["suspended"] = reported.transition.sessions == SessionsAfter::close_suspended;
    REKEY_TRY(apply(transaction, row, reported.transition, cause, now));
    return reported;
}

}  // namespace

void Coordinator::State::report_reuse(ShownAgain shown, std::function<void(Result<>)> done) {
    const auto shared = std::make_shared<const ShownAgain>(std::move(shown));
    decide<Reported>(
        parts.store, shared->agent_id,
        [self = shared_from_this(), shared](storage::Transaction& transaction,
                                            storage::AgentRow& row) {
            return report_in(transaction, row, *shared,
                             self->parts.settings.snapshot()->reuse_policy,
                             self->parts.clock.now());
        },
        [self = shared_from_this(), shared,
         done = std::move(done)](const Result<Reported>& reported) {
            if (reported.has_value() && reported->transition.changed()) {
                const storage::Sighting& sighting = reported->sighting;
                self->parts.log.error("token.reuse_detected",
                                      {{"agent_id", shared->agent_id},
                                       {"generation", sighting.generation},
                                       {"remote_address", sighting.address},
                                       {"holder_address", sighting.holder_address}});
                close_sessions(self->parts.agents, shared->agent_id, reported->transition);
            }
            if (!done) return;
            if (reported.has_error()) return done(reported.error());
            done({});
        });
}

void Coordinator::State::report_contest(const std::string& agent_id, storage::Sighting sighting,
                                        std::function<void(Result<>)> done) {
    decide<bool>(
        parts.store, agent_id,
        [self = shared_from_this(), sighting = std::move(sighting)](
            storage::Transaction& transaction, storage::AgentRow& row) -> Result<bool> {
            // A token that was retired or revoked meanwhile is contested by nobody.
            if (row.credentials.status != storage::AgentStatus::active) return false;
            const Time now = self->parts.clock.now();
            storage::Sighting seen = sighting;
            seen.seen_at = now;
            REKEY_TRY(apply(transaction, row, rotation::report_contest(row.credentials, seen),
                            {.actor = "system", .details = details_of(seen)}, now));
            return true;
        },
        [done = std::move(done)](const Result<bool>& written) {
            if (!done) return;
            if (written.has_error()) return done(written.error());
            done({});
        });
}

}  // namespace rekey::server::rotation
