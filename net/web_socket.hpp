#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/http_message.hpp"
#include "net/tls_context.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace rekey::net {

// The close codes that net/ itself sends or reports (RFC 6455, section 7.4; docs/protocol.md). Any
// other is passed through as a number.
namespace close_code {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kNone = 1005;      // a close frame without a code; never sent
inline constexpr std::uint16_t kAbnormal = 1006;  // the connection ended without one; never sent
inline constexpr std::uint16_t kBadText = 1007;
inline constexpr std::uint16_t kTooBig = 1009;
inline constexpr std::uint16_t kSlowConsumer = 4001;
inline constexpr std::uint16_t kProtocolViolation = 4503;
}  // namespace close_code

enum class ClosedBy : std::uint8_t { peer, us, network };

struct CloseReason {
    std::uint16_t code = close_code::kAbnormal;  // the peer's code; ours when we closed
    std::string reason;                          // the text beside the code
    ClosedBy by = ClosedBy::network;
    std::string error;  // for the log: what the network or the parser said; may be empty
};

// Whom an open WebSocket tells. All calls come on the io_context's thread, never from inside a call
// into the WebSocket, and the observer may destroy the WebSocket in any of them.
class WebSocketObserver {
  public:
    virtual ~WebSocketObserver() = default;
    // A whole text message, valid UTF-8, at most limits::kMessageBytes. The view dies with the
    // call.
    virtual void on_text(std::string_view message) = 0;
    // Something arrived: part of a message, a ping or a pong. Comes before on_text.
    virtual void on_frame() {}
    virtual void on_pong() {}
    // Once; nothing comes after it.
    virtual void on_closed(const CloseReason& reason) = 0;
};

class WebSocketConnection;

// An open WebSocket of either role, plain or TLS. Bound to one io_context; every call is made on
// its thread. Destroying it cuts the connection and silences it.
//
// It enforces limits::kMessageBytes, kMessageFragments (1009), text frames only (4503), UTF-8
// (1007), RFC 6455 (1002) and limits::kOutboxBytes (4001), and sends the close code before it cuts.
class WebSocket {
  public:
    WebSocket() = default;
    explicit WebSocket(std::shared_ptr<WebSocketConnection> connection);
    WebSocket(WebSocket&&) noexcept;
    WebSocket& operator=(WebSocket&&) noexcept;
    ~WebSocket();

    // Begins to read. The observer must outlive the WebSocket.
    void start(WebSocketObserver& observer);

    // Queues one text message. What is queued when the socket becomes writable goes out in one
    // gathered write. Over limits::kOutboxBytes the queue is dropped and the peer is closed as slow
    // (on_closed follows). Nothing happens once closing.
    void send(std::string message);
    void ping();

    // Sends what is queued, then the close frame, and waits at most limits::kCloseHandshakeTimeout
    // for the peer's; then on_closed. A second call changes nothing. `reason` is cut at 123 bytes.
    void close(std::uint16_t code, std::string_view reason = {});
    // Cuts the connection now; on_closed is not called.
    void abort();

    [[nodiscard]] bool is_open() const;
    [[nodiscard]] std::size_t outbox_bytes() const;
    [[nodiscard]] const std::string& remote_address() const;  // "127.0.0.1:40000", "[::1]:40000"
    [[nodiscard]] bool is_secure() const;
    [[nodiscard]] bool resumed_tls() const;

  private:
    std::shared_ptr<WebSocketConnection> connection_;
};

struct ConnectOptions {
    std::string host;  // a name or an address, without brackets
    std::uint16_t port = 0;
    std::string target = "/agent";
    std::string subprotocol;
    std::shared_ptr<ClientTls> tls;  // none: plain
    // Called once the TLS handshake is done, just before the upgrade request: the value of its
    // Authorization header ("Bearer ..."). Empty: no such header.
    std::function<Secret()> authorization;
    // For the whole attempt: look-up, connect, TLS, upgrade.
    Milliseconds timeout{std::chrono::seconds{30}};
};

// An upgrade that the server answered with something else than 101; the body is cut at
// limits::kMessageBytes.
struct UpgradeRefused {
    HttpResponse response;
};

// `Error` for everything below HTTP: `unavailable` for the network, a time-out or an answer that is
// no HTTP, `permission_denied` for a certificate that was not believed (details.reason = "pin",
// "name", "expired", "not_yet_valid" or "chain").
using ConnectOutcome = std::variant<WebSocket, UpgradeRefused, Error>;

// An attempt under way. Destroying it cancels; its callback then never comes.
class ConnectAttempt {
  public:
    virtual ~ConnectAttempt() = default;
};

// One attempt to open a WebSocket. The callback comes once, on the io_context's thread, never from
// inside this call.
[[nodiscard]] std::unique_ptr<ConnectAttempt> connect_web_socket(
    boost::asio::io_context& context, ConnectOptions options,
    std::function<void(ConnectOutcome)> callback);

}  // namespace rekey::net
