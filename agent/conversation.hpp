#pragma once

#include "agent/observer.hpp"
#include "agent/outgoing_calls.hpp"
#include "agent/rotation_steps.hpp"
#include "agent/token_vault.hpp"
#include "agent/transport.hpp"
#include "base/limits.hpp"
#include "protocol/json_rpc.hpp"
#include "protocol/methods/agent_requests.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rekey::agent {

// Why the agent itself leaves a connection.
struct Leave {
    enum class Why : std::uint8_t {
        candidate_unresolved,  // Rule A: come back with the candidate
        reconnect_asked,       // agent.reconnect
        silence,               // nothing for 2.5 heartbeats, no welcome, no answer to hello
        bad_welcome,           // not understood, or for another agent: nothing of it is believed
    };
    Why why = Why::silence;
    std::string detail;
};

// One open connection: welcome, hello, then requests of both sides until it closes. Executes what
// agent/rotation/transitions.hpp decides: nothing is answered before it is durable. Destroy it when
// the connection is closed, never from inside one of its callbacks.
class Conversation {
  public:
    class Owner {
      public:
        virtual ~Owner() = default;
        // The server answered hello.
        virtual void on_established(std::uint64_t generation) = 0;
        // Close this connection. Comes once at most.
        virtual void on_leave(const Leave& leave) = 0;
    };

    // `started`: when the agent did, for uptime_seconds.
    Conversation(const Surroundings& around, TokenVault& vault, const AboutAgent& about,
                 AutomaticRotation automatic, SteadyTime started, AgentObserver& observer,
                 Owner& owner);

    void on_text(std::string_view message);
    void on_frame();
    void rotate_now();
    // Sends agent.shutdown; `done` comes with its answer, or after limits::kFarewellTimeout.
    void say_shutdown(std::string_view reason, std::function<void()> done);
    // Once the server has answered hello; before: `agent_offline` at once.
    template <protocol::Method M>
    void call(const typename M::Params& params, OutgoingCalls::Answered answered) {
        if (ended_ || !established_) return answered(not_connected());
        calls_.call<M>(params, limits::kAgentCallTimeout, std::move(answered));
    }
    // The connection is over: no timer and no callback any more.
    void end();

    // When agent.reconnect asked the agent to come back; also if the server closes before.
    [[nodiscard]] std::optional<SteadyTime> reconnect_at() const { return reconnect_at_; }

  private:
    using JsonValue = boost::json::value;
    using RequestId = protocol::RequestId;

    void on_request(const protocol::Request& request);
    void on_welcome(const JsonValue* params);
    void send_hello();
    void on_hello_answered(const Result<JsonValue>& answer);
    void on_rotate(const protocol::Request& request);
    void on_commit(const protocol::Request& request);
    void on_ping(const protocol::Request& request);
    void on_configure(const protocol::Request& request);
    void on_reconnect(const protocol::Request& request);
    void on_custom(const protocol::Request& request);

    void take_offer(const RequestId& id, const protocol::RotateOffer& offer);
    void apply(const protocol::AgentSettings& settings);
    void arm_heartbeat(Milliseconds delay);
    void beat();
    void arm_silence(Milliseconds delay);
    void check_silence();
    void note_server_time(Time time);
    void ask_key_status();
    void on_key_status(const protocol::AgentKeyStatus::Result& status);
    void ask_for_rotation(std::string_view reason);
    void look_again_in(Milliseconds delay);
    void leave(Leave::Why why, std::string detail);
    [[nodiscard]] std::int64_t uptime_seconds() const;
    [[nodiscard]] Milliseconds tolerated_silence() const;

    template <class T>
    void answer(const std::optional<protocol::RequestId>& id, const T& result);
    void refuse(const std::optional<protocol::RequestId>& id, const Error& error);

    // An offer that waits for the application (AutomaticRotation::off).
    struct WaitingOffer {
        protocol::RequestId id;
        protocol::RotateOffer offer;
    };

    Surroundings around_;
    TokenVault& vault_;
    const AboutAgent& about_;
    AutomaticRotation automatic_;
    SteadyTime started_;
    AgentObserver& observer_;
    Owner& owner_;
    RotationSteps steps_;
    OutgoingCalls calls_;

    std::unique_ptr<Timers::Handle> heartbeat_timer_;
    std::unique_ptr<Timers::Handle> silence_timer_;
    std::unique_ptr<Timers::Handle> age_timer_;
    std::unique_ptr<Timers::Handle> reconnect_timer_;
    std::optional<WaitingOffer> waiting_;
    std::optional<SteadyTime> reconnect_at_;
    Milliseconds heartbeat_{0};
    SteadyTime last_frame_;
    // The server's clock, since ours may be wrong: it said server_time_ at server_time_at_.
    Time server_time_{};
    SteadyTime server_time_at_{};
    std::uint64_t generation_ = 0;
    std::uint64_t age_known_of_ = 0;  // the generation whose age was asked for last
    bool welcomed_ = false;
    bool established_ = false;
    bool take_next_offer_ = false;  // the application asked for it
    bool ended_ = false;
};

}  // namespace rekey::agent
