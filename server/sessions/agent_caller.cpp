#include "server/sessions/agent_caller.hpp"

#include <utility>

namespace rekey::server::sessions {

Result<storage::AgentRow> require_still(storage::Transaction& transaction,
                                        const AgentCaller& caller) {
    auto row = transaction.agents().find(caller.agent_id);
    if (row.has_error()) {
        if (row.error().code() != Code::not_found) return std::move(row).error();
        return Error(Code::unknown_credential, "the agent is not known any more");
    }
    switch (row->credentials.status) {
        case storage::AgentStatus::revoked:
            return Error(Code::agent_revoked, "the agent is revoked");
        case storage::AgentStatus::suspended:
            return Error(Code::agent_suspended, "the agent is suspended");
        case storage::AgentStatus::active:
            break;
    }
    if (row->credentials.epoch != caller.epoch)
        return Error(Code::unknown_credential, "this session belongs to an earlier enrollment");
    return row;
}

storage::AuditEvent audit_event(const AgentCaller& caller, std::string action, std::string subject,
                                Time now) {
    storage::AuditEvent event{.time = now,
                              .actor = caller.agent_id,
                              .action = std::move(action),
                              .subject = std::move(subject),
                              .outcome = "ok",
                              .details = {}};
    if (!caller.address.empty()) event.details["address"] = caller.address;
    return event;
}

}  // namespace rekey::server::sessions
