#include "protocol/methods/agent_recovery.hpp"

#include "server/methods/agent_view.hpp"
#include "server/methods/parts.hpp"
#include "server/recovery/recovery.hpp"
#include "server/rotation/apply.hpp"
#include "server/rotation/recover.hpp"

#include <utility>

// agents.recover: one more recovery, and with bar_tokens nothing but that.
namespace rekey::server::methods {
namespace {

using protocol::AgentsRecover;
using rpc::Caller;
using rpc::Task;

struct Request {
    Caller caller;
    AgentsRecover::Params params;
    SettingValues settings;
    Time now;
};

struct Granted {
    AgentsRecover::Result result;
    rotation::Transition barred;
};

rotation::Cause cause_of(const Request& request) {
    rotation::Cause cause;
    cause.actor = request.caller.agent_id;
    cause.details = rpc::audit_details(request.caller);
    if (request.params.reason) cause.details["reason"] = *request.params.reason;
    return cause;
}

// Without an identity key a recovery never comes, and barred tokens would lock the agent out.
Result<> require_recoverable(const storage::AgentRow& row) {
    if (row.credentials.status == storage::AgentStatus::revoked)
        return Error(Code::wrong_state, row.name + " is revoked for good; create another agent");
    if (!row.identity_public_key)
        return Error(Code::wrong_state,
                     row.name + " has never enrolled, so it has no identity key to recover with");
    return {};
}

Result<Granted> grant_in(storage::Transaction& transaction, const Request& request) {
    REKEY_TRY(rpc::require_still(transaction, request.caller, "admin:*", request.now));
    REKEY_TRY_ASSIGN(row, transaction.agents().find(request.params.agent_id));
    REKEY_TRY(require_recoverable(row));
    REKEY_TRY(transaction.recoveries().grant(row.agent_id));
    Granted granted;
    if (request.params.bar_tokens) {
        REKEY_TRY_ASSIGN(barred, rotation::bar(row.credentials));
        REKEY_TRY(rotation::apply(transaction, row, barred, cause_of(request), request.now));
        granted.barred = std::move(barred);
    }
    REKEY_TRY_ASSIGN(
        terms, recovery::read_terms(transaction, row.agent_id, request.settings, request.now));
    granted.result.summary = summarise(row, Presence{});
    granted.result.recoveries_left = terms.units_left;
    granted.result.recoveries_granted = terms.units_granted;
    storage::AuditEvent event =
        rpc::audit_event(request.caller, "recovery.granted", row.agent_id, request.now);
    event.details = cause_of(request).details;
    event.details["granted"] = terms.units_granted;
    transaction.audit().append(std::move(event));
    return granted;
}

Task<Result<AgentsRecover::Result>> grant(const Parts& parts, const Caller& caller,
                                          AgentsRecover::Params params) {
    const Request request{caller, std::move(params), *parts.settings.snapshot(), parts.clock.now()};
    auto unit = [request](storage::Transaction& transaction) {
        return grant_in(transaction, request);
    };
    auto granted = co_await rpc::write_to<Granted>(parts.store, std::move(unit));
    if (granted.has_error()) co_return Result<AgentsRecover::Result>(granted.error());
    protocol::AgentSummary& summary = granted->result.summary;
    rotation::close_sessions(parts.sessions, summary.agent_id, granted->barred);
    parts.log.info(request.params.bar_tokens ? "agent.barred" : "recovery.granted",
                   {{"agent_id", summary.agent_id}, {"actor", caller.agent_id}});
    summary.connected = !request.params.bar_tokens && parts.sessions.connected(summary.agent_id);
    co_return Result<AgentsRecover::Result>(std::move(granted->result));
}

}  // namespace

void bind_agent_recovery(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AgentsRecover>([&parts](const Caller& caller, AgentsRecover::Params params) {
        return grant(parts, caller, std::move(params));
    });
}

}  // namespace rekey::server::methods
