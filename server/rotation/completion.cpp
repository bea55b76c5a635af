#include "keys/seal.hpp"
#include "protocol/fields.hpp"
#include "protocol/proof.hpp"
#include "server/rotation/coordinator_state.hpp"

// S3 and S4: the agent has proven that it holds the pending token, by an answer, a request or a
// connect.
namespace rekey::server::rotation {

namespace {

struct Completed {
    CompletionVerdict verdict = CompletionVerdict::unrelated;
    Transition transition;
    bool commit_outstanding = false;
    Time attend_at{};
};

Result<> require_let_in(const Credentials& credentials) {
    if (credentials.status == storage::AgentStatus::suspended)
        return Error(Code::agent_suspended, "the agent is suspended");
    if (credentials.status == storage::AgentStatus::revoked)
        return Error(Code::agent_revoked, "the agent is revoked");
    return {};
}

Result<std::uint64_t> answer_for(CompletionVerdict verdict, std::uint64_t generation) {
    switch (verdict) {
        case CompletionVerdict::promoted:
        case CompletionVerdict::duplicate:
            return generation;
        case CompletionVerdict::wrong_proof:
            return protocol::bad_field({"proof", "the proof by the offered token"});
        case CompletionVerdict::unrelated:
            break;
    }
    return Error(Code::wrong_state, "no such rotation is under way");
}

}  // namespace

ProofCheck Coordinator::State::check(const storage::AgentRow& row, const Claim& claim) const {
    const auto& pending = row.credentials.pending;
    if (!pending || pending->rotation_id != claim.rotation_id ||
        pending->generation != claim.generation)
        return ProofCheck::wrong;
    const keys::TokenContext context{row.agent_id, pending->rotation_id, pending->generation};
    const auto token = keys::open_token(parts.master_key, context, pending->sealed_token);
    if (token.has_error()) {
        parts.log.error("rotation.seal_broken", {{"agent_id", row.agent_id},
                                                 {"rotation_id", pending->rotation_id},
                                                 {"generation", pending->generation}});
        return ProofCheck::wrong;
    }
    return protocol::rotation_proof_is_valid(claim.proof, *token, row.agent_id, claim.rotation_id,
                                             claim.generation)
               ? ProofCheck::valid
               : ProofCheck::wrong;
}

void Coordinator::State::complete(Claim claim, Committed answer) {
    auto shared = std::make_shared<const Claim>(std::move(claim));
    decide<Completed>(
        parts.store, shared->agent_id,
        [self = shared_from_this(), shared](storage::Transaction& transaction,
                                            storage::AgentRow& row) -> Result<Completed> {
            REKEY_TRY(require_let_in(row.credentials));
            const Time now = self->parts.clock.now();
            const Policy in_force = self->policy();
            auto result = rotation::complete(row.credentials,
                                             {.generation = shared->generation,
                                              .rotation_id = shared->rotation_id,
                                              .proof = self->check(row, *shared)},
                                             in_force, self->parts.random.unit(), now);
            REKEY_TRY(apply(transaction, row, result.transition,
                            came_from(shared->agent_id, shared->address), now));
            return Completed{result.verdict, std::move(result.transition),
                             commit_outstanding(row.credentials),
                             attend_at(row.credentials, in_force, self->parts.random.unit())};
        },
        [self = shared_from_this(), shared,
         answer = std::move(answer)](Result<Completed> completed) {
            if (completed.has_error()) {
                if (answer) answer(completed.error());
                return;
            }
            self->after_completion(shared, completed->verdict, completed->commit_outstanding,
                                   completed->attend_at);
            close_sessions(self->parts.agents, shared->agent_id, completed->transition);
            if (answer) answer(answer_for(completed->verdict, shared->generation));
        });
}

void Coordinator::State::after_completion(const std::shared_ptr<const Claim>& claim,
                                          CompletionVerdict verdict, bool commit_outstanding,
                                          Time attend_at) {
    if (verdict == CompletionVerdict::unrelated) return;
    if (verdict == CompletionVerdict::wrong_proof)
        return refuse({claim->agent_id, claim->address},
                      {.rotation_id = claim->rotation_id, .reason = "wrong_proof"}, {});
    if (verdict == CompletionVerdict::promoted)
        parts.log.info("rotation.promoted", {{"agent_id", claim->agent_id},
                                             {"rotation_id", claim->rotation_id},
                                             {"generation", claim->generation}});
    // Before the sockets of what was retired are closed: this one stands on the new token now. The
    // commit goes to whichever session the agent has by then.
    parts.agents.with(claim->agent_id,
                      [self = shared_from_this(), claim, verdict, commit_outstanding,
                       attend_at](AgentLink& link) {
                          link.progress().attend_at = attend_at;
                          if (verdict == CompletionVerdict::promoted &&
                              link.connection_generation() == claim->connection)
                              link.bind(claim->generation);
                          if (commit_outstanding)
                              self->send_commit(link, claim->rotation_id, claim->generation);
                      },
                      {});
}

void Coordinator::State::promote_at_connect(std::string agent_id, Bytes32 token_hash,
                                            std::string address,
                                            std::function<void(Result<Accepted>)> answer) {
    struct Entered {
        Accepted accepted;
        Transition transition;
    };
    decide<Entered>(
        parts.store, agent_id,
        [self = shared_from_this(), token_hash, address = std::move(address)](
            storage::Transaction& transaction, storage::AgentRow& row) -> Result<Entered> {
            const Time now = self->parts.clock.now();
            REKEY_TRY_ASSIGN(known, transaction.tombstones().contains(row.agent_id, token_hash));
            REKEY_TRY_ASSIGN(accepted,
                             authenticate(row.credentials, token_hash,
                                          known ? TombstoneMatch::yes : TombstoneMatch::no, now));
            if (accepted.slot != TokenSlot::pending) return Entered{accepted, {}};
            auto result = rotation::complete(row.credentials,
                                             {.generation = accepted.generation,
                                              .rotation_id = accepted.rotation_id,
                                              .proof = ProofCheck::valid},
                                             self->policy(), self->parts.random.unit(), now);
            REKEY_TRY(
                apply(transaction, row, result.transition, came_from(row.agent_id, address), now));
            accepted.slot = TokenSlot::current;
            return Entered{accepted, std::move(result.transition)};
        },
        [self = shared_from_this(), agent_id, answer = std::move(answer)](Result<Entered> entered) {
            if (entered.has_error()) return answer(entered.error());
            if (entered->transition.changed())
                self->parts.log.info("rotation.promoted",
                                     {{"agent_id", agent_id},
                                      {"rotation_id", entered->accepted.rotation_id},
                                      {"generation", entered->accepted.generation}});
            close_sessions(self->parts.agents, agent_id, entered->transition);
            answer(std::move(entered->accepted));
        });
}

}  // namespace rekey::server::rotation
