#include "protocol/methods/agent_verify.hpp"

#include "base/ids.hpp"
#include "protocol/json_text.hpp"
#include "server/methods/parts.hpp"
#include "server/rpc/capabilities.hpp"
#include "server/sessions/agent_requests.hpp"

#include <utility>

// agent.verify: the rule by which the dispatcher judges callers, asked by an agent about itself.
namespace rekey::server::methods {
namespace {

using protocol::AgentVerify;
using protocol::VerifyReason;
using rpc::Task;
using sessions::AgentCaller;

struct Question {
    AgentCaller caller;
    AgentVerify::Params params;
    std::string verification_id;
    Time now;
};

Result<VerifyReason> judge(storage::Transaction& transaction, const Question& question) {
    const auto row = sessions::require_still(transaction, question.caller);
    if (row.has_error()) {
        // The socket is being closed; until then the answer is no, and says why.
        if (row.error().code() == Code::agent_suspended) return VerifyReason::suspended;
        if (row.error().code() == Code::agent_revoked) return VerifyReason::revoked;
        return row.error();
    }
    const std::string& wanted = question.params.capability;
    REKEY_TRY_ASSIGN(held, transaction.capabilities().list(row->agent_id));
    if (rpc::covers(held, wanted)) return VerifyReason::granted;
    if (rpc::capability_form(wanted) == rpc::CapabilityForm::wildcard)
        return VerifyReason::not_granted;
    const auto registered = transaction.capability_registry().find_by_name(wanted);
    if (registered.has_value()) return VerifyReason::not_granted;
    if (registered.error().code() != Code::not_found) return registered.error();
    return VerifyReason::unknown_capability;
}

// The trail keeps little of what the agent adds: it is for people, and a row is kept for long.
void describe(boost::json::object& details, const Question& question) {
    details["capability"] = question.params.capability;
    if (question.params.resource) details["resource"] = *question.params.resource;
    if (!question.params.context) return;
    std::string text;
    protocol::append_json_object(text, *question.params.context);
    if (text.size() <= limits::kVerifyContextBytes)
        details["context"] = *question.params.context;
    else
        details["context_bytes_left_out"] = text.size();
}

Result<AgentVerify::Result> verify_in(storage::Transaction& transaction, const Question& question) {
    REKEY_TRY_ASSIGN(reason, judge(transaction, question));
    AgentVerify::Result result;
    result.reason = reason;
    result.allowed = reason == VerifyReason::granted;
    result.verification_id = question.verification_id;
    storage::AuditEvent event = sessions::audit_event(question.caller, "capability.verified",
                                                      question.verification_id, question.now);
    describe(event.details, question);
    event.details["allowed"] = result.allowed;
    event.details["reason"] = protocol::name_of(result.reason);
    transaction.audit().append(std::move(event));
    return result;
}

Task<Result<AgentVerify::Result>> verify(const Parts& parts, AgentCaller caller,
                                         AgentVerify::Params params) {
    if (!rpc::capability_form(params.capability))
        co_return Result<AgentVerify::Result>(
            protocol::bad_field({"capability", "a capability as prefix:name or prefix:*"}));
    const Question question{std::move(caller), std::move(params),
                            make_uuid_v7(parts.clock, parts.random), parts.clock.now()};
    auto unit = [question](storage::Transaction& transaction) {
        return verify_in(transaction, question);
    };
    co_return co_await rpc::write_to<AgentVerify::Result>(parts.store, std::move(unit));
}

}  // namespace

void bind_agent_verify(sessions::AgentRequests& requests, const Parts& parts) {
    requests.bind<AgentVerify>([&parts](const AgentCaller& caller, AgentVerify::Params params) {
        return verify(parts, caller, std::move(params));
    });
}

}  // namespace rekey::server::methods
