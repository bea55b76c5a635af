#include "protocol/close_codes.hpp"
#include "protocol/methods/agent_changes.hpp"
#include "server/methods/agent_view.hpp"
#include "server/methods/parts.hpp"
#include "server/methods/rights.hpp"
#include "server/revocation/revoke.hpp"
#include "server/rotation/apply.hpp"
#include "server/rpc/last_admin.hpp"

#include <utility>

// agents.suspend, .reactivate, .revoke and .delete (S8): the commit, then the sockets; for a revoke
// then the journal, and only then the answer (docs/adr/0006). A deletion is a revoke whose row goes
// once the journal says so: a crash between leaves a revoked agent, or its next start removes it.
namespace rekey::server::methods {
namespace {

using protocol::AgentChangeParams;
using protocol::AgentSummary;
using rotation::Transition;
using rpc::Caller;
using rpc::Task;

enum class Change : std::uint8_t { suspend, reactivate, revoke, remove };

constexpr bool ends_it(Change change) {
    return change == Change::revoke || change == Change::remove;
}

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
    if (ends_it(request.change)) {
        // Revoked before: what is missing is the row's end, or the journal could not be written.
        if (row.credentials.status == storage::AgentStatus::revoked &&
            (request.change == Change::remove || !request.revocations->holds(row.agent_id)))
            return Transition{.after = row.credentials};
        return revocation::revoke_in(transaction, row, cause, request.now);
    }
    REKEY_TRY_ASSIGN(transition, request.change == Change::suspend
                                     ? rotation::suspend(row.credentials)
                                     : rotation::reactivate(row.credentials));
    REKEY_TRY(rotation::apply(transaction, row, transition, cause, request.now));
    return transition;
}

// Nobody takes themselves out, nor the last one who administers: the caller may have done with a
// key that ends, or with none any more.
Result<Changed> change_in(storage::Transaction& transaction, const Request& request) {
    REKEY_TRY_ASSIGN(caller,
                     require_now(transaction, request.caller, rpc::kEverything, request.now));
    REKEY_TRY_ASSIGN(row, transaction.agents().find(request.params.agent_id));
    REKEY_TRY(require_another(caller, row.agent_id, "changes their own status"));
    if (request.change != Change::reactivate)
        REKEY_TRY(rpc::require_other_admin_in(transaction, row.agent_id, "that", request.now));
    rotation::Cause cause;
    cause.actor = caller.agent_id;
    cause.details = rpc::audit_details(caller);
    if (request.params.reason) cause.details["reason"] = *request.params.reason;
    REKEY_TRY_ASSIGN(transition, apply_in(transaction, row, request, cause));
    return Changed{summarise(row, Presence{}), std::move(transition)};
}

// The agent is out already. Not acknowledged before it stands in the journal as well.
Task<Result<>> note_in_journal(const Parts& parts, const Request& request) {
    const bool removes = request.change == Change::remove;
    revocation::Revocation revocation{
        request.params.agent_id, request.now, request.caller.agent_id,
        removes ? revocation::End::deleted : revocation::End::revoked};
    auto append = [&parts, &revocation](auto answer) {
        parts.revocations.append(std::move(revocation), std::move(answer));
    };
    const auto noted = co_await rpc::await_callback<Result<>>(std::move(append));
    if (noted.has_value()) co_return noted;
    co_return Error(noted.error().code(),
                    "the agent is revoked and let in no more, but the revocation could not be "
                    "noted outside of the database (" +
                        noted.error().message() +
                        "): restoring an older backup would undo it. Make room, then " +
                        (removes ? "delete" : "revoke") + " it again");
}

Result<> remove_in(storage::Transaction& transaction, const Request& request) {
    auto row = transaction.agents().find(request.params.agent_id);
    // Somebody else's deletion was faster.
    if (row.has_error() && row.error().code() == Code::not_found) return {};
    REKEY_TRY(row);
    storage::AuditEvent event =
        rpc::audit_event(request.caller, "agent.deleted", row->agent_id, request.now);
    if (request.params.reason) event.details["reason"] = *request.params.reason;
    return revocation::remove_in(transaction, *row, std::move(event));
}

Task<Result<>> remove_row(const Parts& parts, const Request& request) {
    auto unit = [request](storage::Transaction& transaction) -> Result<bool> {
        REKEY_TRY(remove_in(transaction, request));
        return true;
    };
    const auto removed = co_await rpc::write_to<bool>(parts.store, std::move(unit));
    if (removed.has_error()) co_return removed.error();
    parts.log.info("agent.deleted",
                   {{"agent_id", request.params.agent_id}, {"actor", request.caller.agent_id}});
    co_return Result<>();
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
    if (changed->transition.changed())
        parts.log.info(changed->transition.action,
                       {{"agent_id", summary.agent_id}, {"actor", caller.agent_id}});
    if (ends_it(how)) {
        const auto noted = co_await note_in_journal(parts, request);
        if (noted.has_error()) co_return Result<AgentSummary>(noted.error());
    }
    if (how == Change::remove) {
        const auto removed = co_await remove_row(parts, request);
        if (removed.has_error()) co_return Result<AgentSummary>(removed.error());
        summary.status = protocol::AgentStatus::deleted;
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
    bind_change<protocol::AgentsDelete>(registry, parts, Change::remove);
}

}  // namespace rekey::server::methods
