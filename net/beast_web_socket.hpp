#pragma once

#include "base/limits.hpp"
#include "net/outbox.hpp"
#include "net/web_socket_connection.hpp"
#include "net/wire.hpp"

#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <memory>
#include <string>

namespace rekey::net {

// Where an idle connection reads: most messages fit, so that they are neither allocated nor copied.
constexpr std::size_t kInlineBytes = 256;
// Beast's WebSocket behind the plain interface. Included by beast_web_socket.cpp alone, which takes
// half a minute to compile. Its operations hold a reference to it, so it outlives them.
class BeastWebSocket final : public WebSocketConnection,
                             public std::enable_shared_from_this<BeastWebSocket> {
  public:
    BeastWebSocket(Stream stream, FrameScan::From from)
        : remote_address_(address_of(stream)), ws_(std::move(stream), from) {
        ws_.auto_fragment(false);
        ws_.text(true);
        ws_.read_message_max(limits::kMessageBytes);
    }

    void accept(UpgradeAnswer answer,
                std::function<void(std::shared_ptr<WebSocketConnection>)> callback);
    void call(UpgradeCall call, std::function<void(OpenOutcome)> callback);

    void start(WebSocketObserver& observer) override;
    void send(std::string message) override;
    void ping() override;
    void close(std::uint16_t code, std::string_view reason) override;
    void abort() override;

    [[nodiscard]] bool is_open() const override { return state_ == State::open; }
    [[nodiscard]] std::size_t outbox_bytes() const override {
        return outbox_.bytes() + (writing_ ? writing_message_.size() : 0) +
               ws_.next_layer().corked_bytes();
    }
    [[nodiscard]] const std::string& remote_address() const override { return remote_address_; }
    [[nodiscard]] bool is_secure() const override { return stream().is_secure(); }
    [[nodiscard]] bool resumed_tls() const override {
        return is_secure() && is_resumed(stream().tls());
    }

  private:
    // `closing`: we wait for the queue to drain, for the peer's close frame, or for both.
    enum class State : std::uint8_t { opening, open, closing, closed };

    static std::string address_of(Stream& stream) {
        ErrorCode error;
        const auto endpoint = stream.socket().remote_endpoint(error);
        return error ? std::string("unknown") : endpoint_text(endpoint);
    }
    [[nodiscard]] Wire& wire() { return ws_.next_layer(); }
    [[nodiscard]] Stream& stream() { return ws_.next_layer().stream(); }
    [[nodiscard]] const Stream& stream() const {
        return const_cast<BeastWebSocket*>(this)->stream();
    }

    void opened();
    void read_next();
    void on_read(const ErrorCode& error, std::size_t bytes);
    void deliver(std::size_t bytes);
    void on_read_error(const ErrorCode& error);
    void write(std::string message);
    void on_written(const ErrorCode& error);
    void fail(std::uint16_t code, std::string_view reason);
    void begin_closing(std::uint16_t code, std::string_view reason);
    void send_close_frame();
    void start_deadline();
    void finish(const CloseReason& reason);
    void linger();
    void drain();
    void cut();

    std::string remote_address_;
    boost::beast::websocket::stream<Wire, false> ws_;
    WebSocketObserver* observer_ = nullptr;
    State state_ = State::opening;
    bool writing_ = false;
    bool pinging_ = false;
    bool close_sent_ = false;
    std::array<char, kInlineBytes> inline_{};
    std::string message_;  // one that did not fit
    std::string writing_message_;
    Outbox outbox_;
    std::unique_ptr<CloseReason> closing_;  // ours, once we close
    std::unique_ptr<IoTimer> deadline_;
    ErrorCode network_error_;
};

}  // namespace rekey::net
