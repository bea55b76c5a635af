#pragma once

#include "agent/rotation/transitions.hpp"
#include "base/random.hpp"
#include "net/web_socket.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// An agent that does what its script says: honest, or one of the ways in which real agents go
// wrong. It speaks the wire by itself (net/ for the socket, protocol/ for proofs) and keeps its
// tokens with the agent's own pure rules, so that only what the script says is wrong. Bound to one
// io_context's thread.
namespace rekey::testing {

// What it does about one `agent.rotate`.
enum class OnOffer : std::uint8_t {
    save_and_complete,    // honest
    never_answer,         // not saved
    save_never_answer,    // saved, but the acknowledgement is lost
    answer_when_told,     // saved; the reply waits for send_held_replies()
    complete_twice,       // the reply, and again as a request of its own
    complete_by_request,  // no reply; `agent.rotation_complete` instead
    wrong_proof,
    wrong_generation,
    wrong_rotation_id,
    fail_disk_full,
    fail_stale,  // rotation_failed, stale_generation, newest_held as the script says
    error_object,
    garbage,              // text that is no JSON, then nothing
    wrong_shape,          // a result that is no object
    error_inside_result,  // {"status": "rotation_complete", "error": ...} without proof
    disconnect_before_save,
    disconnect_after_save,
};

enum class OnCommit : std::uint8_t { confirm_and_answer, never_answer, error_object, disconnect };

struct Script {
    std::deque<OnOffer> offers;  // one for each offer in turn; honest when it is empty
    std::deque<OnCommit> commits;
    std::optional<std::uint64_t> newest_held;  // for fail_stale; else what it is offered
    bool send_hello = true;
    bool answer_pings = true;
};

struct ScriptedIdentity {
    std::string host;
    std::uint16_t port = 0;
    std::shared_ptr<net::ClientTls> tls;  // none: plain
    std::string agent_id;
    agent::rotation::HeldTokens held;
};

// Called for every durable change, before anything is answered: memory only by default, a file with
// fsync for benches.
using Persist = std::function<void(const agent::rotation::HeldTokens&)>;

struct Seen {
    std::uint64_t connects = 0;
    std::uint64_t welcomes = 0;
    std::uint64_t offers = 0;
    std::uint64_t commits = 0;
    std::uint64_t reconnect_hints = 0;
    std::uint16_t close_code = 0;
    std::string refusal;           // stable name of the newest refused upgrade
    std::uint64_t generation = 0;  // of the newest welcome
    std::vector<std::string> offered_tokens;
    std::vector<boost::json::object> answers;  // to our own requests, envelopes as they came
};

class ScriptedAgent final : public net::WebSocketObserver {
  public:
    ScriptedAgent(boost::asio::io_context& context, ScriptedIdentity identity, Script script);
    ~ScriptedAgent() override;

    // One attempt, with the credential that A4 chooses. What happens shows in seen(); `on_change`
    // is called after each.
    void connect();
    void connect_with(const Secret& token);
    void disconnect(std::uint16_t code = net::close_code::kNormal);
    void cut();  // without a close frame

    void send_text(std::string text);
    // A request of the agent; its answer ends up in seen().answers.
    void request(std::string_view method, std::string_view params_json);
    void heartbeat();
    void send_held_replies();

    [[nodiscard]] bool connected() const { return socket_.has_value() && welcomed_; }
    // Neither connected nor about to be.
    [[nodiscard]] bool hung_up() const { return !socket_ && !attempt_; }
    [[nodiscard]] const std::string& agent_id() const { return identity_.agent_id; }
    [[nodiscard]] const Seen& seen() const { return seen_; }
    [[nodiscard]] const agent::rotation::HeldTokens& held() const { return identity_.held; }
    [[nodiscard]] std::uint64_t newest_generation() const;
    [[nodiscard]] bool settled() const;  // holds one confirmed newest token, nothing unresolved
    [[nodiscard]] Script& script() { return script_; }

    std::function<void()> on_change;
    Persist persist;

  private:
    void on_text(std::string_view message) override;
    void on_closed(const net::CloseReason& reason) override;
    void opened(net::ConnectOutcome outcome);
    void serve(std::string_view method, const boost::json::object& params, const std::string& id);
    void on_welcome(const boost::json::object& params);
    void on_offer(const boost::json::object& params, const std::string& id);
    void on_commit(const boost::json::object& params, const std::string& id);
    [[nodiscard]] bool answer_unsaved(OnOffer act, const agent::rotation::Offer& offer,
                                      const std::string& id);
    [[nodiscard]] std::string claim_json(const agent::rotation::HeldToken& token) const;
    [[nodiscard]] std::string complete_json(const agent::rotation::HeldToken& token) const;
    [[nodiscard]] const agent::rotation::HeldToken* save(const agent::rotation::Offer& offer);
    void store(agent::rotation::HeldTokens next);
    void reply(const std::string& id, std::string_view result_json);
    void changed();

    boost::asio::io_context& context_;
    ScriptedIdentity identity_;
    Script script_;
    Seen seen_;
    std::unique_ptr<net::ConnectAttempt> attempt_;
    std::optional<net::WebSocket> socket_;
    std::string connecting_rotation_id_;
    std::vector<std::string> refused_;
    std::vector<std::string> held_replies_;
    std::int64_t next_id_ = 1;
    bool welcomed_ = false;
};

// Enrolls at POST /enroll with a fresh identity key; throws when it is refused.
[[nodiscard]] ScriptedIdentity enroll_scripted(const std::string& host, std::uint16_t port,
                                               std::shared_ptr<net::ClientTls> tls,
                                               const std::string& code, Random& random);

}  // namespace rekey::testing
