#include "agent/connector.hpp"

#include "agent/refusal.hpp"
#include "agent/rotation_steps.hpp"
#include "base/limits.hpp"
#include "protocol/close_codes.hpp"
#include "protocol/errors.hpp"

#include <algorithm>
#include <utility>

namespace rekey::agent {
namespace {

constexpr std::uint16_t kNormalClose = static_cast<std::uint16_t>(protocol::CloseCode::normal);

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

constexpr std::string_view kTwoCopies =
    "; another connection came with this agent's token: perhaps two copies of its state file are "
    "in "
    "use, as on a cloned machine; enroll one of them as an agent of its own";

// This agent closes its old connection before it opens a new one, so it was not itself.
bool another_was_there(std::uint16_t code) {
    return code == static_cast<std::uint16_t>(protocol::CloseCode::superseded) ||
           code == static_cast<std::uint16_t>(protocol::CloseCode::contested);
}

}  // namespace

std::string_view to_string(ConnectionState state) {
    switch (state) {
        case ConnectionState::idle:
            return "idle";
        case ConnectionState::waiting:
            return "waiting";
        case ConnectionState::connecting:
            return "connecting";
        case ConnectionState::recovering:
            return "recovering";
        case ConnectionState::connected:
            return "connected";
        case ConnectionState::closing:
            break;
    }
    return "closing";
}

Connector::Connector(const Surroundings& around, TokenVault& vault, AboutAgent about,
                     AutomaticRotation automatic, IdentitySource identity, AgentObserver& observer)
    : around_(around),
      vault_(vault),
      about_(std::move(about)),
      automatic_(automatic),
      observer_(observer),
      backoff_(around.random),
      recovery_(around.transport, std::move(identity), vault.state().agent_id) {}

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
    if (rotation::recovery_due(vault_.held(), refusals_)) return recover();
    if (rotation::next_credential(vault_.held(), passed_over()) == nullptr)
        return begin_again("credential.unsaved",
                           "the newest token is not safe on the disk, and the server does not "
                           "know the older ones",
                           slowly());
    leaving_.reset();
    established_ = false;
    attempted_at_ = around_.clock.steady_now();
    set_phase(Phase::connecting);
    around_.transport.open(*this, [this] { return choose_credential(); });
}

// What was refused, and a candidate that is not durable: a connect with it would promote it. A
// confirmed token that could not be synced is used all the same: a rotation makes it durable as a
// candidate before it is confirmed, so the disk can take back the word "confirmed" and not the
// token, and a disk that fails at the start must not keep an agent away. The one that was never
// durable before is that of an enrollment which was killed in its write: Client does not start with
// it (require_first_token_durable).
std::vector<std::string> Connector::passed_over() {
    std::vector<std::string> names = refusals_.unknown;
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
    refusals_ = {};
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
            return on_token_expired(error);
        case Code::agent_suspended:
            return fail("session.refused", why, slowly());
        default:
            break;
    }
    if (row.retry == protocol::Retry::never) return fail("session.refused", why, slowly());
    fail("session.refused", why, wait_told_by(error) + backoff_.next());
}

void Connector::on_unknown_credential(const Error& error) {
    refusals_.unknown.push_back(tried_);
    RotationSteps(vault_, around_.log, observer_).on_unknown_credential(tried_);
    note_refused_token("unknown_credential: " + error.message());
    wait(Milliseconds{0});
}

void Connector::on_token_expired(const Error& error) {
    refusals_.expired.push_back(tried_);
    RotationSteps(vault_, around_.log, observer_).on_token_expired(tried_);
    note_refused_token("token_expired: " + error.message());
    if (rotation::recovery_due(vault_.held(), refusals_)) return wait(Milliseconds{0});
    begin_again("credential.unsaved",
                "the confirmed token has expired, and the newest one is not safe on the disk",
                slowly());
}

void Connector::note_refused_token(const std::string& why) {
    last_error_ = why;
    around_.log.warning(
        "session.refused",
        {{"agent_id", vault_.state().agent_id}, {"rotation_id", tried_}, {"detail", why}});
}

// A round ended without a session: wait, forget what was refused, and begin with the tokens again.
void Connector::begin_again(std::string_view event, const std::string& why, Milliseconds delay) {
    refusals_ = {};
    fail(event, why, delay);
}

void Connector::on_text(std::string_view message) {
    if (conversation_) conversation_->on_text(message);
}

void Connector::on_frame() {
    if (conversation_) conversation_->on_frame();
}

void Connector::on_established(std::uint64_t generation) {
    established_ = true;
    unproven_recovery_ = false;
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
    const bool another = reason.by == net::ClosedBy::peer && another_was_there(reason.code);
    around_.log.info("session.closed", {{"agent_id", vault_.state().agent_id},
                                        {"code", static_cast<std::uint64_t>(reason.code)},
                                        {"detail", another ? why + std::string(kTwoCopies) : why},
                                        {"by", to_string(reason.by)},
                                        {"retry_in_ms", delay.count()}});
    if (phase_ == Phase::stopping) return end(EndReason::stopped);
    if (!leaving_) last_error_ = why;
    if (revoked) return end(EndReason::revoked);
    wait(delay);
}

// A server closes with 4503 on who has not said hello in time: a process that was suspended just
// then has nothing to change about itself.
bool Connector::was_late_with_hello(const net::CloseReason& reason) const {
    return reason.code == static_cast<std::uint16_t>(protocol::CloseCode::protocol_violation) &&
           !established_ && around_.clock.steady_now() - attempted_at_ >= limits::kHelloTimeout;
}

Milliseconds Connector::delay_after_close(const net::CloseReason& reason) {
    // The server has spread the moments itself.
    if (leaving_ && leaving_->why == Leave::Why::reconnect_asked) return Milliseconds{0};
    const Milliseconds jitter = backoff_.next();
    if (leaving_ || reason.by != net::ClosedBy::peer || was_late_with_hello(reason)) return jitter;
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

void Connector::try_now() {
    if (phase_ != Phase::waiting) return;
    timer_.reset();
    backoff_.reset();
    connect();
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
        case Phase::recovering:
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
        case Phase::recovering:
            status.state = ConnectionState::recovering;
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
