#include "base/limits.hpp"
#include "base/secret.hpp"
#include "protocol/close_codes.hpp"
#include "protocol/methods/agent_requests.hpp"
#include "server/sessions/agent_requests.hpp"
#include "server/sessions/agent_session_parts.hpp"

#include <chrono>

// What an agent may ask on its socket.
namespace rekey::server::sessions {

using protocol::RequestId;

namespace {

protocol::AgentKeyStatus::Result key_status_of(const storage::AgentRow& row,
                                               const storage::CurrentToken& current, Time now) {
    protocol::AgentKeyStatus::Result status;
    const rotation::Credentials& credentials = row.credentials;
    status.generation = current.generation;
    status.issued_at = current.issued_at;
    status.expires_at = current.expires_at;
    if (current.expires_at)
        status.days_until_expiration =
            std::chrono::floor<std::chrono::days>(*current.expires_at - now).count();
    status.should_rotate =
        !current.expires_at || !credentials.rotate_at || now >= *credentials.rotate_at;
    status.in_grace_period = credentials.previous.has_value();
    if (credentials.previous) status.previous_valid_until = credentials.previous->retire_after;
    status.rotation_count = row.rotation_count;
    return status;
}

}  // namespace

template <protocol::Method M>
std::optional<typename M::Params> AgentSession::params_of(const protocol::Request& request) {
    auto params = protocol::decode_params<M>(request.params);
    if (params.has_value()) return *std::move(params);
    refuse(request, params.error());
    return std::nullopt;
}

template std::optional<protocol::AgentHello::Params> AgentSession::params_of<protocol::AgentHello>(
    const protocol::Request&);

template <class Outcome>
void AgentSession::answer(const std::optional<RequestId>& id, const Outcome& result) {
    if (!id || phase_ == Phase::closing) return;
    std::string frame;
    frame.reserve(128);
    protocol::append_result(frame, *id, result);
    wire_->send(std::move(frame));
}

template <class Value, class Shape>
std::function<void(const Result<Value>&)> AgentSession::back(const std::optional<RequestId>& id,
                                                             Shape shape) {
    return
        [weak = weak_from_this(), &shard = host_.shard(), id, shape](const Result<Value>& outcome) {
            shard.post([weak, id, shape, outcome] {
                const auto self = weak.lock();
                if (!self || !id) return;
                if (outcome.has_error())
                    self->refuse_id(*id, outcome.error());
                else
                    self->answer(id, shape(*outcome));
            });
        };
}

void AgentSession::refuse_id(const RequestId& id, const Error& error) {
    if (phase_ == Phase::closing) return;
    std::string frame;
    protocol::append_error(frame, id, error);
    wire_->send(std::move(frame));
}

void AgentSession::refuse(const protocol::Request& request, const Error& error) {
    if (request.id) refuse_id(*request.id, error);
}

void AgentSession::on_request(const protocol::Request& request) {
    using namespace protocol;
    if (phase_ == Phase::greeting) {
        if (request.method == AgentHello::name) return on_hello(request);
        return close(static_cast<std::uint16_t>(CloseCode::protocol_violation),
                     "the first frame must be agent.hello");
    }
    // First, because it is nearly all that an agent says.
    if (request.method == AgentHeartbeat::name) return on_heartbeat(request);
    if (const auto allowed = host_.parts().calls.count_by_agent(agent_id_); allowed.has_error())
        return refuse(request, allowed.error());
    if (request.method == AgentRotationComplete::name) return on_rotation_complete(request);
    if (request.method == AgentRotationFailed::name) return on_rotation_failed(request);
    if (request.method == AgentKeyStatus::name) return on_key_status(request);
    if (request.method == AgentRotateKey::name) return on_rotate_key(request);
    if (request.method == AgentShutdown::name) return on_shutdown(request);
    if (request.method == AgentHello::name)
        return refuse(request, Error(Code::wrong_state, "agent.hello was said already"));
    on_other(request);
}

// A heartbeat trusts its session: no look at the row.
void AgentSession::on_heartbeat(const protocol::Request& request) {
    if (!params_of<protocol::AgentHeartbeat>(request)) return;
    if (request.id) send_result(*request.id, host_.heartbeat_result());
}

void AgentSession::send_result(const RequestId& id, std::string_view json) {
    if (phase_ == Phase::closing) return;
    std::string frame;
    frame.reserve(json.size() + 64);
    protocol::append_result(frame, id, json);
    wire_->send(std::move(frame));
}

void AgentSession::on_rotation_complete(const protocol::Request& request) {
    auto params = params_of<protocol::AgentRotationComplete>(request);
    if (!params) return;
    host_.parts().coordinator.on_complete(
        *this, {.generation = params->generation, .rotation_id = std::move(params->rotation_id)},
        std::move(params->proof),
        back<std::uint64_t>(request.id, [](const std::uint64_t& generation) {
            protocol::AgentRotationComplete::Result result;
            result.generation = generation;
            return result;
        }));
}

void AgentSession::on_rotation_failed(const protocol::Request& request) {
    auto params = params_of<protocol::AgentRotationFailed>(request);
    if (!params) return;
    host_.parts().coordinator.on_failed(
        *this,
        {.rotation_id = std::move(params->rotation_id),
         .reason = std::string(protocol::name_of(params->reason)),
         .newest_held = params->newest_held},
        [then = back<bool>(request.id, [](const bool&) {
             return protocol::AgentRotationFailed::Result{};
         })](const Result<>& result) {
            then(result.has_error() ? Result<bool>(result.error()) : Result<bool>(true));
        });
}

void AgentSession::on_key_status(const protocol::Request& request) {
    if (!params_of<protocol::AgentKeyStatus>(request)) return;
    using Status = protocol::AgentKeyStatus::Result;
    auto status = std::make_shared<Status>();
    host_.parts().store.read(
        [status, agent_id = agent_id_,
         &clock = host_.parts().clock](storage::Transaction& transaction) -> Result<> {
            REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
            if (!row.credentials.current)
                return Error(Code::wrong_state, "the agent has no current token");
            *status = key_status_of(row, *row.credentials.current, clock.now());
            return {};
        },
        [status, then = back<Status>(request.id, [](const Status& found) { return found; })](
            const Result<>& result) {
            then(result.has_error() ? ::rekey::Result<Status>(result.error())
                                    : ::rekey::Result<Status>(*status));
        });
}

void AgentSession::on_rotate_key(const protocol::Request& request) {
    if (!params_of<protocol::AgentRotateKey>(request)) return;
    host_.parts().coordinator.start(
        {.agent_id = agent_id_,
         .cause = storage::RotationCause::agent,
         .actor = agent_id_,
         .details = {{"address", address()}}},
        [then = back<std::string>(request.id, [](const std::string& rotation_id) {
             protocol::AgentRotateKey::Result result;
             result.rotation_id = rotation_id;
             return result;
         })](const Result<rotation::RotationView>& view) {
            if (view.has_error()) return then(view.error());
            // Only when this session ended meanwhile: nobody will read the answer.
            if (!view->rotation_id) return then(Error(Code::agent_offline, "the session ended"));
            then(*view->rotation_id);
        });
}

void AgentSession::on_shutdown(const protocol::Request& request) {
    const auto params = params_of<protocol::AgentShutdown>(request);
    if (!params) return;
    host_.parts().log.info("agent.shutdown", {{"agent_id", agent_id_},
                                              {"reason", params->reason.value_or("")},
                                              {"restart", params->restart}});
    answer(request.id, protocol::AgentShutdown::Result{});
}

void AgentSession::on_other(const protocol::Request& request) {
    if (others_in_flight_ >= limits::kAgentRequestsInFlight)
        return refuse(request, Error(Code::overloaded, "too many requests of this agent wait"));
    ++others_in_flight_;
    const AgentCaller caller{
        .agent_id = agent_id_, .address = without_port(wire_->remote_address()), .epoch = epoch_};
    host_.parts().requests.call(
        host_.shard(), caller, request.method, request.params,
        [weak = weak_from_this(), id = request.id](Result<std::string> outcome) {
            const auto self = weak.lock();
            if (self) --self->others_in_flight_;
            if (outcome.has_error()) {
                if (self && id) self->refuse_id(*id, outcome.error());
                return;
            }
            if (self && id) self->send_result(*id, *outcome);
            wipe_string(*outcome);
        });
}

}  // namespace rekey::server::sessions
