#include "base/fail_point.hpp"
#include "protocol/methods/agent.hpp"
#include "server/rotation/coordinator_state.hpp"

// S6: the agent is told that its token is the current one, until it has said that it knows.
namespace rekey::server::rotation {

void Coordinator::State::send_commit(AgentLink& link, const std::string& rotation_id,
                                     std::uint64_t generation) {
    LinkProgress& progress = link.progress();
    if (progress.commit_in_flight == generation) return;
    progress.commit_in_flight = generation;

    const auto settings = parts.settings.snapshot();
    // One for the answer in time, and the same for a late one: it counts as much.
    const auto on_answer = [self = shared_from_this(), link = &link, rotation_id,
                            generation](const Result<boost::json::value>& answer) {
        LinkProgress& now = link->progress();
        if (now.commit_in_flight == generation) now.commit_in_flight = 0;
        self->on_commit_answer({link->agent_id(),
                                link->address(),
                                link->connection_generation(),
                                rotation_id,
                                generation,
                                {}},
                               answer);
    };
    fail_point::reached(fail_point::Point::server_send_commit);
    link.call(protocol::AgentCommit::name,
              protocol::encode(protocol::AgentCommit::Params{rotation_id, generation}),
              std::chrono::seconds{settings->rotation_timeout_seconds}, on_answer, on_answer);
    parts.log.info(
        "rotation.commit_sent",
        {{"agent_id", link.agent_id()}, {"rotation_id", rotation_id}, {"generation", generation}});
}

void Coordinator::State::on_commit_answer(Claim claim, const Result<boost::json::value>& answer) {
    fail_point::reached(fail_point::Point::server_receive_activated);
    // Whatever is missing here, the commit is sent again at the next tick or connect.
    const auto unanswered = [&](std::string_view reason) {
        parts.log.info("rotation.commit_unanswered", {{"agent_id", claim.agent_id},
                                                      {"rotation_id", claim.rotation_id},
                                                      {"generation", claim.generation},
                                                      {"reason", reason}});
    };
    if (answer.has_error()) return unanswered(answer.error().message());
    const auto said = protocol::decode_result<protocol::AgentCommit>(*answer);
    if (said.has_error() || said->rotation_id != claim.rotation_id ||
        said->generation != claim.generation)
        return unanswered("malformed");
    activate(std::make_shared<const Claim>(std::move(claim)));
}

void Coordinator::State::activate(const std::shared_ptr<const Claim>& claim) {
    struct Activated {
        bool changed = false;
        Time attend_at{};
    };
    decide<Activated>(
        parts.store, claim->agent_id,
        [self = shared_from_this(), claim](storage::Transaction& transaction,
                                           storage::AgentRow& row) -> Result<Activated> {
            const Time now = self->parts.clock.now();
            const Policy in_force = self->policy();
            const Transition transition = rotation::activate(row.credentials, claim->generation,
                                                             claim->rotation_id, in_force, now);
            REKEY_TRY(
                apply(transaction, row, transition, came_from(row.agent_id, claim->address), now));
            return Activated{transition.changed(),
                             attend_at(row.credentials, in_force, self->parts.random.unit())};
        },
        [self = shared_from_this(), claim](const Result<Activated>& activated) {
            if (activated.has_error() || !activated->changed) return;
            self->parts.log.info("rotation.activated", {{"agent_id", claim->agent_id},
                                                        {"rotation_id", claim->rotation_id},
                                                        {"generation", claim->generation}});
            self->parts.agents.with(claim->agent_id,
                                    [claim, attend_at = activated->attend_at](AgentLink& link) {
                                        link.progress().attend_at = attend_at;
                                        // Whoever says that it is activated stands on it.
                                        if (link.connection_generation() == claim->connection)
                                            link.bind(claim->generation);
                                    },
                                    {});
        });
}

}  // namespace rekey::server::rotation
