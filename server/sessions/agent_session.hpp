#pragma once

#include "net/timing_wheel.hpp"
#include "protocol/json_rpc.hpp"
#include "protocol/method.hpp"
#include "server/sessions/call_table.hpp"
#include "server/sessions/registry.hpp"
#include "server/sessions/session_host.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::server::sessions {

// One agent's connection, from the upgrade to its end. A few hundred bytes while it is idle: what
// only the arrival needs is freed with it, deadlines live in the shard's wheel. One thread: the
// shard's.
class AgentSession final : public RegisteredSession,
                           public std::enable_shared_from_this<AgentSession>,
                           private net::WebSocketObserver,
                           private net::TimingWheel::Entry {
  public:
    AgentSession(SessionHost& host, std::unique_ptr<Wire> wire, Admission admission,
                 std::uint64_t connection);
    ~AgentSession() override;

    // Registers, reads the row again, and welcomes. `place` is where the host keeps it.
    void begin(SessionHost::List::iterator place);
    // agent.configure, if it is ready.
    void push_heartbeat_seconds(std::int64_t seconds);
    // agent.reconnect, and close with 4000.
    void drain(Milliseconds come_back_after);

    // RegisteredSession
    [[nodiscard]] SteadyTime last_frame() const override {
        return last_frame_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] const std::string& agent_id() const override { return agent_id_; }
    [[nodiscard]] std::uint64_t connection_generation() const override { return connection_; }
    [[nodiscard]] std::uint64_t bound_generation() const override { return bound_generation_; }
    void bind(std::uint64_t generation) override { bound_generation_ = generation; }
    [[nodiscard]] std::string address() const override { return address_; }
    [[nodiscard]] rotation::LinkProgress& progress() override { return progress_; }
    void call(std::string_view method, std::string params, Milliseconds timeout, Answer answer,
              Answer late) override;
    void close(std::uint16_t code, std::string_view reason) override;
    [[nodiscard]] SessionFacts facts() const override;
    void probe(std::function<void(Life)> answer) override;

  private:
    // Only until hello is answered.
    struct Arrival;
    // Only while somebody newer asks whether this peer lives.
    struct Probe;
    enum class Phase : std::uint8_t { arriving, greeting, ready, closing };
    struct MinuteCount {
        std::int32_t minute = -1;
        std::uint32_t count = 0;
    };

    // net::WebSocketObserver and the wheel
    void on_text(std::string_view message) override;
    void on_frame() override;
    void on_closed(const net::CloseReason& reason) override;
    void on_deadline() override;

    // agent_arrival.cpp
    void read_row_again();
    void on_row(const Result<storage::AgentRow>& row);
    void meet_older();
    void on_older(Life life, const std::string& holder_address);
    void note_contest(const std::string& holder_address);
    void welcome();
    void on_hello(const protocol::Request& request);
    void note_report(std::string hostname, std::string version, std::string address);
    void hold_back(std::string_view message);
    [[nodiscard]] std::string greeting_for(const protocol::RequestId* id) const;

    // agent_session.cpp
    void handle(std::string_view message);
    void on_parse_error(const Error& error);
    void resolve_probe(Life life);
    void unregister();
    [[nodiscard]] std::uint32_t count_in_minute(MinuteCount& counter) const;

    // agent_methods.cpp
    void on_request(const protocol::Request& request);
    void on_heartbeat(const protocol::Request& request);
    void on_rotation_complete(const protocol::Request& request);
    void on_rotation_failed(const protocol::Request& request);
    void on_key_status(const protocol::Request& request);
    void on_rotate_key(const protocol::Request& request);
    void on_shutdown(const protocol::Request& request);
    void on_other(const protocol::Request& request);
    void refuse(const protocol::Request& request, const Error& error);
    void refuse_id(const protocol::RequestId& id, const Error& error);
    template <protocol::Method M>
    [[nodiscard]] std::optional<typename M::Params> params_of(const protocol::Request& request);
    void send_result(const protocol::RequestId& id, std::string_view json);
    template <class Outcome>
    void answer(const std::optional<protocol::RequestId>& id, const Outcome& result);
    // What an asynchronous call ends with, from any thread: comes back to this one, if the session
    // still is, and answers with `shape(value)` or the error.
    template <class Value, class Shape>
    [[nodiscard]] std::function<void(const Result<Value>&)> back(
        const std::optional<protocol::RequestId>& id, Shape shape);

    SessionHost& host_;
    std::unique_ptr<Wire> wire_;
    std::string agent_id_;
    std::uint64_t connection_;
    std::uint64_t bound_generation_;
    std::uint64_t epoch_;  // of the row when it was let in
    std::string address_;  // without the port; behind a proxy not that of the wire
    rotation::LinkProgress progress_;
    CallTable calls_;
    std::string os_;  // as agent.hello said
    std::vector<std::string> methods_;
    std::unique_ptr<Arrival> arrival_;
    std::unique_ptr<Probe> probe_;
    SessionHost::List::iterator place_{};
    Time connected_at_;
    std::atomic<SteadyTime> last_frame_;  // written by the shard, read by whoever asks
    MinuteCount parse_errors_;
    std::uint8_t others_in_flight_ = 0;  // requests that AgentRequests works on
    Phase phase_ = Phase::arriving;
};

}  // namespace rekey::server::sessions
