#pragma once

#include "net/http_server.hpp"
#include "net/stream.hpp"
#include "net/web_socket_connection.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

namespace rekey::net {

// Inside net/ only: what the connections of one HttpServer share.
struct HttpServer::State {
    HttpServerOptions options;
    HttpHandler handler;
    std::unordered_set<HttpConnection*> connections;
    bool stopping = false;
};

// One connection until it closes or becomes a WebSocket. Kept alive by its pending operation, or by
// the exchange that waits for an answer.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
  public:
    HttpConnection(std::shared_ptr<HttpServer::State> server, TcpSocket socket,
                   std::string remote_address);
    ~HttpConnection();
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    // False: there is none for it, and it is not to be started.
    [[nodiscard]] bool take_place();
    void start();
    // The exchange's half.
    void credential_was_good();
    void respond(const HttpResponse& response, const HttpHeaders& more);
    void upgrade(UpgradeAnswer answer, std::function<void(WebSocket)> opened);
    void abandon();
    // The server's: closes now if no request is being answered.
    void stop();

  private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
    enum class Phase : std::uint8_t {
        handshake,
        idle,
        reading,
        continuing,  // 100 Continue is being written
        answering,
        writing,
        lingering,
        closed
    };

    void begin_request();
    void read_some();
    void on_read(const ErrorCode& error, std::size_t bytes);
    void parse();
    [[nodiscard]] bool parse_header();
    [[nodiscard]] bool accept_header();
    void hand_over();
    void refuse(const ErrorCode& error);
    void refuse(unsigned status, const std::string& message);
    void write(const HttpResponse& response, const HttpHeaders& more = {});
    void on_written(const ErrorCode& error);
    void send_continue();
    // Costs a clock reading for most requests: a wait that ends earlier stays, and looks again when
    // it is over.
    void arm_deadline(Milliseconds delay);
    void wait_for_deadline();
    void on_deadline();
    void linger();
    void drain();
    void leave();
    void close();

    std::shared_ptr<HttpServer::State> server_;
    std::optional<Stream> stream_;
    std::string remote_address_;
    Moment awaited_since_ = Moment::of(SystemClock());
    using Instant = std::chrono::steady_clock::time_point;
    std::shared_ptr<HttpPlace> place_;
    std::optional<Instant> stranger_until_;  // none: it has shown a good credential
    IoTimer deadline_;
    std::optional<Instant> ends_at_;       // none: nothing is awaited from the peer
    std::optional<Instant> wait_ends_at_;  // of the timer; none: it is not running
    Phase phase_ = Phase::handshake;
    boost::beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    bool header_seen_ = false;
    std::size_t header_fields_ = 0;
    std::function<void(std::uint64_t, boost::beast::string_view, ErrorCode&)> on_chunk_;
    bool read_pending_ = false;
    bool keep_alive_ = true;
    bool has_to_leave_ = false;  // its place was taken
    bool without_body_ = false;
    std::string output_;
};

}  // namespace rekey::net
