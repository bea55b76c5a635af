#pragma once

#include "net/web_socket.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace rekey::server::sessions {

// What a session needs of its socket: a WebSocket in the daemon, something scripted in a test or a
// simulation. One thread; the rules of net/web_socket.hpp hold.
class Wire {
  public:
    virtual ~Wire() = default;
    virtual void start(net::WebSocketObserver& observer) = 0;
    virtual void send(std::string message) = 0;
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    [[nodiscard]] virtual const std::string& remote_address() const = 0;
    [[nodiscard]] virtual bool is_secure() const = 0;
};

class WebSocketWire final : public Wire {
  public:
    explicit WebSocketWire(net::WebSocket socket) : socket_(std::move(socket)) {}
    void start(net::WebSocketObserver& observer) override { socket_.start(observer); }
    void send(std::string message) override { socket_.send(std::move(message)); }
    void close(std::uint16_t code, std::string_view reason) override {
        socket_.close(code, reason);
    }
    [[nodiscard]] const std::string& remote_address() const override {
        return socket_.remote_address();
    }
    [[nodiscard]] bool is_secure() const override { return socket_.is_secure(); }

  private:
    net::WebSocket socket_;
};

}  // namespace rekey::server::sessions
