#include "protocol/close_codes.hpp"
#include "protocol/methods/agents.hpp"
#include "server/methods/agent_view.hpp"
#include "server/methods/parts.hpp"
#include "server/revocation/revoke.hpp"
#include "server/rotation/apply.hpp"

#include <utility>

// agents.suspend, .reactivate and .revoke (S8): the commit, then the sockets; for a revoke then the
// journal, and only then the answer (docs/adr/0006).
namespace rekey::server::methods {
namespace {

using protocol::AgentChangeParams;
using protocol::AgentSummary;
using rotation::Transition;
using rpc::Caller;
using rpc::Task;

enum class Change : std::uint8_t { suspend, reactivate, revoke };

struct Changed {
    AgentSummary summary;
    Transition transition;
};

struct Request {
    Change change;
    Caller caller;
    AgentChangeParams params;
    Time now;
    const revocation::RevocationJournal* revocations;
};

Result<Transition> apply_in(storage::Transaction& transaction, storage::AgentRow& row,
                            const Request& request, const rotation::Cause& cause) {
    if (request.change == Change::revoke) {
        // Revoked before, and the journal could not be written: what is missing is that alone.
        if (row.credentials.status == storage::AgentStatus::revoked &&
            !request.revocations->holds(row.agent_id))
            return Transition{.after = row.credentials};
        return revocation::revoke_in(transaction, row, cause, request.now);
    }
    REKEY_TRY_ASSIGN(transition, request.change == Change::suspend
                                     ? rotation::suspend(row.credentials)
                                     : rotation::reactivate(row.credentials));
    REKEY_TRY(rotation::apply(transaction, row, transition, cause, request.now));
    return transition;
}

// The caller holds admin:* and is active, which is read in this transaction; as nobody takes
// themselves out, one such admin is always left, so that the last one can never be lost.
Result<Changed> change_in(storage::Transaction& transaction, const Request& request) {
    const Caller& caller = request.caller;
    REKEY_TRY(rpc::require_still(transaction, caller, "admin:*", request.now));
    REKEY_TRY_ASSIGN(row, transaction.agents().find(request.params.agent_id));
    if (request.change != Change::reactivate && row.agent_id == caller.agent_id) {
        return Error(Code::permission_denied,
                     "nobody suspends or revokes themselves: that could lock the last admin out");
    }
    rotation::Cause cause;
    cause.actor = caller.agent_id;
    cause.details = rpc::audit_details(caller);
    if (request.params.reason) cause.details["reason"] = *request.params.reason;
    REKEY_TRY_ASSIGN(transition, apply_in(transaction, row, request, cause));
    return Changed{summarise(row, Presence{}), std::move(transition)};
}

// The agent is out already. Not acknowledged before it stands in the journal as well.
Task<Result<>> note_in_journal(const Parts& parts, const Request& request) {
    revocation::Revocation revocation{request.params.agent_id, request.now,
                                      request.caller.agent_id};
    auto append = [&parts, &revocation](auto answer) {
        parts.revocations.append(std::move(revocation), std::move(answer));
    };
    const auto noted = co_await rpc::await_callback<Result<>>(std::move(append));
    if (noted.has_value()) co_return noted;
    co_return Error(noted.error().code(),
                    "the agent is revoked and let in no more, but the revocation could not be "
                    "noted outside of the database (" +
                        noted.error().message() +
                        "): restoring an older backup would undo it. Make room, then revoke it "
                        "again");
}

Task<Result<AgentSummary>> change(const Parts& parts, Change how, const Caller& caller,
                                  AgentChangeParams params) {
    Request request{how, caller, std::move(params), parts.clock.now(), &parts.revocations};
    auto unit = [request](storage::Transaction& transaction) {
        return change_in(transaction, request);
    };
    auto changed = co_await rpc::write_to<Changed>(parts.store, std::move(unit));
    if (changed.has_error()) co_return Result<AgentSummary>(changed.error());
    AgentSummary& summary = changed->summary;
    rotation::close_sessions(parts.sessions, summary.agent_id, changed->transition);
    if (how != Change::reactivate && parts.close_admin_sockets) {
        const auto code =
            how == Change::revoke ? protocol::CloseCode::revoked : protocol::CloseCode::suspended;
        parts.close_admin_sockets(summary.agent_id, static_cast<std::uint16_t>(code));
    }
    if (changed->transition.changed())
        parts.log.info(changed->transition.action,
                       {{"agent_id", summary.agent_id}, {"actor", caller.agent_id}});
    if (how == Change::revoke) {
        const auto noted = co_await note_in_journal(parts, request);
        if (noted.has_error()) co_return Result<AgentSummary>(noted.error());
    }
    summary.connected = how == Change::reactivate && parts.sessions.connected(summary.agent_id);
    co_return Result<AgentSummary>(std::move(summary));
}

template <protocol::Method M>
void bind_change(rpc::Registry& registry, const Parts& parts, Change how) {
    registry.bind<M>([&parts, how](const Caller& caller, AgentChangeParams params) {
        return change(parts, how, caller, std::move(params));
    });
}

}  // namespace

void bind_agent_status(rpc::Registry& registry, const Parts& parts) {
    bind_change<protocol::AgentsSuspend>(registry, parts, Change::suspend);
    bind_change<protocol::AgentsReactivate>(registry, parts, Change::reactivate);
    bind_change<protocol::AgentsRevoke>(registry, parts, Change::revoke);
}

}  // namespace rekey::server::methods
