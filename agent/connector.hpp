#pragma once

#include "agent/backoff.hpp"
#include "agent/conversation.hpp"
#include "agent/observer.hpp"
#include "agent/recovery.hpp"
#include "agent/token_vault.hpp"
#include "agent/transport.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rekey::agent {

enum class ConnectionState : std::uint8_t {
    idle,        // not started, or ended
    waiting,     // for the next attempt
    connecting,  // up to the server's welcome and the answer to hello
    recovering,  // asks for a token with its identity key (A6)
    connected,
    closing,
};
[[nodiscard]] std::string_view to_string(ConnectionState state);

struct ConnectorStatus {
    ConnectionState state = ConnectionState::idle;
    std::uint64_t session_generation = 0;  // of the token that opened the connection; 0 if none
    std::string last_error;                // why the last attempt or connection ended; may be empty
    Milliseconds retry_in{0};              // while waiting
};

// The agent's whole life as a state machine without I/O of its own: chooses the token (A4), opens
// the connection, hands it to a Conversation, and decides what each refusal, close code and silence
// means (docs/protocol.md, "Refusals", "Close codes"). When every token is refused as unknown, or
// one as expired, it recovers with the identity key. Nothing but `unknown_credential` drops
// anything, and that drops a candidate only (I10). One thread; must outlive no part of its
// Surroundings.
class Connector final : private Transport::Observer, private Conversation::Owner {
  public:
    Connector(const Surroundings& around, TokenVault& vault, AboutAgent about,
              AutomaticRotation automatic, IdentitySource identity, AgentObserver& observer);
    ~Connector() override;

    void start();
    // Says agent.shutdown, closes with 1000, then observer.on_ended(stopped). Never takes longer
    // than limits::kFarewellTimeout and limits::kCloseHandshakeTimeout together.
    void stop(std::string_view reason);
    // Saves the offer that waits, or asks the server for one (now, or once connected).
    void rotate_now();

    // Ends a wait for the next attempt, for one who knows that what it waits for has passed. Else
    // nothing.
    void try_now();

    // One of the application's own requests; `answered` comes once at most (outgoing_calls.hpp),
    // with `agent_offline` at once when there is no session.
    template <protocol::Method M>
    void call(const typename M::Params& params, OutgoingCalls::Answered answered) {
        if (!conversation_) return answered(not_connected());
        conversation_->call<M>(params, std::move(answered));
    }

    [[nodiscard]] ConnectorStatus status() const;

  private:
    // Transport::Observer
    void on_open() override;
    void on_refused(const net::HttpResponse& answer) override;
    void on_unreachable(const Error& error) override;
    void on_text(std::string_view message) override;
    void on_frame() override;
    void on_closed(const net::CloseReason& reason) override;
    // Conversation::Owner
    void on_established(std::uint64_t generation) override;
    void on_leave(const Leave& leave) override;

    enum class Phase : std::uint8_t {
        idle,
        waiting,
        connecting,
        recovering,
        open,
        closing,
        stopping,
        ended
    };

    void connect();
    [[nodiscard]] std::vector<std::string> passed_over();
    [[nodiscard]] Secret choose_credential();
    void wait(Milliseconds delay);
    void set_phase(Phase phase);
    void on_refusal(const Error& error);
    void on_unknown_credential(const Error& error);
    void on_token_expired(const Error& error);
    void note_refused_token(const std::string& why);
    void begin_again(std::string_view event, const std::string& why, Milliseconds delay);
    void recover();
    void on_recovered(const rotation::Offer& offer);
    void on_recovery_failed(const Error& error);
    void end_soon();
    void end(EndReason reason);
    void fail(std::string_view event, const std::string& why, Milliseconds delay);
    [[nodiscard]] Milliseconds delay_after_close(const net::CloseReason& reason);
    [[nodiscard]] bool was_late_with_hello(const net::CloseReason& reason) const;
    [[nodiscard]] Milliseconds slowly() { return at_least(limits::kSlowRetry, around_.random); }

    Surroundings around_;
    TokenVault& vault_;
    AboutAgent about_;
    AutomaticRotation automatic_;
    AgentObserver& observer_;
    Backoff backoff_;
    Recovery recovery_;

    Phase phase_ = Phase::idle;
    std::unique_ptr<Conversation> conversation_;
    std::unique_ptr<Timers::Handle> timer_;
    rotation::Refusals refusals_;   // since the last success (A4, A6)
    std::string tried_;             // rotation_id of the token of this attempt
    std::optional<Leave> leaving_;  // why we closed the connection ourselves
    SteadyTime started_{};
    SteadyTime attempted_at_{};  // when the latest attempt began
    SteadyTime retry_at_{};
    std::uint64_t session_generation_ = 0;
    std::string last_error_;
    bool established_ = false;
    bool rotate_asked_ = false;
    bool unproven_recovery_ = false;  // its token has not opened a session yet
};

}  // namespace rekey::agent
