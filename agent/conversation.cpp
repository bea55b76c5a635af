#include "agent/conversation.hpp"

#include "base/contract.hpp"
#include "base/fail_point.hpp"
#include "base/limits.hpp"
#include "base/secret.hpp"
#include "protocol/catalog.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace rekey::agent {
namespace {

// Most messages fit; the memory of longer ones comes from the heap.
constexpr std::size_t kArenaBytes = 4096;

std::vector<protocol::HeldToken> report(const rotation::HeldTokens& held) {
    std::vector<protocol::HeldToken> tokens;
    for (const rotation::HeldToken& token : held)
        tokens.push_back({token.generation, token.rotation_id,
                          token.state == rotation::TokenState::candidate
                              ? protocol::TokenState::candidate
                              : protocol::TokenState::confirmed});
    return tokens;
}

}  // namespace

Conversation::Conversation(const Surroundings& around, TokenVault& vault, const AboutAgent& about,
                           AutomaticRotation automatic, SteadyTime started, AgentObserver& observer,
                           Owner& owner)
    : around_(around),
      vault_(vault),
      about_(about),
      automatic_(automatic),
      started_(started),
      observer_(observer),
      owner_(owner),
      steps_(vault, around.log, observer),
      calls_(around.timers, [this](std::string text) { around_.transport.send(std::move(text)); }),
      last_frame_(around.clock.steady_now()) {
    arm_silence(limits::kWelcomeTimeout);
}

void Conversation::end() {
    ended_ = true;
    heartbeat_timer_.reset();
    silence_timer_.reset();
    age_timer_.reset();
    reconnect_timer_.reset();
    waiting_.reset();
    calls_.drop_all();
}

void Conversation::leave(Leave::Why why, std::string detail) {
    if (ended_) return;
    end();
    owner_.on_leave({why, std::move(detail)});
}

void Conversation::on_frame() { last_frame_ = around_.clock.steady_now(); }

void Conversation::on_text(std::string_view message) {
    if (ended_) return;
    std::array<unsigned char, kArenaBytes> arena;
    {
        boost::json::monotonic_resource memory(arena.data(), arena.size());
        auto document = protocol::parse_json(message, &memory);
        if (document.has_error()) {
            around_.log.warning("session.bad_message", {{"detail", document.error().message()}});
            refuse(protocol::null_id(), document.error());
        } else {
            const auto envelope = protocol::read_message(*document);
            if (const auto* request = std::get_if<protocol::Request>(&envelope))
                on_request(*request);
            else if (const auto* response = std::get_if<protocol::Response>(&envelope))
                calls_.on_response(*response);
            else if (const auto* invalid = std::get_if<protocol::InvalidMessage>(&envelope))
                refuse(invalid->id, invalid->error);
        }
    }
    // An offer's token was in there.
    wipe_memory(arena.data(), arena.size());
}

void Conversation::on_request(const protocol::Request& request) {
    using namespace protocol;
    if (request.method == AgentWelcome::name) return on_welcome(request.params);
    if (!welcomed_)
        return refuse(request.id, Error(Code::wrong_state, "nothing comes before agent.welcome"));
    if (request.method == AgentRotate::name) return on_rotate(request);
    if (request.method == AgentCommit::name) return on_commit(request);
    if (request.method == AgentPing::name) return on_ping(request);
    if (request.method == AgentConfigure::name) return on_configure(request);
    if (request.method == AgentReconnect::name) return on_reconnect(request);
    on_custom(request);
}

void Conversation::on_welcome(const JsonValue* params) {
    fail_point::reached(fail_point::Point::agent_receive_welcome);
    if (welcomed_) return;
    auto welcome = protocol::decode_params<protocol::AgentWelcome>(params);
    if (welcome.has_error())
        return leave(Leave::Why::bad_welcome,
                     "the server's welcome is not understood: " + welcome.error().message());
    if (welcome->agent_id != vault_.state().agent_id)
        return leave(Leave::Why::bad_welcome, "the server takes this agent for another one");
    welcomed_ = true;
    generation_ = welcome->generation;
    heartbeat_ = std::chrono::seconds(welcome->heartbeat_seconds);
    note_server_time(welcome->server_time);
    steps_.on_welcome(welcome->rotation_id, welcome->generation);
    if (ended_) return;
    apply(welcome->settings);
    send_hello();
}

void Conversation::send_hello() {
    protocol::AgentHello::Params hello;
    hello.version = about_.version;
    hello.hostname = about_.hostname;
    hello.os = about_.os;
    hello.boot_id = about_.boot_id;
    hello.tokens_held = report(vault_.held());
    hello.methods = observer_.methods();
    if (hello.methods.size() > limits::kReportedMethods)
        hello.methods.resize(limits::kReportedMethods);
    fail_point::reached(fail_point::Point::agent_send_hello);
    calls_.call<protocol::AgentHello>(hello, limits::kWelcomeTimeout,
                                      [this](const auto& answer) { on_hello_answered(answer); });
}

void Conversation::on_hello_answered(const Result<JsonValue>& answer) {
    fail_point::reached(fail_point::Point::agent_receive_hello_answer);
    // A refusal of a hello that is as the protocol wants it cannot be mended here: the server
    // closes, and the agent comes back with back-off.
    if (answer.has_error())
        return leave(Leave::Why::silence, "agent.hello: " + answer.error().message());
    established_ = true;
    const auto milliseconds = static_cast<std::uint64_t>(heartbeat_.count());
    // The first one at a random moment, so that a fleet that came back together does not beat
    // together.
    arm_heartbeat(Milliseconds{around_.random.between(milliseconds / 4, milliseconds)});
    arm_silence(tolerated_silence());
    owner_.on_established(generation_);
}

void Conversation::on_rotate(const protocol::Request& request) {
    fail_point::reached(fail_point::Point::agent_receive_rotate);
    auto offer = protocol::decode_params<protocol::AgentRotate>(request.params);
    if (offer.has_error()) return refuse(request.id, offer.error());
    if (!request.id) return;  // nobody would hear that it is saved
    const bool waits =
        automatic_ == AutomaticRotation::off && !take_next_offer_ && steps_.is_new(*offer);
    if (!waits) return take_offer(*request.id, *offer);
    const bool told = waiting_ && waiting_->offer.rotation_id == offer->rotation_id;
    waiting_ = WaitingOffer{*request.id, std::move(*offer)};
    if (told) return;
    around_.log.info("rotation.waits", {{"rotation_id", waiting_->offer.rotation_id},
                                        {"generation", waiting_->offer.generation}});
    observer_.on_offer_waits(
        {vault_.state().agent_id, waiting_->offer.rotation_id, waiting_->offer.generation},
        waiting_->offer.expires_at);
}

void Conversation::take_offer(const RequestId& id, const protocol::RotateOffer& offer) {
    take_next_offer_ = false;
    const OfferAnswer result = steps_.on_offer(offer);
    fail_point::reached(fail_point::Point::agent_send_rotation_complete);
    answer(id, result.answer);
    // A session that was opened with the candidate has nothing to gain from coming back with it:
    // what is missing is a disk that takes the confirmation, and the server's back-off waits for
    // that.
    const bool opened_with_it = std::ranges::any_of(vault_.held(), [&](const auto& held) {
        return held.state == rotation::TokenState::candidate && held.generation == generation_;
    });
    if (result.then == rotation::ThenDo::reconnect && !opened_with_it)
        leave(Leave::Why::candidate_unresolved, "an earlier token is saved and not confirmed yet");
}

void Conversation::on_commit(const protocol::Request& request) {
    fail_point::reached(fail_point::Point::agent_receive_commit);
    auto params = protocol::decode_params<protocol::AgentCommit>(request.params);
    if (params.has_error()) return refuse(request.id, params.error());
    const Result<> done = steps_.on_commit(params->rotation_id, params->generation);
    if (done.has_error()) return refuse(request.id, done.error());
    protocol::AgentCommit::Result result;
    result.rotation_id = params->rotation_id;
    result.generation = params->generation;
    fail_point::reached(fail_point::Point::agent_send_activated);
    answer(request.id, result);
}

void Conversation::on_ping(const protocol::Request& request) {
    auto params = protocol::decode_params<protocol::AgentPing>(request.params);
    if (params.has_error()) return refuse(request.id, params.error());
    protocol::AgentPing::Result result;
    result.uptime_seconds = uptime_seconds();
    result.nonce = std::move(params->nonce);
    answer(request.id, result);
}

void Conversation::on_configure(const protocol::Request& request) {
    auto params = protocol::decode_params<protocol::AgentConfigure>(request.params);
    if (params.has_error()) return refuse(request.id, params.error());
    apply(params->settings);
    answer(request.id, protocol::AgentConfigure::Result{});
}

void Conversation::apply(const protocol::AgentSettings& settings) {
    if (settings.heartbeat_seconds) {
        heartbeat_ = std::chrono::seconds(*settings.heartbeat_seconds);
        if (established_) {
            arm_heartbeat(heartbeat_);
            arm_silence(tolerated_silence());
        }
    }
    if (settings.log_level) observer_.on_log_level(static_cast<LogLevel>(*settings.log_level));
}

void Conversation::on_reconnect(const protocol::Request& request) {
    auto params = protocol::decode_params<protocol::AgentReconnect>(request.params);
    if (params.has_error()) return refuse(request.id, params.error());
    answer(request.id, protocol::AgentReconnect::Result{});
    const Milliseconds after{params->after_ms};
    reconnect_at_ = around_.clock.steady_now() + after;
    reconnect_timer_ = around_.timers.after(
        after, [this] { leave(Leave::Why::reconnect_asked, "as the server asked"); });
}

void Conversation::on_custom(const protocol::Request& request) {
    if (protocol::is_reserved_name(request.method))
        return refuse(request.id, Error(Code::method_not_found));
    const Result<JsonValue> result = observer_.on_call(request.method, request.params);
    if (ended_ || !request.id) return;
    if (result.has_error()) return refuse(request.id, result.error());
    std::string json;
    protocol::append_json_value(json, *result);
    std::string text;
    protocol::append_result(text, *request.id, json);
    if (text.size() > limits::kMessageBytes)
        return refuse(request.id, Error(Code::internal, "the agent's answer is too large"));
    around_.transport.send(std::move(text));
}

template <class T>
void Conversation::answer(const std::optional<RequestId>& id, const T& result) {
    if (!id || ended_) return;
    std::string text;
    protocol::append_result(text, *id, result);
    around_.transport.send(std::move(text));
}

void Conversation::refuse(const std::optional<RequestId>& id, const Error& error) {
    if (!id || ended_) return;
    std::string text;
    protocol::append_error(text, *id, error);
    around_.transport.send(std::move(text));
}

void Conversation::arm_heartbeat(Milliseconds delay) {
    heartbeat_timer_ = around_.timers.after(delay, [this] { beat(); });
}

void Conversation::beat() {
    arm_heartbeat(heartbeat_);
    protocol::AgentHeartbeat::Params params;
    params.status = "ok";
    params.uptime_seconds = uptime_seconds();
    params.generation = vault_.newest_confirmed().generation;
    calls_.call<protocol::AgentHeartbeat>(
        params, limits::kAgentCallTimeout, [this](const auto& answer) {
            if (answer.has_error()) return;  // silence has its own timer
            auto result = protocol::decode_result<protocol::AgentHeartbeat>(*answer);
            if (result.has_value()) note_server_time(result->server_time);
        });
    // With a heartbeat rather than at the connect, so that a restart of the server is not followed
    // by one more request of everybody at once.
    if (automatic_ == AutomaticRotation::on && age_known_of_ != params.generation) ask_key_status();
}

Milliseconds Conversation::tolerated_silence() const {
    return Milliseconds{static_cast<std::int64_t>(static_cast<double>(heartbeat_.count()) *
                                                  limits::kSilenceHeartbeats)};
}

void Conversation::arm_silence(Milliseconds delay) {
    silence_timer_ = around_.timers.after(delay, [this] { check_silence(); });
}

void Conversation::check_silence() {
    if (!established_)
        return leave(Leave::Why::silence, welcomed_ ? "no answer to agent.hello" : "no welcome");
    const Milliseconds silent = around_.clock.steady_now() - last_frame_;
    if (silent >= tolerated_silence())
        return leave(Leave::Why::silence,
                     "the server was silent for " + std::to_string(silent.count()) + " ms");
    arm_silence(tolerated_silence() - silent);
}

void Conversation::note_server_time(Time time) {
    server_time_ = time;
    server_time_at_ = around_.clock.steady_now();
}

void Conversation::ask_key_status() {
    age_timer_.reset();
    age_known_of_ = vault_.newest_confirmed().generation;
    calls_.call<protocol::AgentKeyStatus>(
        {}, limits::kAgentCallTimeout, [this](const auto& answer) {
            if (answer.has_error()) return look_again_in(limits::kSlowRetry);
            auto status = protocol::decode_result<protocol::AgentKeyStatus>(*answer);
            if (status.has_error()) return look_again_in(limits::kSlowRetry);
            on_key_status(*status);
        });
}

void Conversation::on_key_status(const protocol::AgentKeyStatus::Result& status) {
    if (!status.expires_at) return;
    const Time now = server_time_ + (around_.clock.steady_now() - server_time_at_);
    const auto life = static_cast<double>((*status.expires_at - status.issued_at).count());
    const Time ask_at =
        status.issued_at +
        Milliseconds{static_cast<std::int64_t>(life * limits::kAgentAsksAtFraction)};
    if (ask_at <= now) return ask_for_rotation("the token is near its end");
    look_again_in(ask_at - now);
}

// Each look asks for the age again, so that a rotation that happened meanwhile is seen.
void Conversation::look_again_in(Milliseconds delay) {
    age_timer_ = around_.timers.after(delay, [this] { ask_key_status(); });
}

void Conversation::ask_for_rotation(std::string_view reason) {
    protocol::AgentRotateKey::Params params;
    params.reason = std::string(reason);
    calls_.call<protocol::AgentRotateKey>(
        params, limits::kAgentCallTimeout, [this](const auto& answer) {
            if (answer.has_error()) {
                take_next_offer_ = false;
                around_.log.warning("rotation.not_started", {{"detail", answer.error().message()}});
            }
            if (automatic_ == AutomaticRotation::on) look_again_in(limits::kSlowRetry);
        });
}

void Conversation::rotate_now() {
    if (ended_ || !established_) return;
    take_next_offer_ = true;
    if (waiting_) {
        const WaitingOffer offer = std::move(*waiting_);
        waiting_.reset();
        take_offer(offer.id, offer.offer);
        return;
    }
    ask_for_rotation("the application asked");
}

void Conversation::say_shutdown(std::string_view reason, std::function<void()> done) {
    if (ended_ || !established_) return done();
    protocol::AgentShutdown::Params params;
    params.reason = std::string(protocol::cut_utf8(reason, limits::kTextBytes));
    calls_.call<protocol::AgentShutdown>(
        params, limits::kFarewellTimeout,
        [done = std::move(done)](const auto& /*answer*/) { done(); });
}

std::int64_t Conversation::uptime_seconds() const {
    return std::chrono::duration_cast<std::chrono::seconds>(around_.clock.steady_now() - started_)
        .count();
}

}  // namespace rekey::agent
