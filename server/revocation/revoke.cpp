#include "server/revocation/revoke.hpp"

#include "base/contract.hpp"

#include <utility>

namespace rekey::server::revocation {

Result<rotation::Transition> revoke_in(storage::Transaction& transaction, storage::AgentRow& row,
                                       const rotation::Cause& cause, Time now) {
    REKEY_TRY_ASSIGN(transition, rotation::revoke(row.credentials));
    REKEY_TRY(rotation::apply(transaction, row, transition, cause, now));
    REKEY_TRY(transaction.api_keys().revoke_all(row.agent_id, now));
    REKEY_TRY(transaction.enrollment_codes().expire_unused(row.agent_id, now));
    return transition;
}

Result<> remove_in(storage::Transaction& transaction, const storage::AgentRow& row,
                   storage::AuditEvent event) {
    // A token that nobody tombstoned would be forgotten rather than refused.
    REKEY_ASSERT(row.credentials.status == storage::AgentStatus::revoked);
    event.action = "agent.deleted";
    event.subject = row.agent_id;
    event.outcome = "ok";
    event.details["name"] = row.name;
    event.details["type"] = row.type;
    REKEY_TRY(transaction.agents().remove(row.agent_id));
    transaction.audit().append(std::move(event));
    return {};
}

}  // namespace rekey::server::revocation
