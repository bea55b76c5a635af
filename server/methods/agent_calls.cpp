#include "protocol/methods/agent_calls.hpp"

#include "protocol/catalog.hpp"
#include "server/methods/parts.hpp"
#include "server/methods/rights.hpp"

#include <chrono>
#include <utility>

// agents.call, .ping and .configure: what an admin says to an agent on its socket.
namespace rekey::server::methods {
namespace {

using protocol::AgentsCall;
using protocol::AgentsConfigure;
using protocol::AgentsPing;
using rpc::Caller;
using rpc::Task;

struct Message {
    std::string agent_id;
    std::string_view method;
    std::string params;
    std::chrono::seconds timeout{};
};

using Answer = Result<boost::json::value>;

Error offline() { return Error(Code::agent_offline, "the agent is not connected"); }

// What an agent says went wrong is its answer, never a word about the caller's credential or about
// this server: of those that this server made itself only these three are (CallTable).
Answer said_by_agent(Answer answer) {
    if (!answer.has_error()) return answer;
    const Error& error = answer.error();
    if (error.code() == Code::agent_offline || error.code() == Code::agent_timeout ||
        error.code() == Code::overloaded)
        return answer;
    Error own(Code::internal, error.message());
    if (error.verbatim() != nullptr) own = std::move(own).with_verbatim(*error.verbatim());
    return own;
}

// The agent's answer; its own error comes back as it is (Error::verbatim).
Task<Answer> send(const Parts& parts, Message message) {
    auto start = [&parts, &message](const auto& answer) {
        auto action = [method = std::string(message.method), params = std::move(message.params),
                       timeout = message.timeout, answer](rotation::AgentLink& link) {
            // An answer that comes later is nobody's.
            link.call(method, params, timeout, answer, {});
        };
        parts.sessions.with(message.agent_id, std::move(action),
                            [answer] { answer(Answer(offline())); });
    };
    co_return said_by_agent(co_await rpc::await_callback<Answer>(std::move(start)));
}

// Nothing is said to an agent before the trail says by whom. Its answer is no part of it: a trail
// holds no secrets, and what an agent answers is between the two.
Task<Result<bool>> note(const Parts& parts, const Caller& caller, const std::string& agent_id,
                        std::string action, boost::json::object details) {
    const bool connected = parts.sessions.connected(agent_id);
    auto unit = [caller, agent_id, action, details, connected,
                 now = parts.clock.now()](storage::Transaction& transaction) -> Result<bool> {
        REKEY_TRY_ASSIGN(again,
                         require_now(transaction, caller, AgentsCall::access.capability, now));
        REKEY_TRY(transaction.agents().find(agent_id));
        if (!connected) return offline();
        storage::AuditEvent event = rpc::audit_event(again, action, agent_id, now);
        for (const auto& [name, value] : details) event.details[name] = value;
        transaction.audit().append(std::move(event));
        return true;
    };
    co_return co_await rpc::write_to<bool>(parts.store, std::move(unit));
}

Task<Result<AgentsCall::Result>> call(const Parts& parts, const Caller& caller,
                                      AgentsCall::Params params) {
    using Outcome = Result<AgentsCall::Result>;
    if (params.method.empty() || protocol::is_reserved_name(params.method))
        co_return Outcome(protocol::bad_field(
            {"method", "a method of the agent's own: not agent.* and not rpc.*"}));
    std::string text;
    if (params.params) {
        if (!params.params->is_object() && !params.params->is_array())
            co_return Outcome(protocol::bad_field({"params", "an object or an array"}));
        protocol::append_json_value(text, *params.params);
    }
    boost::json::object details{{"method", params.method}};
    const auto noted =
        co_await note(parts, caller, params.agent_id, "agent.called", std::move(details));
    if (noted.has_error()) co_return Outcome(noted.error());
    Message message{params.agent_id, params.method, std::move(text),
                    std::chrono::seconds{params.timeout_seconds}};
    auto answer = co_await send(parts, std::move(message));
    if (answer.has_error()) co_return Outcome(answer.error());
    co_return Outcome(AgentsCall::Result{*std::move(answer)});
}

// What an agent answers to a method of the protocol's own, or that it answered something else.
template <protocol::Method M>
Result<typename M::Result> understood(const Answer& answer) {
    if (answer.has_error()) return answer.error();
    auto result = protocol::decode_result<M>(*answer);
    if (result.has_value()) return result;
    return Error(Code::internal, "the agent answered something else than " + std::string(M::name) +
                                     " is answered with");
}

Task<Result<AgentsPing::Result>> ping(const Parts& parts, AgentsPing::Params params) {
    using Outcome = Result<AgentsPing::Result>;
    auto known = [agent_id = params.agent_id](storage::Transaction& transaction) -> Result<bool> {
        REKEY_TRY(transaction.agents().find(agent_id));
        return true;
    };
    const auto found = co_await rpc::read_from<bool>(parts.store, std::move(known));
    if (found.has_error()) co_return Outcome(found.error());
    const auto began = parts.clock.steady_now();
    Message message{params.agent_id, protocol::AgentPing::name,
                    protocol::encode(protocol::AgentPing::Params{}),
                    std::chrono::seconds{params.timeout_seconds}};
    const auto answer = co_await send(parts, std::move(message));
    const auto life = understood<protocol::AgentPing>(answer);
    if (life.has_error()) co_return Outcome(life.error());
    AgentsPing::Result result;
    result.agent_id = params.agent_id;
    result.uptime_seconds = life->uptime_seconds;
    result.round_trip_ms =
        std::chrono::duration_cast<Milliseconds>(parts.clock.steady_now() - began).count();
    co_return Outcome(std::move(result));
}

// A heartbeat slower than the server waits for would close the session as silent.
std::optional<Error> check(const protocol::AgentSettings& settings, const SettingValues& values) {
    if (!settings.heartbeat_seconds && !settings.log_level)
        return protocol::bad_field({"settings", "heartbeat_seconds or log_level, or both"});
    if (settings.heartbeat_seconds.value_or(0) <= values.heartbeat_seconds) return std::nullopt;
    return protocol::bad_field(
        {"settings.heartbeat_seconds", "at most the setting heartbeat_seconds, which is " +
                                           std::to_string(values.heartbeat_seconds)});
}

Task<Result<AgentsConfigure::Result>> configure(const Parts& parts, const Caller& caller,
                                                AgentsConfigure::Params params) {
    using Outcome = Result<AgentsConfigure::Result>;
    if (auto wrong = check(params.settings, *parts.settings.snapshot()))
        co_return Outcome(*std::move(wrong));
    boost::json::object details;
    if (params.settings.heartbeat_seconds)
        details["heartbeat_seconds"] = *params.settings.heartbeat_seconds;
    if (params.settings.log_level)
        details["log_level"] = protocol::name_of(*params.settings.log_level);
    const auto noted =
        co_await note(parts, caller, params.agent_id, "agent.configured", std::move(details));
    if (noted.has_error()) co_return Outcome(noted.error());
    Message message{params.agent_id, protocol::AgentConfigure::name,
                    protocol::encode(protocol::AgentConfigure::Params{params.settings}),
                    std::chrono::seconds{protocol::kDefaultCallSeconds}};
    const auto answer = co_await send(parts, std::move(message));
    const auto applied = understood<protocol::AgentConfigure>(answer);
    if (applied.has_error()) co_return Outcome(applied.error());
    co_return Outcome(AgentsConfigure::Result{params.agent_id});
}

}  // namespace

void bind_agent_calls(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AgentsCall>([&parts](const Caller& caller, AgentsCall::Params params) {
        return call(parts, caller, std::move(params));
    });
    registry.bind<AgentsPing>([&parts](const Caller&, AgentsPing::Params params) {
        return ping(parts, std::move(params));
    });
    registry.bind<AgentsConfigure>([&parts](const Caller& caller, AgentsConfigure::Params params) {
        return configure(parts, caller, std::move(params));
    });
}

}  // namespace rekey::server::methods
