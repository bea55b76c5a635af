#pragma once

#include "net/stream.hpp"
#include "net/web_socket.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace rekey::net {

// Inside net/ only: what a WebSocket does, without Beast's templates. One implementation, in
// beast_web_socket.cpp. Lives as long as its handle or its pending operations.
class WebSocketConnection {
  public:
    virtual ~WebSocketConnection() = default;
    virtual void start(WebSocketObserver& observer) = 0;
    virtual void send(std::string message) = 0;
    virtual void ping() = 0;
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    virtual void abort() = 0;
    [[nodiscard]] virtual bool is_open() const = 0;
    [[nodiscard]] virtual std::size_t outbox_bytes() const = 0;
    [[nodiscard]] virtual const std::string& remote_address() const = 0;
    [[nodiscard]] virtual bool is_secure() const = 0;
    [[nodiscard]] virtual bool resumed_tls() const = 0;
};

// What of an upgrade request its answer depends on.
struct UpgradeAnswer {
    std::string key;  // Sec-WebSocket-Key
    std::string subprotocol;
    std::string request_id;  // X-Request-Id; empty: none
    std::string read_ahead;  // what came behind the request: already frames
};

// Writes the 101. The callback gets nothing if the peer has gone.
void open_as_server(Stream stream, UpgradeAnswer answer,
                    std::function<void(std::shared_ptr<WebSocketConnection>)> callback);

struct UpgradeCall {
    std::string host;  // the Host header, with the port
    std::string target;
    std::string subprotocol;
    Secret authorization;
};

using OpenOutcome = std::variant<std::shared_ptr<WebSocketConnection>, UpgradeRefused, Error>;

// Sends the upgrade request. Returns the connection at once, so that it can be aborted; the
// callback comes later, also after an abort.
std::shared_ptr<WebSocketConnection> open_as_client(Stream stream, UpgradeCall call,
                                                    std::function<void(OpenOutcome)> callback);

}  // namespace rekey::net
