#include "agent/connection.hpp"

#include "base/contract.hpp"
#include "base/fail_point.hpp"

#include <utility>

namespace rekey::agent {
namespace {

constexpr std::string_view kSubprotocol = "rekey.agent.v1";

Secret bearer(const Secret& token) {
    std::string text;
    text.reserve(token.size() + 8);
    text.append("Bearer ").append(token.expose());
    Secret value(text);
    wipe_string(text);
    return value;
}

}  // namespace

Result<std::shared_ptr<net::ClientTls>> make_client_tls(const ServerAddress& server,
                                                        net::CertificateTimes times) {
    if (std::holds_alternative<protocol::PlainLoopback>(server.trust))
        return std::shared_ptr<net::ClientTls>();
    if (const auto* pin = std::get_if<protocol::PinnedCa>(&server.trust))
        return net::ClientTls::make(net::Trust::pinned(protocol::format_pin(pin->sha256)), times);
    return net::ClientTls::make(net::Trust::system(), times);
}

Connection::Connection(boost::asio::io_context& context, const ServerAddress& server,
                       std::shared_ptr<net::ClientTls> tls)
    : context_(context), host_(server.host), port_(server.port), tls_(std::move(tls)) {}

void Connection::open(Observer& observer, std::function<Secret()> credential) {
    REKEY_ASSERT(!attempt_ && !socket_.is_open());
    http_.reset();
    socket_ = net::WebSocket();
    observer_ = &observer;
    net::ConnectOptions options;
    options.host = host_;
    options.port = port_;
    options.subprotocol = kSubprotocol;
    options.tls = tls_;
    options.authorization = [credential = std::move(credential)] { return bearer(credential()); };
    fail_point::reached(fail_point::Point::agent_send_connect);
    attempt_ = net::connect_web_socket(
        context_, std::move(options),
        [this](net::ConnectOutcome outcome) { on_outcome(std::move(outcome)); });
}

void Connection::on_outcome(net::ConnectOutcome outcome) {
    fail_point::reached(fail_point::Point::agent_receive_connected);
    const auto finished = std::move(attempt_);
    if (auto* socket = std::get_if<net::WebSocket>(&outcome)) {
        socket_ = std::move(*socket);
        socket_.start(*this);
        observer_->on_open();
    } else if (const auto* refused = std::get_if<net::UpgradeRefused>(&outcome)) {
        observer_->on_refused(refused->response);
    } else {
        observer_->on_unreachable(std::get<Error>(outcome));
    }
}

void Connection::send(std::string message) { socket_.send(std::move(message)); }

void Connection::close(std::uint16_t code, std::string_view reason) { socket_.close(code, reason); }

void Connection::post(std::string target, Secret body,
                      std::function<void(Result<net::HttpResponse>)> answered) {
    REKEY_ASSERT(!attempt_ && !socket_.is_open());
    if (!http_) {
        net::HttpClientOptions options;
        options.host = host_;
        options.port = port_;
        options.tls = tls_;
        options.response_bytes = limits::kHttpBodyBytes;
        http_ = std::make_unique<net::HttpClient>(context_, std::move(options));
    }
    net::HttpCall call;
    call.method = "POST";
    call.target = std::move(target);
    call.body = std::move(body);
    http_->send(call, std::move(answered));
}

void Connection::abort() {
    attempt_.reset();
    http_.reset();
    socket_ = net::WebSocket();
}

bool Connection::resumed_tls() const { return socket_.is_open() && socket_.resumed_tls(); }

void Connection::on_text(std::string_view message) { observer_->on_text(message); }
void Connection::on_frame() { observer_->on_frame(); }
void Connection::on_closed(const net::CloseReason& reason) { observer_->on_closed(reason); }

}  // namespace rekey::agent
