#include "protocol/methods/agents.hpp"
#include "server/methods/agent_view.hpp"
#include "server/methods/parts.hpp"
#include "server/rpc/capabilities.hpp"

#include <algorithm>
#include <string>
#include <utility>

// agents.list.
namespace rekey::server::methods {
namespace {

using protocol::AgentsList;
using rpc::Caller;
using rpc::Task;

// What the table's list goes by, for a row that was found by its name.
Result<bool> fits_in(storage::Transaction& transaction, const storage::AgentRow& row,
                     const storage::AgentFilter& filter) {
    if (filter.status && row.credentials.status != *filter.status) return false;
    if (!filter.type.empty() && row.type != filter.type) return false;
    if (!filter.owner.empty() && row.owner != filter.owner) return false;
    if (filter.enrolled && has_enrolled(row) != *filter.enrolled) return false;
    for (const auto& [name, value] : filter.labels) {
        const auto label = row.labels.find(name);
        if (label == row.labels.end() || label->second != value) return false;
    }
    if (filter.granted_any_of.empty()) return true;
    REKEY_TRY_ASSIGN(held, transaction.capabilities().list(row.agent_id));
    return std::ranges::find_first_of(held, filter.granted_any_of) != held.end();
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
    REKEY_TRY_ASSIGN(fits, fits_in(transaction, *row, filter));
    if (fits) rows.push_back(*std::move(row));
    return rows;
}

Result<storage::AgentFilter> filter_of(const AgentsList::Params& params) {
    storage::AgentFilter filter;
    filter.type = params.type.value_or("");
    filter.owner = params.owner.value_or("");
    filter.enrolled = params.enrolled;
    if (params.labels) filter.labels = *params.labels;
    if (params.capability) {
        if (!rpc::capability_form(*params.capability))
            return protocol::bad_field({"capability", "a capability as prefix:name or prefix:*"});
        filter.granted_any_of = rpc::covering(*params.capability);
    }
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
                                   const AgentsList::Params& params,
                                   const storage::AgentFilter& filter) {
    AgentsList::Result page;
    // Deleted agents have no row any more.
    if (params.status == protocol::AgentStatus::deleted) return page;
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
    const auto filter = filter_of(params);
    if (filter.has_error()) co_return Result<AgentsList::Result>(filter.error());
    auto unit = [&parts, params, filter = *filter](storage::Transaction& transaction) {
        return collect(transaction, parts, params, filter);
    };
    co_return co_await rpc::read_from<AgentsList::Result>(parts.store, std::move(unit));
}

}  // namespace

void bind_agent_list(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AgentsList>([&parts](const Caller&, AgentsList::Params params) {
        return list(parts, std::move(params));
    });
}

}  // namespace rekey::server::methods
