#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "net/http_message.hpp"
#include "net/tls_context.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace rekey::net {

struct HttpClientOptions {
    std::string host;  // a name or an address, without brackets
    std::uint16_t port = 0;
    std::shared_ptr<ClientTls> tls;                       // none: plain
    Milliseconds timeout{std::chrono::seconds{30}};       // of one call, connecting included
    std::size_t response_bytes = 16UL * 1024UL * 1024UL;  // a longer body is an error
};

using HttpCallback = std::function<void(Result<HttpResponse>)>;

// One server, called one request after the other over one kept-alive connection that is opened when
// needed; a kept connection that the server has closed meanwhile is opened again once, before
// anything of the request was answered. Bound to one io_context's thread. Destroying it cancels:
// the callback then never comes.
//
// Every HTTP status is a response; errors are those of ConnectOutcome in web_socket.hpp.
// `unavailable` has details.reason "no_tls" or "no_http" when something else was answered; the
// latter also when a connection without TLS was closed without an answer, as TLS servers do.
class HttpClient {
  public:
    HttpClient(boost::asio::io_context& context, HttpClientOptions options);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // One call at a time: a second one before the callback is a bug of the caller.
    void send(const HttpCall& call, HttpCallback callback);

  private:
    class Connection;
    std::shared_ptr<Connection> connection_;
};

// The same for a program that has nothing else to do (rekeyctl, enrollment): blocks the thread.
class BlockingHttpClient {
  public:
    explicit BlockingHttpClient(HttpClientOptions options);
    [[nodiscard]] Result<HttpResponse> send(const HttpCall& call);

  private:
    boost::asio::io_context context_;
    HttpClient client_;
};

}  // namespace rekey::net
