#include "agent/connector.hpp"

#include "agent/rotation_steps.hpp"
#include "base/limits.hpp"
#include "protocol/close_codes.hpp"
#include "protocol/errors.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace rekey::agent {
namespace {

constexpr std::uint16_t kNormalClose = static_cast<std::uint16_t>(protocol::CloseCode::normal);

std::optional<std::chrono::seconds> retry_after_header(const net::HttpResponse& answer) {
    const std::string_view text = answer.headers.get("Retry-After");
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || seconds < 0)
        return std::nullopt;
    return std::chrono::seconds(
        std::min<std::int64_t>(seconds, std::chrono::seconds(limits::kRetryAfterCap).count()));
}

// What would drop a token or stop the agent for good must come with the status that belongs to it:
// anything else is not our server's word.
bool is_decisive(Code code) {
    return code == Code::unknown_credential || code == Code::token_expired ||
           code == Code::agent_suspended || code == Code::agent_revoked;
}

Error read_refusal(const net::HttpResponse& answer) {
    auto body = protocol::parse_json(answer.body);
    Error error = protocol::error_from_body(body.has_value() ? *body : boost::json::value(nullptr),
                                            answer.status);
    if (is_decisive(error.code()) && protocol::error_row(error.code()).http != answer.status)
        return Error(Code::unavailable, "the answer's body and its HTTP status " +
                                            std::to_string(answer.status) +
                                            " contradict each other");
    const auto told = retry_after_header(answer);
    return !error.retry_after() && told ? std::move(error).with_retry_after(*told) : error;
}

std::string_view to_string(net::ClosedBy by) {
    switch (by) {
        case net::ClosedBy::peer:
            return "server";
        case net::ClosedBy::us:
            return "agent";
        case net::ClosedBy::network:
            break;
    }
    return "network";
}

std::string describe(const net::CloseReason& reason) {
    const std::string_view name = protocol::close_name(reason.code);
    std::string text(reason.by == net::ClosedBy::network ? "connection lost" : name);
    if (!reason.reason.empty() && reason.reason != name) text += ": " + reason.reason;
    if (!reason.error.empty()) text += " (" + reason.error + ")";
    return text;
}

constexpr std::string_view kUntrusted =
    "; nothing was sent. If the server's CA was replaced on purpose, get a new join string and "
    "run: "
    "rekey-agent enroll --replace. Otherwise somebody stands between this agent and its server";

}  // namespace

std::string_view to_string(ConnectionState state) {
    switch (state) {
        case ConnectionState::idle:
            return "idle";
        case ConnectionState::waiting:
            return "waiting";
        case ConnectionState::connecting:
            return "connecting";
        case ConnectionState::connected:
            return "connected";
        case ConnectionState::closing:
            break;
    }
    return "closing";
}

Connector::Connector(const Surroundings& around, TokenVault& vault, AboutAgent about,
                     AutomaticRotation automatic, AgentObserver& observer)
    : around_(around),
      vault_(vault),
      about_(std::move(about)),
      automatic_(automatic),
      observer_(observer),
      backoff_(around.random) {}

Connector::~Connector() {
    if (phase_ == Phase::idle || phase_ == Phase::ended) return;
    if (conversation_) conversation_->end();
    around_.transport.abort();
}

void Connector::start() {
    started_ = around_.clock.steady_now();
    connect();
}

void Connector::connect() {
    conversation_.reset();
    if (rotation::next_credential(vault_.held(), passed_over()) == nullptr) {
        // A6 without recovery: nothing is dropped, and the round begins again.
        refused_.clear();
        return fail("credential.unknown",
                    "the server knows none of this agent's tokens; an admin can make a new "
                    "enrollment code for it (rekeyctl enroll-code)",
                    slowly());
    }
    leaving_.reset();
    established_ = false;
    set_phase(Phase::connecting);
    around_.transport.open(*this, [this] { return choose_credential(); });
}

// What was refused, and a candidate that is not durable: a connect with it would promote it.
std::vector<std::string> Connector::passed_over() {
    std::vector<std::string> names = refused_;
    if (vault_.make_durable()) return names;
    for (const rotation::HeldToken& token : vault_.held())
        if (token.state == rotation::TokenState::candidate) names.push_back(token.rotation_id);
    return names;
}

Secret Connector::choose_credential() {
    const rotation::HeldToken* token = rotation::next_credential(vault_.held(), passed_over());
    if (token == nullptr) return {};
    tried_ = token->rotation_id;
    return token->token;
}

void Connector::wait(Milliseconds delay) {
    retry_at_ = around_.clock.steady_now() + delay;
    timer_ = around_.timers.after(delay, [this] { connect(); });
    set_phase(Phase::waiting);
}

void Connector::set_phase(Phase phase) {
    phase_ = phase;
    observer_.on_changed();
}

void Connector::fail(std::string_view event, const std::string& why, Milliseconds delay) {
    last_error_ = why;
    around_.log.warning(event, {{"agent_id", vault_.state().agent_id},
                                {"server", agent::to_string(vault_.state().server)},
                                {"detail", why},
                                {"retry_in_ms", delay.count()}});
    wait(delay);
}

void Connector::on_open() {
    refused_.clear();
    set_phase(Phase::open);
    Conversation::Owner& owner = *this;
    conversation_ = std::make_unique<Conversation>(around_, vault_, about_, automatic_, started_,
                                                   observer_, owner);
}

void Connector::on_unreachable(const Error& error) {
    if (error.code() == Code::permission_denied)
        return fail("session.untrusted", error.message() + std::string(kUntrusted),
                    backoff_.next());
    fail("session.unreachable", error.message(), backoff_.next());
}

void Connector::on_refused(const net::HttpResponse& answer) { on_refusal(read_refusal(answer)); }

void Connector::on_refusal(const Error& error) {
    const auto& row = protocol::error_row(error.code());
    const std::string why = std::string(row.name) + ": " + error.message();
    switch (error.code()) {
        case Code::unknown_credential:
            return on_unknown_credential(error);
        case Code::agent_revoked:
            last_error_ = why;
            around_.log.error("session.refused",
                              {{"agent_id", vault_.state().agent_id}, {"detail", why}});
            return end(EndReason::revoked);
        case Code::token_expired:
            return fail("session.refused",
                        why +
                            "; an admin can make a new enrollment code for this agent "
                            "(rekeyctl enroll-code)",
                        slowly());
        case Code::agent_suspended:
            return fail("session.refused", why, slowly());
        default:
            break;
    }
    if (row.retry == protocol::Retry::never) return fail("session.refused", why, slowly());
    const Milliseconds told = std::min<Milliseconds>(
        error.retry_after().value_or(std::chrono::seconds(0)), limits::kRetryAfterCap);
    fail("session.refused", why, told + backoff_.next());
}

void Connector::on_unknown_credential(const Error& error) {
    refused_.push_back(tried_);
    RotationSteps(vault_, around_.log, observer_).on_unknown_credential(tried_);
    last_error_ = "unknown_credential: " + error.message();
    around_.log.warning(
        "session.refused",
        {{"agent_id", vault_.state().agent_id}, {"rotation_id", tried_}, {"detail", last_error_}});
    wait(Milliseconds{0});
}

void Connector::on_text(std::string_view message) {
    if (conversation_) conversation_->on_text(message);
}

void Connector::on_frame() {
    if (conversation_) conversation_->on_frame();
}

void Connector::on_established(std::uint64_t generation) {
    established_ = true;
    session_generation_ = generation;
    last_error_.clear();
    backoff_.reset();
    around_.log.info("session.connected", {{"agent_id", vault_.state().agent_id},
                                           {"server", agent::to_string(vault_.state().server)},
                                           {"generation", generation}});
    observer_.on_changed();
    if (std::exchange(rotate_asked_, false)) conversation_->rotate_now();
}

void Connector::on_leave(const Leave& leave) {
    leaving_ = leave;
    session_generation_ = 0;
    if (leave.why == Leave::Why::candidate_unresolved || leave.why == Leave::Why::reconnect_asked) {
        if (phase_ != Phase::stopping) set_phase(Phase::closing);
        return around_.transport.close(kNormalClose, leave.detail);
    }
    // Nothing that this peer says next is of interest, and a silent one would not answer a close.
    around_.transport.abort();
    if (phase_ == Phase::stopping) return end_soon();
    fail("session.closed", leave.detail,
         leave.why == Leave::Why::bad_welcome ? slowly() : backoff_.next());
}

void Connector::on_closed(const net::CloseReason& reason) {
    if (conversation_) conversation_->end();
    session_generation_ = 0;
    const std::string why = leaving_ ? leaving_->detail : describe(reason);
    const bool revoked = reason.by == net::ClosedBy::peer &&
                         reason.code == static_cast<std::uint16_t>(protocol::CloseCode::revoked);
    const bool back = phase_ != Phase::stopping && !revoked;
    const Milliseconds delay = back ? delay_after_close(reason) : Milliseconds{0};
    around_.log.info("session.closed", {{"agent_id", vault_.state().agent_id},
                                        {"code", static_cast<std::uint64_t>(reason.code)},
                                        {"detail", why},
                                        {"by", to_string(reason.by)},
                                        {"retry_in_ms", delay.count()}});
    if (phase_ == Phase::stopping) return end(EndReason::stopped);
    if (!leaving_) last_error_ = why;
    if (revoked) return end(EndReason::revoked);
    wait(delay);
}

Milliseconds Connector::delay_after_close(const net::CloseReason& reason) {
    // The server has spread the moments itself.
    if (leaving_ && leaving_->why == Leave::Why::reconnect_asked) return Milliseconds{0};
    const Milliseconds jitter = backoff_.next();
    if (leaving_ || reason.by != net::ClosedBy::peer) return jitter;
    switch (protocol::reconnect_advice(reason.code)) {
        case protocol::ReconnectAdvice::back_off:
            break;
        case protocol::ReconnectAdvice::wait_a_while:
            // Never opened by ourselves: the old connection is closed before a new one is opened.
            return at_least(limits::kSupersededWait, around_.random);
        case protocol::ReconnectAdvice::slowly:
        case protocol::ReconnectAdvice::not_as_you_are:
            return slowly();
    }
    const auto hint = conversation_ ? conversation_->reconnect_at() : std::nullopt;
    return hint ? std::max(jitter, *hint - around_.clock.steady_now()) : jitter;
}

void Connector::rotate_now() {
    if (phase_ == Phase::open && established_) return conversation_->rotate_now();
    rotate_asked_ = true;
}

void Connector::stop(std::string_view reason) {
    switch (phase_) {
        case Phase::stopping:
        case Phase::ended:
            return;
        case Phase::closing:
            return set_phase(Phase::stopping);
        case Phase::idle:
        case Phase::waiting:
            return end_soon();
        case Phase::connecting:
            around_.transport.abort();
            return end_soon();
        case Phase::open:
            set_phase(Phase::stopping);
            return conversation_->say_shutdown(
                reason, [this] { around_.transport.close(kNormalClose, "stopped"); });
    }
}

// Not from inside stop(): who stops does not expect to be called back before that returns.
void Connector::end_soon() {
    set_phase(Phase::stopping);
    timer_ = around_.timers.after(Milliseconds{0}, [this] { end(EndReason::stopped); });
}

void Connector::end(EndReason reason) {
    timer_.reset();
    set_phase(Phase::ended);
    around_.log.info("agent.ended", {{"agent_id", vault_.state().agent_id},
                                     {"revoked", reason == EndReason::revoked}});
    observer_.on_ended(reason);
}

ConnectorStatus Connector::status() const {
    ConnectorStatus status;
    status.session_generation = session_generation_;
    status.last_error = last_error_;
    switch (phase_) {
        case Phase::idle:
        case Phase::ended:
            break;
        case Phase::waiting:
            status.state = ConnectionState::waiting;
            status.retry_in = std::max(Milliseconds{0}, retry_at_ - around_.clock.steady_now());
            break;
        case Phase::connecting:
            status.state = ConnectionState::connecting;
            break;
        case Phase::open:
            status.state = established_ ? ConnectionState::connected : ConnectionState::connecting;
            break;
        case Phase::closing:
        case Phase::stopping:
            status.state = ConnectionState::closing;
            break;
    }
    return status;
}

}  // namespace rekey::agent
