#pragma once

#include "agent/state.hpp"
#include "agent/transport.hpp"
#include "base/result.hpp"
#include "net/http_client.hpp"
#include "net/tls_context.hpp"
#include "net/web_socket.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace rekey::agent {

// How the server of a join string or a state file is believed; null without TLS.
[[nodiscard]] Result<std::shared_ptr<net::ClientTls>> make_client_tls(
    const ServerAddress& server,
    net::CertificateTimes times = net::CertificateTimes::checked_unless_pinned);

// The Transport over a real WebSocket (net/web_socket.hpp): GET /agent with the subprotocol
// rekey.agent.v1. The TLS session is resumed from one connection to the next through `tls`. Bound
// to the io_context's thread.
class Connection final : public Transport, private net::WebSocketObserver {
  public:
    Connection(boost::asio::io_context& context, const ServerAddress& server,
               std::shared_ptr<net::ClientTls> tls);

    void open(Observer& observer, std::function<Secret()> credential) override;
    void send(std::string message) override;
    void close(std::uint16_t code, std::string_view reason) override;
    void post(std::string target, Secret body,
              std::function<void(Result<net::HttpResponse>)> answered) override;
    void abort() override;

    // Whether the open connection continued an earlier TLS session.
    [[nodiscard]] bool resumed_tls() const;

  private:
    void on_outcome(net::ConnectOutcome outcome);
    void on_text(std::string_view message) override;
    void on_frame() override;
    void on_closed(const net::CloseReason& reason) override;

    boost::asio::io_context& context_;
    std::string host_;
    std::uint16_t port_;
    std::shared_ptr<net::ClientTls> tls_;
    Observer* observer_ = nullptr;
    std::unique_ptr<net::ConnectAttempt> attempt_;
    net::WebSocket socket_;
    std::unique_ptr<net::HttpClient> http_;  // of the latest POSTs
};

}  // namespace rekey::agent
