#include "base/ids.hpp"
#include "protocol/methods/agents.hpp"
#include "protocol/token.hpp"
#include "server/methods/agent_view.hpp"
#include "server/methods/parts.hpp"
#include "server/methods/rights.hpp"
#include "storage/meta_names.hpp"

#include <utility>

namespace rekey::server::methods {
namespace {

using protocol::AgentsEnrollmentCode;
using rpc::Caller;
using rpc::Task;

Result<> require_enrollable(storage::Transaction& transaction, const storage::AgentRow& row,
                            const Caller& caller) {
    if (row.credentials.status != storage::AgentStatus::active) {
        const bool revoked = row.credentials.status == storage::AgentStatus::revoked;
        return Error(Code::wrong_state,
                     row.name + (revoked ? " is revoked for good; create another agent"
                                         : " is suspended; reactivate it first"));
    }
    // Its credential is admin.key, which rekeyd alone makes; an agent in its name would be one more
    // way in, which `rekeyd admin-key --reset` does not end.
    REKEY_TRY_ASSIGN(built_in, transaction.meta().get(storage::meta_names::kAdminAgentId));
    if (built_in && *built_in == Bytes(row.agent_id.begin(), row.agent_id.end())) {
        return Error(Code::permission_denied,
                     "the built-in admin has an API key and does not enroll: create an agent");
    }
    // Enrolling again ends the tokens that it holds: that is a revocation of them.
    if (has_enrolled(row) && !caller.may("admin:*")) return rpc::permission_denied("admin:*");
    // Who enrolls as an agent is that agent.
    return require_as_much_as(transaction, row.agent_id, caller);
}

struct Fresh {
    Caller caller;
    storage::EnrollmentCodeRow code;
};

Result<bool> insert_code(storage::Transaction& transaction, const Fresh& fresh) {
    storage::EnrollmentCodeRow code = fresh.code;
    REKEY_TRY_ASSIGN(caller,
                     require_now(transaction, fresh.caller, "agents:write", code.created_at));
    REKEY_TRY_ASSIGN(row, transaction.agents().find(code.agent_id));
    REKEY_TRY(require_enrollable(transaction, row, caller));
    // At most one unused code an agent: an older one must not outlive what this one begins.
    REKEY_TRY(transaction.enrollment_codes().expire_unused(code.agent_id, code.created_at));
    // What the agent gets later is not its maker's to hand out: see server/enrollment.
    code.maker_capabilities = caller.effective();
    REKEY_TRY(transaction.enrollment_codes().insert(code));
    storage::AuditEvent event =
        rpc::audit_event(caller, "enrollment_code.created", code.agent_id, code.created_at);
    event.details["code_id"] = code.code_id;
    transaction.audit().append(std::move(event));
    return true;
}

Task<Result<AgentsEnrollmentCode::Result>> make_code(const Parts& parts, const Caller& caller,
                                                     std::string agent_id) {
    const std::chrono::minutes life{parts.settings.snapshot()->enrollment_code_minutes};
    Fresh fresh;
    fresh.caller = caller;
    fresh.code.code_id = make_uuid_v7(parts.clock, parts.random);
    fresh.code.agent_id = std::move(agent_id);
    fresh.code.created_by = caller.agent_id;
    fresh.code.created_at = parts.clock.now();
    fresh.code.expires_at = fresh.code.created_at + life;
    AgentsEnrollmentCode::Result result;
    result.code = protocol::mint_token(protocol::TokenKind::enrollment_code, fresh.code.code_id,
                                       parts.random);
    result.join_string = parts.facts.join_string(result.code);
    result.expires_at = fresh.code.expires_at;
    fresh.code.code_hash = protocol::token_hash(result.code);
    auto unit = [fresh](storage::Transaction& transaction) {
        return insert_code(transaction, fresh);
    };
    const auto inserted = co_await rpc::write_to<bool>(parts.store, std::move(unit));
    if (inserted.has_error()) {
        co_return Result<AgentsEnrollmentCode::Result>(inserted.error());
    }
    co_return Result<AgentsEnrollmentCode::Result>(std::move(result));
}

}  // namespace

void bind_enrollment_code(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AgentsEnrollmentCode>(
        [&parts](const Caller& caller, protocol::AgentIdParams params) {
            return make_code(parts, caller, std::move(params.agent_id));
        });
}

}  // namespace rekey::server::methods
