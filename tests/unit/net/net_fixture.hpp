#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/certificates.hpp"
#include "net/http_server.hpp"
#include "net/io.hpp"
#include "net/listener.hpp"
#include "net/tls_context.hpp"
#include "net/web_socket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rekey::net {

inline constexpr auto kPatience = std::chrono::seconds{20};

// Runs handlers until `done`; fails the test when that takes forever.
template <class Done>
void run_until(boost::asio::io_context& io, Done done, std::string_view what = "condition") {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
        io.restart();
        io.run_one_for(std::chrono::milliseconds{50});
        if (std::chrono::steady_clock::now() < give_up) continue;
        BOOST_FAIL("waited too long for " << what);
    }
}

class ManualClock final : public Clock {
  public:
    [[nodiscard]] Time now() const override { return wall; }
    [[nodiscard]] SteadyTime steady_now() const override { return steady; }

    Time wall = SystemClock().now();
    SteadyTime steady = SystemClock().steady_now();
};

// A CA and what it serves.
struct Pki {
    explicit Pki(const Clock& clock, const std::vector<std::string>& hosts = {}) {
        SystemRandom random;
        ca = make_ca("Rekey test CA", clock, random).value();
        leaf = issue_certificate(ca, hosts, clock, random).value();
    }
    [[nodiscard]] std::string chain() const { return leaf.certificate_pem + ca.certificate_pem; }
    [[nodiscard]] std::string pin() const { return read_certificate(ca.certificate_pem)->pin; }

    KeyedCertificate ca;
    KeyedCertificate leaf;
};

// One end of a WebSocket, and what it heard.
class Peer final : public WebSocketObserver {
  public:
    explicit Peer(WebSocket opened) : socket(std::move(opened)) { socket.start(*this); }

    void on_text(std::string_view message) override {
        texts.emplace_back(message);
        if (answer) answer(message);
    }
    void on_frame() override { ++frames; }
    void on_pong() override { ++pongs; }
    void on_closed(const CloseReason& reason) override { closed = reason; }

    WebSocket socket;
    std::function<void(std::string_view)> answer;
    std::vector<std::string> texts;
    std::size_t frames = 0;
    std::size_t pongs = 0;
    std::optional<CloseReason> closed;
};

// A server on a free port of the loopback: /agent becomes a WebSocket that echoes, /refuse is
// refused as Rekey does it, everything else echoes the request's body.
class TestServer {
  public:
    explicit TestServer(boost::asio::io_context& io, std::shared_ptr<ServerTls> tls = nullptr)
        : TestServer(io, HttpServerOptions{std::move(tls), {}, {}}) {}

    TestServer(boost::asio::io_context& io, HttpServerOptions options)
        : http(io, std::move(options),
               [this](HttpExchange exchange) { on_request(std::move(exchange)); }) {
        listener = Listener::open(io, "127.0.0.1", 0, PortUse::exclusive, [this](TcpSocket socket) {
                       http.accept(std::move(socket));
                   }).value();
    }

    [[nodiscard]] std::uint16_t port() const { return listener->port(); }

    void on_request(HttpExchange exchange) {
        requests.push_back(exchange.request());
        if (handler) return handler(std::move(exchange));
        if (exchange.request().path() == "/agent" && exchange.is_upgrade()) {
            exchange.upgrade("rekey.agent.v1", [this](WebSocket socket) {
                auto peer = std::make_unique<Peer>(std::move(socket));
                if (echo)
                    peer->answer = [p = peer.get()](std::string_view text) {
                        p->socket.send(std::string(text));
                    };
                peers.push_back(std::move(peer));
            });
            return;
        }
        if (exchange.request().path() == "/refuse") {
            HttpResponse refusal = HttpResponse::json(403, R"({"name":"agent_revoked"})");
            refusal.headers.add("Rekey-Error", "agent_revoked");
            return exchange.respond(refusal);
        }
        exchange.respond(HttpResponse::json(200, exchange.request().body));
    }

    bool echo = true;
    std::function<void(HttpExchange)> handler;
    std::vector<HttpRequest> requests;
    std::vector<std::unique_ptr<Peer>> peers;
    HttpServer http;
    std::unique_ptr<Listener> listener;
};

inline ConnectOptions agent_options(const TestServer& server,
                                    std::shared_ptr<ClientTls> tls = nullptr) {
    ConnectOptions options;
    options.host = "127.0.0.1";
    options.port = server.port();
    options.subprotocol = "rekey.agent.v1";
    options.tls = std::move(tls);
    return options;
}

inline ConnectOutcome connect(boost::asio::io_context& io, ConnectOptions options) {
    std::optional<ConnectOutcome> outcome;
    const auto attempt = connect_web_socket(
        io, std::move(options), [&](ConnectOutcome result) { outcome = std::move(result); });
    run_until(io, [&] { return outcome.has_value(); }, "the connection");
    return std::move(*outcome);
}

// Connects, and waits until the server has its end too.
inline std::unique_ptr<Peer> connect_peer(boost::asio::io_context& io, TestServer& server,
                                          std::shared_ptr<ClientTls> tls = nullptr) {
    const std::size_t before = server.peers.size();
    ConnectOutcome outcome = connect(io, agent_options(server, std::move(tls)));
    if (const auto* error = std::get_if<Error>(&outcome)) BOOST_FAIL(error->message());
    BOOST_REQUIRE(std::holds_alternative<WebSocket>(outcome));
    run_until(io, [&] { return server.peers.size() > before; }, "the server's end");
    return std::make_unique<Peer>(std::get<WebSocket>(std::move(outcome)));
}

// A plain TCP client that sends whatever bytes a test wants.
class RawClient {
  public:
    RawClient(boost::asio::io_context& io, std::uint16_t port)
        : io_(io), socket_(io.get_executor()) {
        socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port});
        read();
    }

    void send(std::string_view bytes) {
        boost::system::error_code error;
        boost::asio::write(socket_, boost::asio::buffer(bytes.data(), bytes.size()), error);
    }
    void expect(std::string_view text) {
        run_until(io_, [&] { return received.find(text) != std::string::npos; }, text);
    }
    void expect_end() {
        run_until(io_, [&] { return ended; }, "the end of the connection");
    }
    void upgrade(std::string_view behind = {}) {
        send(std::string("GET /agent HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                         "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                         "Sec-WebSocket-Protocol: rekey.agent.v1\r\n\r\n") +
             std::string(behind));
        expect("\r\n\r\n");
        received.erase(0, received.find("\r\n\r\n") + 4);
    }
    // The code of the server's close frame; 0 if it ended without one.
    [[nodiscard]] unsigned close_code() {
        const auto found = [&] { return received.find('\x88'); };
        run_until(
            io_,
            [&] {
                return ended || (found() != std::string::npos && received.size() >= found() + 4);
            },
            "a close frame");
        const std::size_t at = found();
        if (at == std::string::npos || received.size() < at + 4) return 0;
        return static_cast<unsigned char>(received[at + 2]) * 256U +
               static_cast<unsigned char>(received[at + 3]);
    }

    std::string received;
    bool ended = false;

  private:
    void read() {
        socket_.async_read_some(boost::asio::buffer(buffer_),
                                [this, alive = std::weak_ptr<int>(alive_)](
                                    const boost::system::error_code& error, std::size_t bytes) {
                                    if (alive.expired()) return;
                                    received.append(buffer_.data(), bytes);
                                    ended = static_cast<bool>(error);
                                    if (!error) read();
                                });
    }

    boost::asio::io_context& io_;
    TcpSocket socket_;
    std::array<char, 4096> buffer_{};
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

// A client's frame: masked, with a mask of zeros.
inline std::string frame(unsigned first_byte, std::string_view payload) {
    std::string out(1, static_cast<char>(first_byte));
    const std::size_t size = payload.size();
    if (size < 126) {
        out += static_cast<char>(0x80U | size);
    } else if (size < 65536) {
        out += static_cast<char>(0x80U | 126U);
        out += static_cast<char>(size >> 8U);
        out += static_cast<char>(size & 0xffU);
    } else {
        out += static_cast<char>(0x80U | 127U);
        for (int shift = 56; shift >= 0; shift -= 8)
            out += static_cast<char>((size >> static_cast<unsigned>(shift)) & 0xffU);
    }
    out.append(4, '\0');
    out += payload;
    return out;
}

inline constexpr unsigned kText = 0x81;
inline constexpr unsigned kBinary = 0x82;
inline constexpr unsigned kFirstText = 0x01;
inline constexpr unsigned kContinued = 0x00;
inline constexpr unsigned kLast = 0x80;
inline constexpr unsigned kPing = 0x89;

}  // namespace rekey::net
