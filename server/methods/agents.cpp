#include "protocol/methods/agents.hpp"

#include "base/ids.hpp"
#include "server/methods/agent_view.hpp"
#include "server/methods/parts.hpp"

#include <algorithm>
#include <utility>

// agents.create, .get and .list.
namespace rekey::server::methods {
namespace {

using protocol::AgentDetail;
using protocol::AgentsCreate;
using protocol::AgentsList;
using protocol::AgentSummary;
using rpc::Caller;
using rpc::Task;

Presence presence_of(const Parts& parts, std::string_view agent_id) {
    const auto heard = parts.sessions.last_frame(agent_id);
    if (!heard) return {};
    const auto ago = std::chrono::duration_cast<Milliseconds>(parts.clock.steady_now() - *heard);
    return {true, parts.clock.now() - ago};
}

// Whoever looks at the list of agents takes one of type "admin" for somebody's who may everything.
std::string_view capability_to_create(std::string_view type) {
    return type == "admin" ? "admin:*" : AgentsCreate::access.capability;
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

Task<Result<AgentDetail>> get(const Parts& parts, std::string agent_id) {
    auto unit = [agent_id](storage::Transaction& transaction) {
        return transaction.agents().find(agent_id);
    };
    const auto row = co_await rpc::read_from<storage::AgentRow>(parts.store, std::move(unit));
    if (row.has_error()) co_return Result<AgentDetail>(row.error());
    using Session = std::optional<sessions::SessionFacts>;
    auto ask = [&parts, &agent_id](auto answer) {
        parts.sessions.describe(agent_id, std::move(answer));
    };
    const Session session = co_await rpc::await_callback<Session>(std::move(ask));
    co_return Result<AgentDetail>(describe(*row, presence_of(parts, agent_id), session));
}

// The name of one agent is a page of one, found by its own index.
Result<std::vector<storage::AgentRow>> read_page(storage::Transaction& transaction,
                                                 const AgentsList::Params& params,
                                                 const storage::AgentFilter& filter,
                                                 std::string_view after, std::size_t rows_a_read) {
    if (!params.name) return transaction.agents().list(filter, after, rows_a_read);
    std::vector<storage::AgentRow> rows;
    if (!after.empty()) return rows;
    auto row = transaction.agents().find_by_name(*params.name);
    if (row.has_error()) {
        if (row.error().code() == Code::not_found) return rows;
        return row.error();
    }
    const bool fits = (!filter.status || row->credentials.status == *filter.status) &&
                      (filter.type.empty() || row->type == filter.type);
    if (fits) rows.push_back(*std::move(row));
    return rows;
}

storage::AgentFilter filter_of(const AgentsList::Params& params) {
    storage::AgentFilter filter;
    filter.type = params.type.value_or("");
    if (params.status) {
        filter.status = *params.status == protocol::AgentStatus::active
                            ? storage::AgentStatus::active
                            : (*params.status == protocol::AgentStatus::suspended
                                   ? storage::AgentStatus::suspended
                                   : storage::AgentStatus::revoked);
    }
    return filter;
}

// "connected" is not a column: pages are read until enough rows fit, or there are no more.
Result<AgentsList::Result> collect(storage::Transaction& transaction, const Parts& parts,
                                   const AgentsList::Params& params) {
    AgentsList::Result page;
    // Deleted agents have no row any more.
    if (params.status == protocol::AgentStatus::deleted) return page;
    const auto filter = filter_of(params);
    const auto wanted = static_cast<std::size_t>(params.limit);
    const std::size_t chunk =
        params.connected ? limits::kPageRows : std::min(limits::kPageRows, wanted + 1);
    std::string after = params.cursor.value_or("");
    for (;;) {
        REKEY_TRY_ASSIGN(rows, read_page(transaction, params, filter, after, chunk));
        for (const auto& row : rows) {
            const Presence presence = presence_of(parts, row.agent_id);
            if (params.connected && *params.connected != presence.connected) {
                continue;
            }
            if (page.agents.size() == wanted) {
                page.next_cursor = page.agents.back().agent_id;
                return page;
            }
            page.agents.push_back(summarise(row, presence));
        }
        if (params.name || rows.size() < chunk) return page;
        after = rows.back().agent_id;
    }
}

Task<Result<AgentsList::Result>> list(const Parts& parts, AgentsList::Params params) {
    auto unit = [&parts, params](storage::Transaction& transaction) {
        return collect(transaction, parts, params);
    };
    co_return co_await rpc::read_from<AgentsList::Result>(parts.store, std::move(unit));
}

}  // namespace

void bind_agents(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AgentsCreate>([&parts](const Caller& caller, AgentsCreate::Params params) {
        return create(parts, caller, std::move(params));
    });
    registry.bind<protocol::AgentsGet>([&parts](const Caller&, protocol::AgentIdParams params) {
        return get(parts, std::move(params.agent_id));
    });
    registry.bind<AgentsList>([&parts](const Caller&, AgentsList::Params params) {
        return list(parts, std::move(params));
    });
}

}  // namespace rekey::server::methods
