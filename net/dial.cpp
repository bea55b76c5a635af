#include "net/dial.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <fcntl.h>
#include <vector>

namespace rekey::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Resolver = asio::ip::basic_resolver<tcp, Executor>;

// What OpenSSL makes of bytes that begin no TLS record, such as "HTTP/1.1 400".
bool speaks_no_tls(const ErrorCode& error) {
    if (error.category() != asio::error::get_ssl_category()) return false;
    const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
    return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG ||
           reason == SSL_R_HTTP_REQUEST;
}

}  // namespace

Error network_error(const std::string& host, std::uint16_t port, const std::string& what) {
    const bool is_v6 = host.find(':') != std::string::npos;
    return Error(Code::unavailable, "cannot reach " + (is_v6 ? "[" + host + "]" : host) + ":" +
                                        std::to_string(port) + ": " + what);
}

// Kept alive by its own handlers; `callback` is empty once done or cancelled.
struct Dial::Attempt : std::enable_shared_from_this<Dial::Attempt> {
    Attempt(asio::io_context& context, std::string host_name, std::uint16_t port_number,
            std::shared_ptr<ClientTls> client_tls)
        : host(std::move(host_name)),
          port(port_number),
          tls(std::move(client_tls)),
          resolver(context.get_executor()),
          socket(context.get_executor()) {}

    void finish(Result<std::unique_ptr<Stream>> result) {
        const Callback done = std::move(callback);
        callback = nullptr;
        if (done) done(std::move(result));
    }

    void look_up() {
        ErrorCode error;
        const asio::ip::address address = asio::ip::make_address(host, error);
        if (!error) {
            endpoints.emplace_back(address, port);
            return connect();
        }
        resolver.async_resolve(host, std::to_string(port),
                               [self = shared_from_this()](const ErrorCode& failed,
                                                           const Resolver::results_type& found) {
                                   if (!self->callback) return;
                                   if (failed) return self->fail(failed.message());
                                   for (const auto& entry : found)
                                       self->endpoints.push_back(entry.endpoint());
                                   self->connect();
                               });
    }

    void connect() {
        asio::async_connect(
            socket, endpoints,
            [self = shared_from_this()](const ErrorCode& error, const tcp::endpoint&) {
                if (!self->callback) return;
                if (error) return self->fail(error.message());
                self->connected();
            });
    }

    void connected() {
        ErrorCode ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        // A program that the host process starts must not inherit the connection.
        ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
        if (!tls) return finish(std::make_unique<Stream>(std::move(socket)));
        stream = std::make_unique<Stream>(std::move(socket), tls->new_session(host, port), tls);
        stream->async_handshake([self = shared_from_this()](const ErrorCode& error) {
            if (!self->callback) return;
            if (!error) return self->finish(std::move(self->stream));
            if (auto refused = ClientTls::failure(self->stream->tls(), self->host))
                return self->finish(*std::move(refused));
            if (speaks_no_tls(error))
                return self->finish(
                    network_error(self->host, self->port, "what answers there does not speak TLS")
                        .with("reason", "no_tls"));
            self->fail("TLS handshake: " + error.message());
        });
    }

    void fail(const std::string& what) { finish(network_error(host, port, what)); }

    void cancel() {
        callback = nullptr;
        resolver.cancel();
        ErrorCode ignored;
        if (socket.is_open()) socket.close(ignored);
        if (stream) stream->close();
    }

    std::string host;
    std::uint16_t port;
    std::shared_ptr<ClientTls> tls;
    Resolver resolver;
    TcpSocket socket;
    std::vector<tcp::endpoint> endpoints;
    std::unique_ptr<Stream> stream;
    Callback callback;
};

Dial::Dial(asio::io_context& context, std::string host, std::uint16_t port,
           std::shared_ptr<ClientTls> tls)
    : attempt_(std::make_shared<Attempt>(context, std::move(host), port, std::move(tls))) {}

Dial::~Dial() { attempt_->cancel(); }

void Dial::start(Callback callback) {
    attempt_->callback = std::move(callback);
    attempt_->look_up();
}

}  // namespace rekey::net
