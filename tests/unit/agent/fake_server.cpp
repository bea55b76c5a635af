#include "fake_server.hpp"

#include "protocol/token.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>

namespace rekey::agent::test {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

std::string request(int id, const std::string& method, const boost::json::object& params) {
    return boost::json::serialize(boost::json::object{
        {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}});
}

std::uint64_t generation_of(const std::string& authorization) {
    return std::stoull(authorization.substr(authorization.rfind('-') + 1));
}

// Reports get their counts, everything else a plain yes.
boost::json::object result_of(const boost::json::object& request) {
    const std::string_view method = request.at("method").as_string();
    if (method == "agent.report_capabilities") {
        const auto count = request.at("params").at("capabilities").as_array().size();
        return {{"granted", count}, {"total", count}, {"already_granted", 0}};
    }
    if (method == "agent.report_integration") return {{"detections_processed", 1}};
    if (method == "agent.register_mcp_server") return {{"added", 1}, {"already_registered", 0}};
    return {{"status", "ok"}};
}

}  // namespace

class FakeServer::Peer final : public net::WebSocketObserver {
  public:
    Peer(FakeServer& server, net::WebSocket opened, std::uint64_t generation)
        : socket(std::move(opened)), server_(server) {
        socket.start(*this);
        socket.send(boost::json::serialize(boost::json::object{
            {"jsonrpc", "2.0"},
            {"method", "agent.welcome"},
            {"params", boost::json::object{{"agent_id", kAgentId},
                                           {"name", "alpha"},
                                           {"generation", generation},
                                           {"rotation_id", uuid(static_cast<unsigned>(generation))},
                                           {"server_time", "2030-01-01T00:00:00Z"},
                                           {"heartbeat_seconds", 30},
                                           {"settings", boost::json::object{}}}}}));
    }

    void offer(std::uint64_t generation) {
        offered_ = generation;
        socket.send(request(1, "agent.rotate",
                            {{"rotation_id", uuid(static_cast<unsigned>(generation))},
                             {"generation", generation},
                             {"token", token_text(generation)},
                             {"expires_at", "2030-01-08T00:00:00Z"},
                             {"grace_period_seconds", 300}}));
    }

    void on_text(std::string_view text) override {
        const auto message = boost::json::parse(std::string(text)).as_object();
        if (message.contains("method")) {
            if (!server_.silent)
                socket.send(boost::json::serialize(boost::json::object{
                    {"jsonrpc", "2.0"}, {"id", message.at("id")}, {"result", result_of(message)}}));
        }
        if (!message.contains("method") && message.at("id").as_int64() == 1 &&
            message.contains("result"))
            socket.send(request(2, "agent.commit",
                                {{"rotation_id", uuid(static_cast<unsigned>(offered_))},
                                 {"generation", offered_}}));
        const std::lock_guard lock(server_.mutex_);
        server_.messages_.emplace_back(text);
        if (message.contains("result") && message.at("id").as_int64() == 2)
            server_.activated_ = offered_;
        server_.changed_.notify_all();
    }
    void on_closed(const net::CloseReason& /*reason*/) override {}

    net::WebSocket socket;

  private:
    FakeServer& server_;
    std::uint64_t offered_ = 0;
};

FakeServer::FakeServer() {
    const auto ca = net::make_ca("test", clock_, random_).value();
    const auto leaf = net::issue_certificate(ca, {}, clock_, random_).value();
    pin_ = net::read_certificate(ca.certificate_pem)->pin;
    other_pin = net::read_certificate(net::make_ca("other", clock_, random_)->certificate_pem)->pin;
    net::HttpServerOptions options;
    options.tls = net::ServerTls::make(leaf.certificate_pem + ca.certificate_pem, leaf.key_pem,
                                       clock_, random_)
                      .value();
    http_ = std::make_unique<net::HttpServer>(
        context_, std::move(options),
        [this](net::HttpExchange exchange) { on_request(std::move(exchange)); });
    listener_ =
        net::Listener::open(context_, "127.0.0.1", 0, net::PortUse::exclusive,
                            [this](net::TcpSocket socket) { http_->accept(std::move(socket)); })
            .value();
    thread_ = std::thread([this] { context_.run(); });
}

FakeServer::~FakeServer() {
    context_.stop();
    thread_.join();
    peers_.clear();
}

ServerAddress FakeServer::address() const {
    return {"127.0.0.1", listener_->port(), protocol::PinnedCa{protocol::parse_pin(pin_).value()}};
}

std::string FakeServer::join_string() {
    const ServerAddress server = address();
    const protocol::JoinString join{
        server.host, server.port,
        protocol::mint_token(protocol::TokenKind::enrollment_code, uuid(7), random_), server.trust};
    return std::string(protocol::format_join_string(join).expose());
}

void FakeServer::on_request(net::HttpExchange exchange) {
    if (exchange.request().path() == "/enroll")
        return exchange.respond(net::HttpResponse::json(
            200, boost::json::serialize(boost::json::object{{"agent_id", kAgentId},
                                                            {"token", token_text(1)},
                                                            {"generation", 1},
                                                            {"rotation_id", uuid(1)},
                                                            {"server_ca", ""}})));
    const std::string authorization(exchange.request().headers.get("Authorization"));
    {
        const std::lock_guard lock(mutex_);
        authorizations_.push_back(authorization);
    }
    exchange.upgrade("rekey.agent.v1", [this, authorization](net::WebSocket socket) {
        const bool again = socket.resumed_tls();
        peers_.push_back(
            std::make_unique<Peer>(*this, std::move(socket), generation_of(authorization)));
        const std::lock_guard lock(mutex_);
        ++connections_;
        resumed_ += again ? 1 : 0;
        changed_.notify_all();
    });
}

void FakeServer::offer(std::uint64_t generation) {
    boost::asio::post(context_, [this, generation] { peers_.back()->offer(generation); });
}

void FakeServer::close_all(std::uint16_t code) {
    boost::asio::post(context_, [this, code] {
        for (const auto& peer : peers_) peer->socket.close(code);
    });
}

void FakeServer::configure(int id, const std::string& log_level) {
    boost::asio::post(context_, [this, id, log_level] {
        peers_.back()->socket.send(request(
            id, "agent.configure", {{"settings", boost::json::object{{"log_level", log_level}}}}));
    });
}

template <class Condition>
void FakeServer::wait(Condition condition, const std::string& what) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, condition)) BOOST_FAIL("waited too long for " << what);
}

void FakeServer::wait_connections(std::size_t number) {
    wait([&] { return connections_ >= number; }, "a connection");
}

void FakeServer::wait_activated(std::uint64_t generation) {
    wait([&] { return activated_ == generation; }, "the activation");
}

void FakeServer::wait_message(const std::string& part) {
    wait(
        [&] {
            return std::ranges::any_of(messages_, [&](const std::string& message) {
                return message.find(part) != std::string::npos;
            });
        },
        part);
}

std::vector<std::string> FakeServer::authorizations() {
    const std::lock_guard lock(mutex_);
    return authorizations_;
}

std::size_t FakeServer::resumed() {
    const std::lock_guard lock(mutex_);
    return resumed_;
}

}  // namespace rekey::agent::test
