#include "protocol/methods/agents.hpp"

#include "base/ids.hpp"
#include "server/methods/agent_view.hpp"
#include "server/methods/grant_view.hpp"
#include "server/methods/parts.hpp"
#include "server/methods/reports.hpp"
#include "server/rpc/capabilities.hpp"
#include "storage/store_async.hpp"

#include <utility>

// agents.create and .get.
namespace rekey::server::methods {
namespace {

using protocol::AgentDetail;
using protocol::AgentsCreate;
using protocol::AgentSummary;
using rpc::Caller;
using rpc::Task;

std::string_view capability_to_create(std::string_view type) {
    return type == storage::kAdminType ? rpc::kEverything : AgentsCreate::access.capability;
}

Task<Result<AgentSummary>> create(const Parts& parts, const Caller& caller,
                                  AgentsCreate::Params params) {
    storage::AgentRow row;
    row.agent_id = make_uuid_v7(parts.clock, parts.random);
    row.name = std::move(params.name);
    row.type = std::move(params.type);
    row.owner = params.owner.value_or("");
    row.labels = std::move(params.labels);
    row.metadata = std::move(params.metadata);
    row.created_at = row.updated_at = parts.clock.now();
    auto unit = [row, caller](storage::Transaction& transaction) -> Result<AgentSummary> {
        const std::string_view needed = capability_to_create(row.type);
        const auto still = rpc::require_still(transaction, caller, needed, row.created_at);
        if (still.has_error()) return still.error();
        const auto inserted = transaction.agents().insert(row);
        if (inserted.has_error() && inserted.error().code() == Code::already_exists) {
            return Error(Code::already_exists, "there is an agent named " + row.name)
                .with("name", boost::json::string(row.name));
        }
        REKEY_TRY(inserted);
        storage::AuditEvent event =
            rpc::audit_event(caller, "agent.created", row.agent_id, row.created_at);
        event.details["name"] = row.name;
        event.details["type"] = row.type;
        transaction.audit().append(std::move(event));
        return summarise(row, Presence{});
    };
    co_return co_await rpc::write_to<AgentSummary>(parts.store, std::move(unit));
}

struct Known {
    storage::AgentRow row;
    std::vector<protocol::GrantView> capabilities;
    std::vector<storage::ReportRow> reports;
};

Result<Known> read_in(storage::Transaction& transaction, const std::string& agent_id) {
    Known known;
    REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
    known.row = std::move(row);
    REKEY_TRY_ASSIGN(grants, transaction.capabilities().grants(agent_id));
    for (const storage::GrantRow& grant : grants) {
        REKEY_TRY_ASSIGN(view, view_grant(transaction, grant));
        known.capabilities.push_back(std::move(view));
    }
    REKEY_TRY_ASSIGN(reports, transaction.reports().list(agent_id));
    known.reports = std::move(reports);
    return known;
}

Task<Result<AgentDetail>> get(const Parts& parts, std::string agent_id) {
    auto known = storage::read_here_as<Known>(parts.store, [&](storage::Transaction& transaction) {
        return read_in(transaction, agent_id);
    });
    if (known.has_error()) co_return Result<AgentDetail>(known.error());
    using Session = std::optional<sessions::SessionFacts>;
    auto ask = [&parts, &agent_id](auto answer) {
        parts.sessions.describe(agent_id, std::move(answer));
    };
    const Session session = co_await rpc::await_callback<Session>(std::move(ask));
    AgentDetail detail = describe(known->row, presence_of(parts, agent_id), session);
    detail.capabilities = std::move(known->capabilities);
    detail.reports = show_reports(known->reports);
    co_return Result<AgentDetail>(std::move(detail));
}

}  // namespace

void bind_agents(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AgentsCreate>([&parts](const Caller& caller, AgentsCreate::Params params) {
        return create(parts, caller, std::move(params));
    });
    registry.bind<protocol::AgentsGet>([&parts](const Caller&, protocol::AgentIdParams params) {
        return get(parts, std::move(params.agent_id));
    });
}

}  // namespace rekey::server::methods
