#include "server/sessions/agent_session.hpp"

#include "base/ids.hpp"
#include "base/limits.hpp"
#include "protocol/close_codes.hpp"
#include "protocol/json_text.hpp"
#include "protocol/methods/agent.hpp"
#include "server/sessions/agent_session_parts.hpp"

#include <utility>

namespace rekey::server::sessions {

using protocol::CloseCode;

namespace {

constexpr auto code_of(CloseCode code) { return static_cast<std::uint16_t>(code); }

}  // namespace

AgentSession::AgentSession(SessionHost& host, std::unique_ptr<Wire> wire, Admission admission,
                           std::uint64_t connection)
    : host_(host),
      wire_(std::move(wire)),
      agent_id_(admission.agent_id),
      connection_(connection),
      bound_generation_(admission.generation),
      epoch_(admission.epoch),
      address_(admission.address),
      arrival_(std::make_unique<Arrival>(std::move(admission))),
      connected_at_(host.parts().clock.now()),
      last_frame_(host.shard().now()) {}

AgentSession::~AgentSession() = default;

SessionFacts AgentSession::facts() const {
    return {.connection_generation = connection_,
            .bound_generation = bound_generation_,
            .connected_at = connected_at_,
            .last_seen_at = host_.wall_time_of(last_frame()),
            .remote_address = wire_->remote_address(),
            .secure = wire_->is_secure(),
            .os = os_,
            .methods = methods_};
}

void AgentSession::on_frame() {
    const SteadyTime now = host_.shard().now();
    last_frame_.store(now, std::memory_order_relaxed);
    // Until it is ready its deadline is the one for its hello, however much it sends.
    if (phase_ == Phase::ready) host_.shard().wheel().arm(*this, now, host_.silence());
}

void AgentSession::on_text(std::string_view message) {
    if (phase_ == Phase::closing) return;
    if (phase_ == Phase::arriving) return hold_back(message);
    handle(message);
}

void AgentSession::handle(std::string_view message) {
    auto& arena = host_.arena();
    arena.release();
    const auto document = protocol::parse_json(message, &arena);
    if (document.has_error()) return on_parse_error(document.error());
    const auto parsed = protocol::read_message(*document);
    if (const auto* request = std::get_if<protocol::Request>(&parsed)) return on_request(*request);
    if (phase_ != Phase::ready)
        return close(code_of(CloseCode::protocol_violation), "the first frame must be agent.hello");
    if (const auto* response = std::get_if<protocol::Response>(&parsed)) {
        if (!calls_.on_response(*response))
            host_.parts().log.debug("session.unmatched_answer", {{"agent_id", agent_id_}});
        return;
    }
    const auto& invalid = std::get<protocol::InvalidMessage>(parsed);
    refuse_id(invalid.id, invalid.error);
}

void AgentSession::on_parse_error(const Error& error) {
    if (count_in_minute(parse_errors_) >= limits::kParseErrorsAMinute)
        return close(code_of(CloseCode::protocol_violation), "too much that is no JSON");
    refuse_id(protocol::null_id(), error);
}

std::uint32_t AgentSession::count_in_minute(MinuteCount& counter) const {
    const auto minute = static_cast<std::int32_t>(
        std::chrono::duration_cast<std::chrono::minutes>(last_frame().time_since_epoch()).count());
    if (std::exchange(counter.minute, minute) != minute) counter.count = 0;
    return ++counter.count;
}

void AgentSession::on_deadline() {
    switch (phase_) {
        case Phase::arriving:
            // The store did not answer: not the agent's fault.
            return close(code_of(CloseCode::internal_error), "not now");
        case Phase::greeting:
            return close(code_of(CloseCode::protocol_violation), "no agent.hello in time");
        case Phase::ready:
            return close(code_of(CloseCode::silent), "silent");
        case Phase::closing:
            return;
    }
}

void AgentSession::call(std::string_view method, std::string params, Milliseconds timeout,
                        Answer answer, Answer late) {
    const auto give_up = [&](Code code) {
        wipe_string(params);
        if (answer) answer(Error(code, "the call was not sent"));
    };
    if (phase_ == Phase::closing) return give_up(Code::agent_offline);
    if (calls_.full()) return give_up(Code::overloaded);
    const std::int64_t id = calls_.add(host_.shard().wheel(), host_.shard().now(), timeout,
                                       std::move(answer), std::move(late));
    std::string frame;
    frame.reserve(params.size() + method.size() + 64);
    protocol::append_request(frame, id, method, params);
    wipe_string(params);
    wire_->send(std::move(frame));
}

void AgentSession::push_heartbeat_seconds(std::int64_t seconds) {
    if (phase_ != Phase::ready) return;
    protocol::AgentConfigure::Params params;
    params.settings.heartbeat_seconds = seconds;
    const std::chrono::seconds timeout{host_.settings().rotation_timeout_seconds};
    call(protocol::AgentConfigure::name, protocol::encode(params), timeout, {}, {});
    host_.shard().wheel().arm(*this, host_.shard().now(), host_.silence());
}

void AgentSession::drain(Milliseconds come_back_after) {
    if (phase_ == Phase::closing) return;
    if (phase_ == Phase::ready)
        call(protocol::AgentReconnect::name,
             protocol::encode(protocol::AgentReconnect::Params{come_back_after.count()}),
             limits::kCloseHandshakeTimeout, {}, {});
    close(code_of(CloseCode::draining), "draining");
}

void AgentSession::close(std::uint16_t code, std::string_view reason) {
    if (phase_ == Phase::closing) return;
    phase_ = Phase::closing;
    host_.parts().registry.set_ready(agent_id_, connection_, false);
    net::TimingWheel::disarm(*this);
    wire_->close(code, reason);
    if (probe_) resolve_probe(Life::silent);
}

void AgentSession::on_closed(const net::CloseReason& reason) {
    phase_ = Phase::closing;
    net::TimingWheel::disarm(*this);
    unregister();
    if (probe_) resolve_probe(Life::silent);
    calls_.end();
    host_.parts().log.info("agent.disconnected", {{"agent_id", agent_id_},
                                                  {"connection", connection_},
                                                  {"code", reason.code},
                                                  {"reason", reason.reason},
                                                  {"error", reason.error}});
    host_.forget(place_);
}

void AgentSession::unregister() { host_.parts().registry.remove(agent_id_, connection_); }

void AgentSession::probe(std::function<void(Life)> answer) {
    if (phase_ == Phase::closing) {
        // Its end is under way; the newer one need not wait for it.
        unregister();
        return answer(Life::silent);
    }
    if (!probe_) {
        probe_ = std::make_unique<Probe>(*this);
        probe_->nonce = make_uuid_v7(host_.parts().clock, host_.parts().random);
        host_.shard().wheel().arm(*probe_, host_.shard().now(), limits::kSupersedePingTimeout);
        probe_->answers.push_back(std::move(answer));
        if (phase_ == Phase::ready) probe_->ask();
        return;
    }
    probe_->answers.push_back(std::move(answer));
}

void AgentSession::Probe::ask() {
    protocol::AgentPing::Params params;
    params.nonce = nonce;
    // An answer from before, of another call, or that a closed socket had still in store says
    // nothing about now; nor does an error, which needs nobody who keeps state.
    session.call(protocol::AgentPing::name, protocol::encode(params), limits::kSupersedePingTimeout,
                 [&owner = session, sent = nonce](const Result<boost::json::value>& answer) {
                     if (answer.has_error()) return;
                     const auto said = protocol::decode_result<protocol::AgentPing>(*answer);
                     if (said.has_error() || said->nonce != sent) return;
                     if (owner.probe_ && owner.probe_->nonce == sent)
                         owner.resolve_probe(Life::answers);
                 },
                 {});
}

void AgentSession::resolve_probe(Life life) {
    const auto probe = std::move(probe_);
    if (life == Life::silent) {
        unregister();
        close(code_of(CloseCode::superseded), "superseded");
    }
    for (const auto& answer : probe->answers) answer(life);
}

void AgentSession::Probe::on_deadline() { session.resolve_probe(Life::silent); }

}  // namespace rekey::server::sessions
