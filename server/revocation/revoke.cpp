#include "server/revocation/revoke.hpp"

namespace rekey::server::revocation {

Result<rotation::Transition> revoke_in(storage::Transaction& transaction, storage::AgentRow& row,
                                       const rotation::Cause& cause, Time now) {
    REKEY_TRY_ASSIGN(transition, rotation::revoke(row.credentials));
    REKEY_TRY(rotation::apply(transaction, row, transition, cause, now));
    REKEY_TRY(transaction.api_keys().revoke_all(row.agent_id, now));
    REKEY_TRY(transaction.enrollment_codes().expire_unused(row.agent_id, now));
    return transition;
}

}  // namespace rekey::server::revocation
