#include "server/sessions/agent_requests.hpp"

#include "base/contract.hpp"
#include "protocol/methods/agent_requests.hpp"

#include <algorithm>
#include <array>

namespace rekey::server::sessions {
namespace {

// Those that AgentSession::on_request answers by itself, because they are about the session.
constexpr std::array kOfTheSession{
    protocol::AgentHello::name,
    protocol::AgentHeartbeat::name,
    protocol::AgentRotationComplete::name,
    protocol::AgentRotationFailed::name,
    protocol::AgentKeyStatus::name,
    protocol::AgentRotateKey::name,
    protocol::AgentShutdown::name,
};

}  // namespace

void AgentRequests::add(std::string_view method, Run run) {
    const bool is_new = runs_.emplace(method, std::move(run)).second;
    REKEY_ASSERT(is_new);
}

void AgentRequests::call(Shard& shard, const AgentCaller& caller, std::string_view method,
                         const boost::json::value* params, Answer answer) const {
    const auto found = runs_.find(method);
    if (found == runs_.end())
        return answer(Error(Code::method_not_found, "an agent cannot call this method"));
    found->second(shard, caller, params, std::move(answer));
}

void AgentRequests::require_complete() const {
    std::string missing;
    for (const auto& info : protocol::catalog()) {
        if (info.access.caller != protocol::Caller::agent || runs_.contains(info.name) ||
            std::find(kOfTheSession.begin(), kOfTheSession.end(), info.name) != kOfTheSession.end())
            continue;
        missing.append(missing.empty() ? "" : ", ").append(info.name);
    }
    if (missing.empty()) return;
    throw StartupError("this build declares methods of agents that nothing handles: " + missing);
}

}  // namespace rekey::server::sessions
