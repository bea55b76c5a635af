#include "base/limits.hpp"
#include "server/methods/agent_findings.hpp"
#include "server/methods/parts.hpp"

#include <utility>

// agents.why.
namespace rekey::server::methods {
namespace {

using protocol::AgentsWhy;
using rpc::Caller;
using rpc::Task;

struct Known {
    storage::AgentRow row;
    std::vector<storage::AuditEvent> recent;
};

// The trail has no index by agent, so only its newest rows are looked through; and only when the
// row alone does not say why.
Result<Known> read_in(storage::Transaction& transaction, const std::string& agent_id) {
    Known known;
    REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
    known.row = std::move(row);
    if (known.row.credentials.status == storage::AgentStatus::active) return known;
    storage::AuditFilter filter{.order = storage::AuditFilter::Order::newest_first};
    REKEY_TRY_ASSIGN(newest, transaction.audit().query(filter, 1));
    if (newest.empty()) return known;
    filter.subject = agent_id;
    if (newest.front().seq > limits::kWhyAuditRows)
        filter.after_seq = newest.front().seq - limits::kWhyAuditRows;
    REKEY_TRY_ASSIGN(rows, transaction.audit().query(filter, limits::kPageRows));
    for (auto& one : rows) known.recent.push_back(std::move(one.event));
    return known;
}

Task<Result<AgentsWhy::Result>> why(const Parts& parts, std::string agent_id) {
    auto unit = [agent_id](storage::Transaction& transaction) {
        return read_in(transaction, agent_id);
    };
    auto known = co_await rpc::read_from<Known>(parts.store, std::move(unit));
    if (known.has_error()) co_return Result<AgentsWhy::Result>(known.error());
    using Session = std::optional<sessions::SessionFacts>;
    auto ask = [&parts, &agent_id](auto answer) {
        parts.sessions.describe(agent_id, std::move(answer));
    };
    Session session = co_await rpc::await_callback<Session>(std::move(ask));
    const Evidence evidence{.row = known->row,
                            .session = std::move(session),
                            .recent = std::move(known->recent),
                            .policy = parts.settings.snapshot()->rotation_policy(),
                            .now = parts.clock.now()};
    AgentsWhy::Result result{known->row.agent_id, known->row.name, findings(evidence)};
    co_return Result<AgentsWhy::Result>(std::move(result));
}

}  // namespace

void bind_agents_why(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AgentsWhy>([&parts](const Caller&, AgentsWhy::Params params) {
        return why(parts, std::move(params.agent_id));
    });
}

}  // namespace rekey::server::methods
