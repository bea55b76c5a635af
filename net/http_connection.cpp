#include "net/http_connection.hpp"

#include "base/fail_point.hpp"
#include "base/limits.hpp"
#include "base/secret.hpp"
#include "net/http_strict.hpp"
#include "net/http_text.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>

#include <iterator>

namespace rekey::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = 4096;
// A whole request; with the rest, chunk headers and what is pipelined behind.
constexpr std::size_t kBufferBytes =
    limits::kHttpHeaderBytes + limits::kHttpBodyBytes + 4 * kReadBytes;

std::size_t fields_of(const http::fields& header) {
    return static_cast<std::size_t>(std::distance(header.begin(), header.end()));
}

std::string_view as_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpServer::State> server, TcpSocket socket,
                               std::string remote_address)
    : server_(std::move(server)),
      remote_address_(std::move(remote_address)),
      stranger_until_(std::chrono::steady_clock::now() + server_->options.times.stranger),
      deadline_(socket.get_executor()),
      buffer_(kBufferBytes) {
    const auto& tls = server_->options.tls;
    if (tls)
        stream_.emplace(std::move(socket), tls->new_session(), tls);
    else
        stream_.emplace(std::move(socket));
    server_->connections.insert(this);
}

HttpConnection::~HttpConnection() { server_->connections.erase(this); }

bool HttpConnection::take_place() {
    if (!server_->options.admit) return true;
    // Called on any thread; only on its own may the connection be touched, or come to its end.
    auto give_way = [self = weak_from_this(), executor = stream_->get_executor()] {
        asio::post(executor, [self] {
            const auto connection = self.lock();
            if (connection) connection->leave();
        });
    };
    place_ = server_->options.admit(remote_address_, std::move(give_way));
    return place_ != nullptr;
}

void HttpConnection::leave() {
    if (phase_ == Phase::closed) return;
    // What was asked is being done: whoever asked hears how it went.
    if (phase_ == Phase::answering)
        has_to_leave_ = true;
    else
        close();
}

void HttpConnection::start() {
    if (!stream_->is_secure()) return begin_request();
    arm_deadline(server_->options.times.handshake);
    stream_->async_handshake([self = shared_from_this()](const ErrorCode& error) {
        if (self->phase_ == Phase::closed) return;
        if (error) return self->close();
        self->begin_request();
    });
}

void HttpConnection::begin_request() {
    const bool is_first = phase_ == Phase::handshake;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits::kHttpHeaderBytes));
    parser_->body_limit(limits::kHttpBodyBytes);
    // Nobody needs chunk extensions, and servers do not agree on where one ends.
    on_chunk_ = [](std::uint64_t, boost::beast::string_view extensions, ErrorCode& error) {
        if (!extensions.empty()) error = http::error::bad_chunk_extension;
    };
    parser_->on_chunk_header(on_chunk_);
    header_seen_ = false;
    if (buffer_.size() > 0) {
        phase_ = Phase::reading;
        arm_deadline(server_->options.times.header);
        return parse();
    }
    if (server_->stopping) return close();
    phase_ = Phase::idle;
    if (is_first)
        arm_deadline(server_->options.times.header);
    else
        arm_deadline(server_->options.times.idle);
    read_some();
}

void HttpConnection::read_some() {
    if (buffer_.size() + kReadBytes > buffer_.max_size())
        return refuse(http::error::buffer_overflow);
    read_pending_ = true;
    stream_->async_read_some(
        buffer_.prepare(kReadBytes),
        [self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
            self->on_read(error, bytes);
        });
}

void HttpConnection::on_read(const ErrorCode& error, std::size_t bytes) {
    read_pending_ = false;
    if (phase_ == Phase::lingering) return drain();
    if (phase_ != Phase::idle && phase_ != Phase::reading) return;
    if (error) return close();
    buffer_.commit(bytes);
    if (phase_ == Phase::idle) {
        phase_ = Phase::reading;
        arm_deadline(server_->options.times.header);
    }
    parse();
}

void HttpConnection::parse() {
    if (!header_seen_ && !parse_header()) return;
    ErrorCode error;
    if (buffer_.size() > 0 && !parser_->is_done())
        buffer_.consume(parser_->put(buffer_.data(), error));
    if (error && error != http::error::need_more) return refuse(error);
    if (!parser_->is_done()) return read_some();
    // A trailer would put a field into a header that has been looked at already.
    if (fields_of(parser_->get()) != header_fields_)
        return refuse(400, "fields behind the body are not taken");
    hand_over();
}

// False: it goes on later, or not at all.
bool HttpConnection::parse_header() {
    const auto data = buffer_.data();
    const auto wrong = ambiguous_lines({static_cast<const char*>(data.data()), data.size()});
    if (!wrong.empty()) {
        refuse(400, std::string(wrong));
        return false;
    }
    ErrorCode error;
    buffer_.consume(parser_->put(data, error));
    if (!error && parser_->is_header_done()) return accept_header();
    if (error && error != http::error::need_more) {
        refuse(error);
    } else {
        read_some();
    }
    return false;
}

// The same.
bool HttpConnection::accept_header() {
    header_seen_ = true;
    const auto& header = parser_->get();
    header_fields_ = fields_of(header);
    if (header_fields_ > limits::kHttpHeaderFields) {
        refuse(http::error::header_limit);
        return false;
    }
    const auto wrong = ambiguous_fields(header, header.version());
    if (!wrong.empty()) {
        refuse(400, std::string(wrong));
        return false;
    }
    parser_->eager(true);
    // The body may wait for our word (RFC 9110, section 10.1.1).
    const bool waits =
        !parser_->is_done() && buffer_.size() == 0 && header.count(http::field::expect) != 0;
    if (waits) send_continue();
    return !waits;
}

// A phase of its own, in which nothing else is written: what ends it early, the deadline or stop(),
// closes the connection.
void HttpConnection::send_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    phase_ = Phase::continuing;
    asio::async_write(*stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                          if (self->phase_ != Phase::continuing) return;
                          if (error) return self->close();
                          self->phase_ = Phase::reading;
                          self->read_some();
                      });
}

void HttpConnection::hand_over() {
    phase_ = Phase::answering;
    ends_at_.reset();
    keep_alive_ = parser_->keep_alive() && !server_->stopping;
    HttpRequest request;
    auto message = parser_->release();
    parser_.reset();
    request.method = as_view(message.method_string());
    request.target = as_view(message.target());
    for (const auto& field : message)
        request.headers.add(as_view(field.name_string()), as_view(field.value()));
    request.body = std::move(message.body());
    request.remote_address = remote_address_;
    request.secure = stream_->is_secure();
    request.awaited_since = awaited_since_;
    without_body_ = request.method == "HEAD";
    if (buffer_.size() == 0) buffer_.shrink_to_fit();
    if (!server_->handler) return close();
    server_->handler(HttpExchange(shared_from_this(), std::move(request)));
}

void HttpConnection::refuse(const ErrorCode& error) {
    unsigned status = 400;
    std::string message = "this is no valid HTTP/1.1 request: " + error.message();
    if (error == http::error::header_limit) {
        status = 431;
        message = "the header is longer than " + std::to_string(limits::kHttpHeaderBytes) +
                  " bytes, or has more than " + std::to_string(limits::kHttpHeaderFields) +
                  " fields";
    } else if (error == http::error::body_limit || error == http::error::buffer_overflow) {
        status = 413;
        message = "the body is longer than " + std::to_string(limits::kHttpBodyBytes) + " bytes";
    } else if (error == asio::error::timed_out) {
        status = 408;
        message = "the request did not arrive in time";
    }
    refuse(status, message);
}

void HttpConnection::refuse(unsigned status, const std::string& message) {
    keep_alive_ = false;
    if (server_->options.refusal) return write(server_->options.refusal(status, message));
    HttpResponse response;
    response.status = status;
    response.headers.add("Content-Type", "text/plain");
    response.body = message + "\n";
    write(response);
}

void HttpConnection::credential_was_good() {
    stranger_until_.reset();
    if (place_) place_->credential_was_good();
}

void HttpConnection::respond(const HttpResponse& response, const HttpHeaders& more) {
    if (phase_ != Phase::answering) return;
    // Said in an answer rather than done while it is idle, where it would cross a request.
    if (has_to_leave_ || (stranger_until_ && *stranger_until_ <= std::chrono::steady_clock::now()))
        keep_alive_ = false;
    write(response, more);
}

void HttpConnection::write(const HttpResponse& response, const HttpHeaders& more) {
    phase_ = Phase::writing;
    arm_deadline(server_->options.times.idle);
    output_ = to_http(response, {keep_alive_, without_body_, {&more, &server_->options.headers}});
    asio::async_write(*stream_, asio::buffer(output_),
                      [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                          self->on_written(error);
                      });
}

void HttpConnection::on_written(const ErrorCode& error) {
    // It may have held an enrollment's token.
    wipe_string(output_);
    output_ = {};
    if (phase_ != Phase::writing) return;
    if (error) return close();
    fail_point::reached(fail_point::Point::message_sent);
    if (!keep_alive_ || server_->stopping) return linger();
    awaited_since_ = Moment::of(SystemClock());
    begin_request();
}

void HttpConnection::upgrade(UpgradeAnswer answer, std::function<void(WebSocket)> opened) {
    if (phase_ != Phase::answering) return;
    phase_ = Phase::closed;
    server_->connections.erase(this);
    const auto data = buffer_.data();
    answer.read_ahead.assign(static_cast<const char*>(data.data()), data.size());
    Stream stream = std::move(*stream_);
    stream_.reset();
    open_as_server(std::move(stream), std::move(answer),
                   [place = std::move(place_), done = std::move(opened)](
                       std::shared_ptr<WebSocketConnection> connection) mutable {
                       place = nullptr;
                       if (connection) done(WebSocket(std::move(connection)));
                   });
}

void HttpConnection::abandon() {
    if (phase_ == Phase::answering) close();
}

void HttpConnection::stop() {
    if (phase_ == Phase::answering || phase_ == Phase::writing)
        keep_alive_ = false;
    else
        close();
}

void HttpConnection::arm_deadline(Milliseconds delay) {
    ends_at_ = std::chrono::steady_clock::now() + delay;
    if (!wait_ends_at_ || *wait_ends_at_ > *ends_at_) wait_for_deadline();
}

void HttpConnection::wait_for_deadline() {
    wait_ends_at_ = ends_at_;
    deadline_.expires_at(*ends_at_);
    deadline_.async_wait([self = weak_from_this()](const ErrorCode& error) {
        const auto connection = self.lock();
        if (!error && connection) connection->on_deadline();
    });
}

void HttpConnection::on_deadline() {
    wait_ends_at_.reset();
    if (!ends_at_ || phase_ == Phase::closed) return;
    if (*ends_at_ > std::chrono::steady_clock::now()) return wait_for_deadline();
    if (phase_ == Phase::reading) return refuse(asio::error::timed_out);
    close();
}

// An answer must not be lost to the reset that unread bytes of the request would cause.
void HttpConnection::linger() {
    phase_ = Phase::lingering;
    stream_->shutdown_send();
    arm_deadline(limits::kCloseHandshakeTimeout);
    buffer_.clear();
    if (!read_pending_) drain();  // else once the read under way has ended
}

void HttpConnection::drain() {
    stream_->socket().async_read_some(
        buffer_.prepare(kReadBytes),
        [self = shared_from_this()](const ErrorCode& error, std::size_t) {
            if (error || self->phase_ == Phase::closed) return self->close();
            self->drain();
        });
}

void HttpConnection::close() {
    phase_ = Phase::closed;
    ends_at_.reset();
    deadline_.cancel();
    place_ = nullptr;
    if (stream_) stream_->close();
}

}  // namespace rekey::net
