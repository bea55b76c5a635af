#include "server/rpc/dispatcher.hpp"

#include "protocol/errors.hpp"

#include <boost/json/object.hpp>

#include <utility>

namespace rekey::server::rpc {
namespace {

bool speaks_of_itself(const Caller& caller, const boost::json::value* params) {
    const auto* object = params == nullptr ? nullptr : params->if_object();
    const auto* agent_id = object == nullptr ? nullptr : object->if_contains("agent_id");
    return agent_id != nullptr && agent_id->is_string() &&
           std::string_view(agent_id->get_string()) == caller.agent_id;
}

}  // namespace

// limit -> find -> authorise -> decode -> call -> audit -> metrics -> encode. The limit comes
// first, because it bounds what finding out costs as well; what it refuses is not audited, or it
// would bound nothing. A change that succeeds is audited by its own transaction (I11); what is left
// to audit here is the refusal.
Task<Result<std::string>> Dispatcher::call(Caller caller, std::string_view method,
                                           const boost::json::value* params, Seen seen) const {
    const auto began = parts_.clock.steady_now();
    Result<std::string> answer = std::string();

    const Route* route = parts_.registry.find(method);
    if (const auto allowed = parts_.calls.count(caller.agent_id); allowed.has_error()) {
        answer = allowed.error();
    } else if (route != nullptr) {
        const auto authorised = authorise(caller, seen, route->info.access, params);
        if (authorised.has_error()) {
            answer = authorised.error();
        } else if (auto prepared = route->decode(params); prepared.has_error()) {
            answer = prepared.error();
        } else {
            const auto done = co_await (*prepared)->run(caller);
            answer = done.has_error() ? Result<std::string>(done.error())
                                      : Result<std::string>((*prepared)->result());
        }
        // An agent's own error is its answer to a call that was let through.
        const bool refused = answer.has_error() && answer.error().verbatim() == nullptr;
        if (refused && route->info.access.audited == protocol::Audited::yes) {
            co_await audit_refusal(caller, method, answer.error());
        }
    } else {
        answer = Error(Code::method_not_found, "there is no such method");
    }

    const std::string_view outcome =
        answer.has_error() ? protocol::error_name(answer.error().code()) : "ok";
    const auto duration =
        std::chrono::duration_cast<Milliseconds>(parts_.clock.steady_now() - began);
    if (parts_.log.enabled(LogLevel::debug)) {
        parts_.log.debug("admin.called", {{"method", route == nullptr ? "" : method},
                                          {"outcome", outcome},
                                          {"agent_id", caller.agent_id},
                                          {"request_id", caller.request_id},
                                          {"duration_ms", duration.count()}});
    }
    if (parts_.observe) {
        parts_.observe(CallFacts{route == nullptr ? "" : route->info.name, outcome, duration});
    }
    co_return answer;
}

Result<> Dispatcher::authorise(Caller& caller, Seen seen, const protocol::Access& access,
                               const boost::json::value* params) const {
    // Before any look-up, so that it tells nothing about others.
    if (access.caller == protocol::Caller::self && !speaks_of_itself(caller, params)) {
        return Error(Code::permission_denied, "an API key speaks of its own agent here");
    }
    if (seen == Seen::earlier) {
        REKEY_TRY_ASSIGN(again, parts_.authenticator.again(caller));
        caller = std::move(again);
    }
    if (!access.capability.empty() && !caller.may(access.capability)) {
        return permission_denied(access.capability);
    }
    return {};
}

Task<void> Dispatcher::audit_refusal(const Caller& caller, std::string_view method,
                                     const Error& error) const {
    storage::AuditEvent event =
        audit_event(caller, std::string(method), caller.agent_id, parts_.clock.now());
    event.outcome = std::string(protocol::error_name(error.code()));
    auto write = [event](storage::Transaction& transaction) -> Result<bool> {
        transaction.audit().append(event);
        return true;
    };
    const auto written = co_await write_to<bool>(parts_.store, std::move(write));
    if (written.has_error()) {
        parts_.log.error("audit.failed",
                         {{"method", method}, {"error", written.error().message()}});
    }
}

}  // namespace rekey::server::rpc
