#include "net/beast_web_socket.hpp"

#include "base/contract.hpp"
#include "base/encoding.hpp"
#include "base/fail_point.hpp"
#include "base/limits.hpp"

#include <algorithm>

namespace rekey::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using websocket::stream_base;

// A close frame's reason (RFC 6455, section 5.5: 125 bytes with the code).
constexpr std::size_t kCloseReasonBytes = 123;
// How much is gathered for one write.
constexpr std::size_t kGatheredBytes = std::size_t{64} * 1024;

}  // namespace

void BeastWebSocket::accept(UpgradeAnswer answer,
                            std::function<void(std::shared_ptr<WebSocketConnection>)> callback) {
    wire().prefetch(std::move(answer.read_ahead));
    ws_.set_option(stream_base::decorator([&answer](websocket::response_type& response) {
        if (!answer.subprotocol.empty())
            response.set(http::field::sec_websocket_protocol, answer.subprotocol);
        if (!answer.request_id.empty()) response.set("X-Request-Id", answer.request_id);
        response.set(http::field::server, "rekey");
    }));
    // The original request was checked by the HTTP side; Beast needs only these.
    http::request<http::empty_body> request(http::verb::get, "/", 11);
    request.set(http::field::host, "localhost");
    request.set(http::field::connection, "upgrade");
    request.set(http::field::upgrade, "websocket");
    request.set(http::field::sec_websocket_version, "13");
    request.set(http::field::sec_websocket_key, answer.key);
    ws_.async_accept(request, [self = shared_from_this(),
                               done = std::move(callback)](const ErrorCode& error) mutable {
        if (error) return done(nullptr);
        self->opened();
        done(std::move(self));
    });
    // The answer was made inside async_accept: the decorator is not needed any longer.
    ws_.set_option(stream_base::decorator([](websocket::response_type&) {}));
}

void BeastWebSocket::call(UpgradeCall call, std::function<void(OpenOutcome)> callback) {
    const std::string wanted = call.subprotocol;
    ws_.set_option(stream_base::decorator([&call](websocket::request_type& request) {
        request.erase(http::field::user_agent);
        if (!call.subprotocol.empty())
            request.set(http::field::sec_websocket_protocol, call.subprotocol);
        if (!call.authorization.empty())
            request.set(http::field::authorization, call.authorization.expose());
    }));
    auto answer = std::make_shared<websocket::response_type>();
    ws_.async_handshake(
        *answer, call.host, call.target,
        [self = shared_from_this(), answer, wanted,
         done = std::move(callback)](const ErrorCode& error) mutable {
            if (error == websocket::error::upgrade_declined) {
                UpgradeRefused refused;
                refused.response.status = answer->result_int();
                for (const auto& field : *answer)
                    refused.response.headers.add(field.name_string(), field.value());
                refused.response.body = answer->body().substr(0, limits::kMessageBytes);
                self->cut();
                return done(std::move(refused));
            }
            if (error) {
                self->cut();
                return done(Error(Code::unavailable, "the upgrade failed: " + error.message()));
            }
            if ((*answer)[http::field::sec_websocket_protocol] != wanted) {
                self->cut();
                return done(
                    Error(Code::unavailable, "the server does not speak " + wanted + " there"));
            }
            self->opened();
            done(std::shared_ptr<WebSocketConnection>(std::move(self)));
        });
    ws_.set_option(stream_base::decorator([](websocket::request_type&) {}));
}

void BeastWebSocket::opened() {
    state_ = State::open;
    wire().on_fragments([this] {
        // Now is inside one of Beast's reads.
        asio::post(wire().get_executor(), [self = shared_from_this()] {
            self->fail(close_code::kTooBig, "too many fragments");
        });
    });
    ws_.control_callback([this](websocket::frame_type type, beast::string_view) {
        if (observer_ != nullptr) observer_->on_frame();
        if (observer_ != nullptr && type == websocket::frame_type::pong) observer_->on_pong();
    });
}

void BeastWebSocket::start(WebSocketObserver& observer) {
    REKEY_ASSERT(observer_ == nullptr && state_ != State::opening);
    if (state_ == State::closed) return;
    observer_ = &observer;
    read_next();
}

void BeastWebSocket::read_next() {
    const auto handler = [self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
        self->on_read(error, bytes);
    };
    if (message_.empty())
        return ws_.async_read_some(asio::buffer(inline_.data(), inline_.size()), handler);
    // Room for the rest of this frame, and one byte so that an empty last fragment is read too.
    const std::size_t have = message_.size();
    const std::size_t hint = std::clamp<std::size_t>(ws_.read_size_hint(kInlineBytes), 1,
                                                     limits::kMessageBytes - have + 1);
    message_.resize(have + hint);
    ws_.async_read_some(
        asio::buffer(message_.data() + have, hint),
        [self = shared_from_this(), have](const ErrorCode& error, std::size_t bytes) {
            self->message_.resize(have + bytes);
            self->on_read(error, error ? 0 : bytes);
        });
}

void BeastWebSocket::on_read(const ErrorCode& error, std::size_t bytes) {
    if (state_ == State::closed) return;
    if (error) return on_read_error(error);
    if (ws_.got_binary()) return fail(close_code::kProtocolViolation, "binary frame");
    if (observer_ != nullptr) observer_->on_frame();
    if (state_ == State::closed) return;
    if (ws_.is_message_done())
        deliver(bytes);
    else if (message_.empty())
        message_.assign(inline_.data(), bytes);
    // After a failure Beast's close reads on by itself.
    if (state_ == State::closed || close_sent_) return;
    read_next();
}

void BeastWebSocket::deliver(std::size_t bytes) {
    if (message_.empty()) {
        if (state_ == State::open) observer_->on_text({inline_.data(), bytes});
        return;
    }
    const std::string whole = std::move(message_);
    message_ = {};
    // Beast does not see that a sequence is cut off when the last fragment is empty.
    if (!is_utf8(whole)) return fail(close_code::kBadText, "bad UTF-8");
    if (state_ == State::open) observer_->on_text(whole);
}

void BeastWebSocket::on_read_error(const ErrorCode& error) {
    // Our own close is under way: its completion, or the deadline, finishes.
    if (close_sent_ && error == asio::error::operation_aborted && stream().socket().is_open())
        return;
    CloseReason reason;
    if (error == websocket::error::closed) {
        reason.code = ws_.reason().code;
        if (reason.code == websocket::close_code::none) reason.code = close_code::kNone;
        reason.reason.assign(ws_.reason().reason.data(), ws_.reason().reason.size());
        reason.by = ClosedBy::peer;
        if (closing_) reason = *closing_;
        return finish(reason);
    }
    reason.error = network_error_ ? network_error_.message() : error.message();
    const bool is_size = error == websocket::error::message_too_big;
    const bool is_text = error == websocket::error::bad_frame_payload;
    if (is_size || is_text || error == websocket::condition::protocol_violation) {
        reason.code = is_size   ? close_code::kTooBig
                      : is_text ? close_code::kBadText
                                : close_code::kProtocolError;
        reason.by = ClosedBy::us;
        return finish(reason);
    }
    if (closing_) reason = *closing_;
    finish(reason);
    cut();
}

void BeastWebSocket::send(std::string message) {
    if (state_ != State::open) return;
    if (outbox_bytes() + message.size() > limits::kOutboxBytes)
        return fail(close_code::kSlowConsumer, "slow consumer");
    if (writing_)
        outbox_.push(std::move(message));
    else
        write(std::move(message));
}

void BeastWebSocket::write(std::string message) {
    writing_ = true;
    writing_message_ = std::move(message);
    wire().cork(!outbox_.empty() && wire().corked_bytes() < kGatheredBytes);
    ws_.async_write(asio::buffer(writing_message_),
                    [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                        self->on_written(error);
                    });
}

void BeastWebSocket::on_written(const ErrorCode& error) {
    writing_ = false;
    if (state_ == State::closed) return;
    if (error) {
        // The read finds the socket closed and tells the observer.
        if (error != asio::error::operation_aborted) {
            network_error_ = error;
            stream().close();
        }
        return;
    }
    fail_point::reached(fail_point::Point::message_sent);
    if (!outbox_.empty()) return write(outbox_.pop());
    // An idle connection holds nothing.
    if (writing_message_.capacity() > kInlineBytes) writing_message_ = {};
    if (state_ == State::closing) send_close_frame();
}

void BeastWebSocket::ping() {
    if (state_ != State::open || pinging_) return;
    pinging_ = true;
    ws_.async_ping({}, [self = shared_from_this()](const ErrorCode&) { self->pinging_ = false; });
}

void BeastWebSocket::close(std::uint16_t code, std::string_view reason) {
    if (state_ != State::open) return;
    begin_closing(code, reason);
    if (!writing_) send_close_frame();
}

// As close(), but nothing that is queued is sent any more.
void BeastWebSocket::fail(std::uint16_t code, std::string_view reason) {
    if (state_ != State::open && (state_ != State::closing || close_sent_)) return;
    outbox_.clear();
    begin_closing(code, reason);
    // Beast sends it after the write under way, if there is one.
    wire().cork(false);
    send_close_frame();
}

void BeastWebSocket::begin_closing(std::uint16_t code, std::string_view reason) {
    state_ = State::closing;
    closing_ = std::make_unique<CloseReason>(
        CloseReason{code, std::string(reason.substr(0, kCloseReasonBytes)), ClosedBy::us, {}});
    start_deadline();
}

void BeastWebSocket::send_close_frame() {
    if (close_sent_) return;
    close_sent_ = true;
    const websocket::close_reason frame(
        static_cast<websocket::close_code>(closing_->code),
        beast::string_view(closing_->reason.data(), closing_->reason.size()));
    ws_.async_close(frame, [self = shared_from_this()](const ErrorCode& error) {
        if (self->state_ == State::closed) return;
        CloseReason reason = *self->closing_;
        if (error) reason.error = error.message();
        self->finish(reason);
    });
}

void BeastWebSocket::start_deadline() {
    if (!deadline_) deadline_ = std::make_unique<IoTimer>(wire().get_executor());
    deadline_->expires_after(limits::kCloseHandshakeTimeout);
    deadline_->async_wait([self = shared_from_this()](const ErrorCode& error) {
        if (error) return;
        self->cut();
        if (self->state_ == State::closed) return;
        CloseReason reason = *self->closing_;
        reason.error = "the peer did not answer the close frame in time";
        self->finish(reason);
    });
}

void BeastWebSocket::finish(const CloseReason& reason) {
    if (state_ == State::closed) return;
    state_ = State::closed;
    WebSocketObserver* observer = observer_;
    observer_ = nullptr;
    outbox_.clear();
    linger();
    if (observer != nullptr) observer->on_closed(reason);
}

// Closing a socket with unread bytes resets the connection, and a reset can overtake the close
// frame: so what still comes is read and dropped until the peer ends too.
void BeastWebSocket::linger() {
    if (!stream().socket().is_open()) return;
    start_deadline();
    drain();
}

void BeastWebSocket::drain() {
    stream().socket().async_read_some(
        asio::buffer(inline_.data(), inline_.size()),
        [self = shared_from_this()](const ErrorCode& error, std::size_t) {
            if (error) return self->cut();
            self->drain();
        });
}

void BeastWebSocket::cut() {
    stream().close();
    if (deadline_) deadline_->cancel();
}

void BeastWebSocket::abort() {
    observer_ = nullptr;
    // Its close frame went out: let it arrive.
    if (state_ == State::closed) return;
    state_ = State::closed;
    cut();
}

void open_as_server(Stream stream, UpgradeAnswer answer,
                    std::function<void(std::shared_ptr<WebSocketConnection>)> callback) {
    std::make_shared<BeastWebSocket>(std::move(stream), FrameScan::From::frames)
        ->accept(std::move(answer), std::move(callback));
}

std::shared_ptr<WebSocketConnection> open_as_client(Stream stream, UpgradeCall call,
                                                    std::function<void(OpenOutcome)> callback) {
    auto connection =
        std::make_shared<BeastWebSocket>(std::move(stream), FrameScan::From::http_response);
    connection->call(std::move(call), std::move(callback));
    return connection;
}

}  // namespace rekey::net
