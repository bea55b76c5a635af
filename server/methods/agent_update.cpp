#include "protocol/methods/agent_changes.hpp"
#include "server/methods/agent_view.hpp"
#include "server/methods/parts.hpp"
#include "server/methods/rights.hpp"

#include <utility>

// agents.update. The token that an agent holds and what it may are no part of it.
namespace rekey::server::methods {
namespace {

using protocol::AgentSummary;
using protocol::AgentsUpdate;
using rpc::Caller;
using rpc::Task;

struct Request {
    Caller caller;
    AgentsUpdate::Params params;
    Time now;
};

// An admin is made by one who may everything; and a name moved from one agent to another is what an
// admin's next grant may go to.
Result<> require_rights(storage::Transaction& transaction, const storage::AgentRow& row,
                        const AgentsUpdate::Params& wanted, const Caller& caller) {
    const bool about_admins =
        wanted.type && *wanted.type != row.type &&
        (*wanted.type == storage::kAdminType || row.type == storage::kAdminType);
    if (about_admins && !caller.may(rpc::kEverything)) return permission_denied(rpc::kEverything);
    return require_as_much_as(transaction, row.agent_id, caller);
}

template <class Value>
void change(boost::json::object& changes, std::string_view name, Value& stored,
            const std::optional<Value>& wanted) {
    if (!wanted || *wanted == stored) return;
    // Labels and metadata may be long, and metadata anything: that they changed has to do.
    if constexpr (std::same_as<Value, std::string>)
        changes[name] = boost::json::object{{"before", stored}, {"after", *wanted}};
    else
        changes[name] = boost::json::object{};
    stored = *wanted;
}

Result<AgentSummary> update_in(storage::Transaction& transaction, const Request& request) {
    const AgentsUpdate::Params& wanted = request.params;
    REKEY_TRY_ASSIGN(caller, require_now(transaction, request.caller,
                                         AgentsUpdate::access.capability, request.now));
    REKEY_TRY_ASSIGN(row, transaction.agents().find(wanted.agent_id));
    REKEY_TRY(require_rights(transaction, row, wanted, caller));
    if (wanted.row_version && *wanted.row_version != row.row_version)
        return Error(Code::conflict, "the agent was changed since: read it again")
            .with("row_version", row.row_version);
    boost::json::object changes;
    change(changes, "name", row.name, wanted.name);
    change(changes, "type", row.type, wanted.type);
    change(changes, "owner", row.owner, wanted.owner);
    change(changes, "labels", row.labels, wanted.labels);
    change(changes, "metadata", row.metadata, wanted.metadata);
    if (changes.empty()) return summarise(row, Presence{});
    row.updated_at = request.now;
    const auto updated = transaction.agents().update(row);
    if (updated.has_error() && updated.error().code() == Code::already_exists)
        return Error(Code::already_exists, "there is an agent named " + row.name)
            .with("name", boost::json::string(row.name));
    REKEY_TRY(updated);
    storage::AuditEvent event =
        rpc::audit_event(caller, "agent.updated", row.agent_id, request.now);
    event.details["changed"] = std::move(changes);
    transaction.audit().append(std::move(event));
    return summarise(row, Presence{});
}

Task<Result<AgentSummary>> update(const Parts& parts, const Caller& caller,
                                  AgentsUpdate::Params params) {
    const Request request{caller, std::move(params), parts.clock.now()};
    auto unit = [request](storage::Transaction& transaction) {
        return update_in(transaction, request);
    };
    auto summary = co_await rpc::write_to<AgentSummary>(parts.store, std::move(unit));
    if (summary.has_value()) summary->connected = parts.sessions.connected(summary->agent_id);
    co_return summary;
}

}  // namespace

void bind_agent_update(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AgentsUpdate>([&parts](const Caller& caller, AgentsUpdate::Params params) {
        return update(parts, caller, std::move(params));
    });
}

}  // namespace rekey::server::methods
