#include "net/http_client.hpp"

#include "base/contract.hpp"
#include "net/dial.hpp"
#include "net/http_text.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cerrno>
#include <optional>
#include <sys/socket.h>

namespace rekey::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = std::size_t{16} * 1024;
constexpr std::uint32_t kResponseHeaderBytes = 64U * 1024U;

}  // namespace

// Kept alive by its own handlers; `callback_` is empty when no call is under way.
class HttpClient::Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(asio::io_context& context, HttpClientOptions options)
        : context_(context), options_(std::move(options)), deadline_(context.get_executor()) {}

    ~Connection() { wipe_string(output_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void send(const HttpCall& call, HttpCallback callback) {
        REKEY_ASSERT(!callback_ && callback);
        callback_ = std::move(callback);
        is_head_ = call.method == "HEAD";
        output_ = to_http(call, host_header(options_.host, options_.port));
        deadline_.expires_after(options_.timeout);
        deadline_.async_wait([self = shared_from_this()](const ErrorCode& error) {
            // The wait may have been over just before it was armed anew.
            if (error || !self->callback_ ||
                self->deadline_.expiry() > std::chrono::steady_clock::now())
                return;
            self->fail("no answer in " + std::to_string(self->options_.timeout.count()) + " ms");
        });
        if (is_reusable()) return write();
        stream_ = nullptr;
        dial_ = std::make_unique<Dial>(context_, options_.host, options_.port, options_.tls);
        dial_->start([self = shared_from_this()](Result<std::unique_ptr<Stream>> dialed) {
            if (dialed.has_error()) return self->finish(std::move(dialed).error());
            self->stream_ = std::move(*dialed);
            self->write();
        });
    }

    void cancel() {
        callback_ = nullptr;
        deadline_.cancel();
        dial_ = nullptr;
        if (stream_) stream_->close();
    }

  private:
    // A kept connection on which anything arrived, its end above all, is not used again. So a call
    // is never sent twice: it might not be idempotent.
    [[nodiscard]] bool is_reusable() {
        if (!stream_ || !stream_->socket().is_open() || buffer_.size() != 0) return false;
        char byte = 0;
        const ssize_t seen =
            ::recv(stream_->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    // Operations of a call that has failed end later, maybe during the next one.
    [[nodiscard]] bool is_current(const std::shared_ptr<Stream>& stream) const {
        return callback_ && stream == stream_ && stream->socket().is_open();
    }

    void write() {
        begin_response();
        buffer_.clear();
        // A refusal may have come before all was sent, so what went wrong shows when it is read.
        asio::async_write(
            *stream_, asio::buffer(output_),
            [self = shared_from_this(), stream = stream_](const ErrorCode&, std::size_t) {
                if (!self->is_current(stream)) return;
                wipe_string(self->output_);
                self->output_ = {};
                self->read();
            });
    }

    void begin_response() {
        parser_.emplace();
        parser_->header_limit(kResponseHeaderBytes);
        parser_->body_limit(options_.response_bytes);
        parser_->eager(true);
        parser_->skip(is_head_);
    }

    void read() {
        stream_->async_read_some(buffer_.prepare(kReadBytes),
                                 [self = shared_from_this(), stream = stream_](
                                     const ErrorCode& error, std::size_t bytes) {
                                     if (!self->is_current(stream)) return;
                                     self->buffer_.commit(bytes);
                                     self->on_read(error);
                                 });
    }

    void on_read(const ErrorCode& error) {
        if (error == asio::error::eof && parser_->got_some()) {
            ErrorCode bad;
            parser_->put_eof(bad);
            return bad ? fail(bad.message()) : complete();
        }
        if (error == asio::error::eof && !parser_->got_some() && !options_.tls)
            return fail_without_http("closed without an answer; does it speak TLS?");
        if (error) return fail(error.message());
        ErrorCode bad;
        buffer_.consume(parser_->put(buffer_.data(), bad));
        if (bad == http::error::body_limit)
            return fail("the answer is longer than " + std::to_string(options_.response_bytes) +
                        " bytes");
        if (bad && bad != http::error::need_more)
            return fail_without_http("the answer is no HTTP" +
                                     std::string(options_.tls ? "" : "; is it TLS?"));
        if (!parser_->is_done()) return read();
        const unsigned status = parser_->get().result_int();
        if (status < 200 && status != 101) {  // 100 Continue and its like: the answer follows
            begin_response();
            return buffer_.size() > 0 ? on_read({}) : read();
        }
        complete();
    }

    void complete() {
        const bool keep = parser_->keep_alive();
        auto message = parser_->release();
        HttpResponse response;
        response.status = message.result_int();
        for (const auto& field : message)
            response.headers.add(
                std::string_view(field.name_string().data(), field.name_string().size()),
                std::string_view(field.value().data(), field.value().size()));
        response.body = std::move(message.body());
        if (!keep) stream_->close();
        buffer_.shrink_to_fit();
        finish(std::move(response));
    }

    void fail(const std::string& what) {
        if (stream_) stream_->close();
        finish(network_error(options_.host, options_.port, what));
    }

    // What a port does that expects something else than HTTP: TLS, above all.
    void fail_without_http(const std::string& what) {
        if (stream_) stream_->close();
        finish(network_error(options_.host, options_.port, what).with("reason", "no_http"));
    }

    void finish(Result<HttpResponse> result) {
        const HttpCallback done = std::move(callback_);
        callback_ = nullptr;
        deadline_.cancel();
        dial_ = nullptr;
        parser_.reset();
        if (done) done(std::move(result));
    }

    asio::io_context& context_;
    HttpClientOptions options_;
    HttpCallback callback_;
    IoTimer deadline_;
    std::unique_ptr<Dial> dial_;
    std::shared_ptr<Stream> stream_;  // its operations hold it too
    std::string output_;
    bool is_head_ = false;
    boost::beast::flat_buffer buffer_;
    std::optional<http::response_parser<http::string_body>> parser_;
};

HttpClient::HttpClient(asio::io_context& context, HttpClientOptions options)
    : connection_(std::make_shared<Connection>(context, std::move(options))) {}

HttpClient::~HttpClient() { connection_->cancel(); }

void HttpClient::send(const HttpCall& call, HttpCallback callback) {
    connection_->send(call, std::move(callback));
}

BlockingHttpClient::BlockingHttpClient(HttpClientOptions options)
    : context_(1), client_(context_, std::move(options)) {}

Result<HttpResponse> BlockingHttpClient::send(const HttpCall& call) {
    std::optional<Result<HttpResponse>> answer;
    context_.restart();
    client_.send(call,
                 [&answer](Result<HttpResponse> result) { answer.emplace(std::move(result)); });
    while (!answer) REKEY_ASSERT(context_.run_one() == 1);
    return std::move(*answer);
}

}  // namespace rekey::net
