#include "net/web_socket.hpp"

#include "base/contract.hpp"
#include "net/dial.hpp"
#include "net/http_text.hpp"
#include "net/web_socket_connection.hpp"

namespace rekey::net {
namespace {

// Kept alive by its own handlers; `callback` is empty once done or cancelled.
class Attempt : public std::enable_shared_from_this<Attempt> {
  public:
    Attempt(boost::asio::io_context& context, ConnectOptions options,
            std::function<void(ConnectOutcome)> callback)
        : options_(std::move(options)),
          callback_(std::move(callback)),
          deadline_(context.get_executor()),
          dial_(std::make_unique<Dial>(context, options_.host, options_.port, options_.tls)) {}

    void start() {
        deadline_.expires_after(options_.timeout);
        deadline_.async_wait([self = shared_from_this()](const ErrorCode& error) {
            if (error || !self->callback_) return;
            self->finish(network_error(
                self->options_.host, self->options_.port,
                "no answer in " + std::to_string(self->options_.timeout.count()) + " ms"));
        });
        dial_->start([self = shared_from_this()](Result<std::unique_ptr<Stream>> dialed) {
            if (dialed.has_error()) return self->finish(std::move(dialed).error());
            self->upgrade(std::move(**dialed));
        });
    }

    void cancel() {
        callback_ = nullptr;
        stop();
    }

  private:
    void upgrade(Stream stream) {
        UpgradeCall call{host_header(options_.host, options_.port), options_.target,
                         options_.subprotocol,
                         options_.authorization ? options_.authorization() : Secret()};
        if (!callback_) return;  // cancelled by whoever chose the credential
        connection_ = open_as_client(std::move(stream), std::move(call),
                                     [self = shared_from_this()](OpenOutcome outcome) {
                                         if (self->callback_) self->opened(std::move(outcome));
                                     });
    }

    void opened(OpenOutcome outcome) {
        if (auto* connection = std::get_if<std::shared_ptr<WebSocketConnection>>(&outcome)) {
            connection_ = nullptr;
            return finish(WebSocket(std::move(*connection)));
        }
        if (auto* refused = std::get_if<UpgradeRefused>(&outcome))
            return finish(std::move(*refused));
        finish(network_error(options_.host, options_.port, std::get<Error>(outcome).message()));
    }

    void finish(ConnectOutcome outcome) {
        const auto done = std::move(callback_);
        callback_ = nullptr;
        stop();
        if (done) done(std::move(outcome));
    }

    void stop() {
        deadline_.cancel();
        dial_ = nullptr;
        if (connection_) connection_->abort();
        connection_ = nullptr;
    }

    ConnectOptions options_;
    std::function<void(ConnectOutcome)> callback_;
    IoTimer deadline_;
    std::unique_ptr<Dial> dial_;
    std::shared_ptr<WebSocketConnection> connection_;
};

class OwnedAttempt final : public ConnectAttempt {
  public:
    explicit OwnedAttempt(std::shared_ptr<Attempt> attempt) : attempt_(std::move(attempt)) {}
    ~OwnedAttempt() override { attempt_->cancel(); }
    OwnedAttempt(const OwnedAttempt&) = delete;
    OwnedAttempt& operator=(const OwnedAttempt&) = delete;

  private:
    std::shared_ptr<Attempt> attempt_;
};

}  // namespace

WebSocket::WebSocket(std::shared_ptr<WebSocketConnection> connection)
    : connection_(std::move(connection)) {}

WebSocket::WebSocket(WebSocket&&) noexcept = default;

WebSocket& WebSocket::operator=(WebSocket&& other) noexcept {
    if (this != &other) {
        abort();
        connection_ = std::move(other.connection_);
    }
    return *this;
}

WebSocket::~WebSocket() { abort(); }

void WebSocket::start(WebSocketObserver& observer) { connection_->start(observer); }
void WebSocket::send(std::string message) { connection_->send(std::move(message)); }
void WebSocket::ping() { connection_->ping(); }

void WebSocket::close(std::uint16_t code, std::string_view reason) {
    connection_->close(code, reason);
}

void WebSocket::abort() {
    if (connection_) connection_->abort();
}

bool WebSocket::is_open() const { return connection_ && connection_->is_open(); }
std::size_t WebSocket::outbox_bytes() const { return connection_->outbox_bytes(); }
const std::string& WebSocket::remote_address() const { return connection_->remote_address(); }
bool WebSocket::is_secure() const { return connection_->is_secure(); }
bool WebSocket::resumed_tls() const { return connection_->resumed_tls(); }

std::unique_ptr<ConnectAttempt> connect_web_socket(boost::asio::io_context& context,
                                                   ConnectOptions options,
                                                   std::function<void(ConnectOutcome)> callback) {
    REKEY_ASSERT(callback != nullptr);
    auto attempt = std::make_shared<Attempt>(context, std::move(options), std::move(callback));
    attempt->start();
    return std::make_unique<OwnedAttempt>(std::move(attempt));
}

}  // namespace rekey::net
