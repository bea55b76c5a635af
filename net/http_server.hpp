#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/http_message.hpp"
#include "net/listener.hpp"
#include "net/tls_context.hpp"
#include "net/web_socket.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rekey::net {

struct HttpRequest {
    std::string method;  // "POST"
    std::string target;  // as sent: path and query
    HttpHeaders headers;
    std::string body;            // at most limits::kHttpBodyBytes
    std::string remote_address;  // without the port: "127.0.0.1", "::1"
    bool secure = false;
    // Since when the server waits for it: the connection was accepted, or the answer before this
    // request was written.
    Moment awaited_since{};
    std::string id;  // what names it in logs and in its answer; empty until it is identified

    [[nodiscard]] std::string_view path() const;   // without the query
    [[nodiscard]] std::string_view query() const;  // after '?', not decoded
};

class HttpConnection;

// A connection's place among those of its address, held until it closes or becomes a WebSocket.
class HttpPlace {
  public:
    virtual ~HttpPlace() = default;
    // On the server's thread.
    virtual void credential_was_good() = 0;
};

// One request that waits for its answer. Move-only; answered once, on the server's thread, at any
// later time. One that is dropped without an answer closes its connection. Answering after the
// peer has gone does nothing.
class HttpExchange {
  public:
    HttpExchange(std::shared_ptr<HttpConnection> connection, HttpRequest request);
    HttpExchange(HttpExchange&&) noexcept = default;
    HttpExchange& operator=(HttpExchange&&) = delete;
    ~HttpExchange();

    [[nodiscard]] const HttpRequest& request() const { return request_; }
    // The peer is a proxy that speaks for this address (no port).
    void speaks_for(std::string address) { request_.remote_address = std::move(address); }
    // The request came with a credential that works: its connection is no stranger's from here on.
    void credential_was_good();

    // Whether this is a well-formed WebSocket upgrade (RFC 6455, section 4.2.1).
    [[nodiscard]] bool is_upgrade() const;
    // The subprotocols that it offers, in order.
    [[nodiscard]] std::vector<std::string> offered_subprotocols() const;

    // From here on request().id, and X-Request-Id in the answer, whichever it is.
    void identify(std::string id);
    // A header of the answer, unless the answer has it itself.
    void add_header(std::string_view name, std::string_view value);

    void respond(const HttpResponse& response);
    // Answers 101 with this subprotocol. `opened` comes once the answer is written, and never if
    // the peer has gone; the HTTP side and the request are released before it. Only when
    // is_upgrade().
    void upgrade(std::string_view subprotocol, std::function<void(WebSocket)> opened);

  private:
    std::shared_ptr<HttpConnection> connection_;
    HttpRequest request_;
    HttpHeaders more_;
};

using HttpHandler = std::function<void(HttpExchange)>;

// How long a peer may take. A request is given `header` from its first byte to its last, and so is
// a new connection until its first byte; `idle` is for the next request, and for reading an answer.
// A connection that has shown no good credential for `stranger` is closed behind its next answer.
struct HttpTimes {
    Milliseconds handshake = limits::kTlsHandshakeTimeout;
    Milliseconds header = limits::kHttpHeaderTimeout;
    Milliseconds idle = limits::kHttpIdleTimeout;
    Milliseconds stranger = limits::kHttpStrangerLife;
};

struct HttpServerOptions {
    std::shared_ptr<ServerTls> tls;  // none: plain
    // Asked for each new connection with its address (no port). Null refuses it: it is closed at
    // once. `give_way` closes it later, in favour of another one, behind the answer to what it has
    // asked: from any thread, as long as the server's io_context lives; it does nothing to a
    // WebSocket. May be empty.
    std::function<std::shared_ptr<HttpPlace>(const std::string& address,
                                             std::function<void()> give_way)>
        admit;
    // The answer to what net/ refuses itself: status 400, 408, 413 or 431, and words for people.
    // May be empty: a plain text of these words.
    std::function<HttpResponse(unsigned status, std::string_view message)> refusal;
    // Of every answer but a 101, unless the answer has them itself.
    HttpHeaders headers = {};
    HttpTimes times = {};
};

// The HTTP side of one shard: takes accepted sockets, does TLS, reads requests within HttpTimes
// (408), limits::kHttpHeaderBytes and kHttpHeaderFields (431) and kHttpBodyBytes (413), and hands
// them to the handler one at a time a connection. What another server may read as another request
// is refused with 400 and the connection closed (request smuggling): both or two of Content-Length
// and Transfer-Encoding, another encoding than chunked, chunk extensions, trailers, folded lines,
// line ends without CR. Bound to the io_context's thread; not to be destroyed from inside its
// handler.
class HttpServer {
  public:
    HttpServer(boost::asio::io_context& context, HttpServerOptions options, HttpHandler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    void accept(TcpSocket socket);
    // Closes every idle connection now, the others once they have answered; accepts no more.
    // WebSockets are not its business any longer.
    void stop();
    // Those that are not WebSockets.
    [[nodiscard]] std::size_t connections() const;

    struct State;  // net/'s own

  private:
    std::shared_ptr<State> state_;
};

}  // namespace rekey::net
