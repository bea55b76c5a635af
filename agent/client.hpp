#pragma once

#include "agent/connector.hpp"
#include "agent/observer.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/tls_context.hpp"
#include "protocol/methods/agent_reports.hpp"
#include "protocol/methods/auth.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}

// The client library: one object keeps an agent connected and its token fresh.
//
//     rekey::agent::Client client({.state_path = "/var/lib/rekey-agent/state.json"});
//     client.start().value();
//     …
//     client.stop();
//
// Everything else is automatic: connecting with back-off, resuming the TLS session, saving and
// confirming new tokens, coming back when the server restarts.
namespace rekey::agent {

struct ClientHooks {
    // All run on the client's thread and must return soon: while one runs, nothing else does. They
    // may call any method of the client except its destructor.
    std::function<void(const Rotated&)> on_rotated;
    std::function<void(const Rotated& offer, Time expires_at)> on_offer_waits;
    std::function<void(LogLevel)>
        on_log_level;                         // agent.configure; none: the server's wish is noted
    std::function<void()> on_changed;         // status() shows something new
    std::function<void(EndReason)> on_ended;  // the last call
};

struct ClientOptions {
    std::string state_path;
    ClientHooks hooks = {};
    AutomaticRotation automatic_rotation = AutomaticRotation::on;
    // What agent.hello says; empty fields are filled in.
    AboutAgent about = {};
    net::CertificateTimes certificate_times = net::CertificateTimes::checked_unless_pinned;
    const Log* log = nullptr;  // none: silent. Must outlive the client.
    // None: a thread of the client's own, which takes no signals. With one, the client lives on its
    // thread (a single one), where disk writes of a few milliseconds then block; it must outlive
    // the client, and the client must be destroyed on it or after it has stopped.
    boost::asio::io_context* context = nullptr;
};

struct TokenStatus {
    std::uint64_t generation = 0;
    std::string rotation_id;
    rotation::TokenState state = rotation::TokenState::confirmed;
};

// A snapshot for people and health checks. No secret in it.
struct ClientStatus {
    std::string agent_id;
    std::string server;  // host:port
    ConnectionState connection = ConnectionState::idle;
    std::uint64_t session_generation = 0;  // of the token that opened the connection; 0 if none
    std::vector<TokenStatus> tokens;
    std::string last_error;  // why the last attempt or connection ended; may be empty
};

// An application's own method, for agents.call. `params` is what the admin sent: an object, an
// array or null. Runs on the client's thread. An Error reaches the admin as it is.
using MethodHandler = std::function<Result<boost::json::value>(const boost::json::value& params)>;

// Safe from any thread. Leaves the signals and their handlers of its process alone.
class Client {
  public:
    explicit Client(ClientOptions options);
    ~Client();  // stops without a farewell if stop() was not called
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Before start(): the names are told to the server in agent.hello. A reserved name (agent.*,
    // rpc.*) is a bug of the caller.
    void on(std::string name, MethodHandler handler);

    // Takes the lock, reads the state file and begins to connect. Errors: `not_found` when the
    // agent is not enrolled, `conflict` when another process holds the lock, `corrupt`,
    // `permission_denied`, `unavailable` for a state file that cannot be used (A5) or whose first
    // token may not outlive a power loss (A0). Once only.
    [[nodiscard]] Result<> start();

    // Says good-bye and closes. Without an io_context of the caller's it returns when that is done
    // (at most about 4 s); with one, or called from a hook, at once: on_ended tells. May be called
    // twice.
    void stop(std::string_view reason = "stopped");

    // Rotates now: saves the offer that waits (AutomaticRotation::off), else asks the server for a
    // new token, as soon as there is a connection. on_rotated tells when it is done.
    void rotate_now();

    // Ends a wait for the next attempt: after a reactivation or once the network is back, nobody
    // has to wait for minutes. Nothing while it is connected or connecting.
    void try_now();

    // What this program says of itself to the server (docs/protocol.md, "Reports"): claims, shown
    // to admins. The same again is counted and is no error. `answered` comes once, on the client's
    // thread, with the server's answer, `agent_offline` when there is no connection or it ends
    // first, or `agent_timeout`; nothing is sent again later. Without start() it comes at once.
    template <protocol::Method M>
    using Answered = std::function<void(const Result<typename M::Result>&)>;
    void report_capabilities(protocol::AgentReportCapabilities::Params capabilities,
                             Answered<protocol::AgentReportCapabilities> answered) {
        call<protocol::AgentReportCapabilities>(std::move(capabilities), std::move(answered));
    }
    void report_integration(protocol::AgentReportIntegration::Params integration,
                            Answered<protocol::AgentReportIntegration> answered) {
        call<protocol::AgentReportIntegration>(std::move(integration), std::move(answered));
    }
    void register_mcp_server(protocol::AgentRegisterMcpServer::Params server,
                             Answered<protocol::AgentRegisterMcpServer> answered) {
        call<protocol::AgentRegisterMcpServer>(std::move(server), std::move(answered));
    }

    // A short-lived access token of this agent (docs/authentication.md), for programs beside it.
    // `answered` comes as above.
    void access_token(protocol::AgentJwt::Params params, Answered<protocol::AgentJwt> answered) {
        call<protocol::AgentJwt>(std::move(params), std::move(answered));
    }

    [[nodiscard]] ClientStatus status() const;

  private:
    template <protocol::Method M>
    void call(typename M::Params params, Answered<M> answered);
    void on_connector(std::function<void(Connector&)> task);
    class Running;
    // Calls back; what is thrown is logged and goes no further.
    static void tell(const std::weak_ptr<Running>& running, const std::function<void()>& call_back);

    std::shared_ptr<Running> running_;
};

template <protocol::Method M>
void Client::call(typename M::Params params, Answered<M> answered) {
    auto read = answered_once(
        [running = std::weak_ptr(running_), answered = std::move(answered)](const auto& answer) {
            tell(running, [&] {
                answered(answer.has_error() ? Result<typename M::Result>(answer.error())
                                            : protocol::decode_result<M>(*answer));
            });
        });
    on_connector([params = std::move(params), read = std::move(read)](Connector& connector) {
        connector.template call<M>(params, read);
    });
}

}  // namespace rekey::agent
