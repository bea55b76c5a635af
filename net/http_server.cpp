#include "net/http_server.hpp"

#include "base/contract.hpp"
#include "net/http_connection.hpp"

#include <algorithm>
#include <cctype>

namespace rekey::net {
namespace {

constexpr std::size_t kWebSocketKeyBytes = 24;  // 16 bytes in base64

// The comma-separated values of all headers of that name.
std::vector<std::string> header_tokens(const HttpHeaders& headers, std::string_view name) {
    std::vector<std::string> tokens;
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    for (const auto& [key, value] : headers.all()) {
        HttpHeaders one;
        one.add(key, value);
        if (!one.has(name)) continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            std::string_view token = rest.substr(0, comma);
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            while (!token.empty() && is_space(token.front())) token.remove_prefix(1);
            while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
            if (!token.empty()) tokens.emplace_back(token);
        }
    }
    return tokens;
}

bool has_token(const HttpHeaders& headers, std::string_view name, std::string_view token) {
    return std::ranges::any_of(header_tokens(headers, name), [&](const std::string& found) {
        return std::ranges::equal(found, token, [](unsigned char a, unsigned char b) {
            return std::tolower(a) == std::tolower(b);
        });
    });
}

}  // namespace

std::string_view HttpRequest::path() const {
    return std::string_view(target).substr(0, target.find('?'));
}

std::string_view HttpRequest::query() const {
    const std::size_t mark = target.find('?');
    return mark == std::string::npos ? std::string_view()
                                     : std::string_view(target).substr(mark + 1);
}

HttpExchange::HttpExchange(std::shared_ptr<HttpConnection> connection, HttpRequest request)
    : connection_(std::move(connection)), request_(std::move(request)) {}

HttpExchange::~HttpExchange() {
    if (connection_) connection_->abandon();
}

void HttpExchange::credential_was_good() {
    if (connection_) connection_->credential_was_good();
}

bool HttpExchange::is_upgrade() const {
    return request_.method == "GET" && has_token(request_.headers, "Connection", "upgrade") &&
           has_token(request_.headers, "Upgrade", "websocket") &&
           request_.headers.get("Sec-WebSocket-Version") == "13" &&
           request_.headers.get("Sec-WebSocket-Key").size() == kWebSocketKeyBytes;
}

std::vector<std::string> HttpExchange::offered_subprotocols() const {
    return header_tokens(request_.headers, "Sec-WebSocket-Protocol");
}

void HttpExchange::respond(const HttpResponse& response) {
    REKEY_ASSERT(connection_ != nullptr);
    std::exchange(connection_, nullptr)->respond(response, more_);
}

void HttpExchange::identify(std::string id) {
    more_.add("X-Request-Id", id);
    request_.id = std::move(id);
}

void HttpExchange::add_header(std::string_view name, std::string_view value) {
    more_.add(name, value);
}

void HttpExchange::upgrade(std::string_view subprotocol, std::function<void(WebSocket)> opened) {
    REKEY_ASSERT(connection_ != nullptr && is_upgrade());
    UpgradeAnswer answer{std::string(request_.headers.get("Sec-WebSocket-Key")),
                         std::string(subprotocol),
                         request_.id,
                         {}};
    request_ = {};
    std::exchange(connection_, nullptr)->upgrade(std::move(answer), std::move(opened));
}

HttpServer::HttpServer(boost::asio::io_context&, HttpServerOptions options, HttpHandler handler)
    : state_(std::make_shared<State>()) {
    REKEY_ASSERT(handler != nullptr);
    state_->options = std::move(options);
    state_->handler = std::move(handler);
}

HttpServer::~HttpServer() {
    stop();
    state_->handler = nullptr;
}

void HttpServer::accept(TcpSocket socket) {
    if (state_->stopping) return;
    ErrorCode error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return;  // gone already
    const auto connection = std::make_shared<HttpConnection>(state_, std::move(socket),
                                                             address_text(endpoint.address()));
    if (connection->take_place()) connection->start();
}

void HttpServer::stop() {
    state_->stopping = true;
    // Closing one may end its life, which changes the set.
    std::vector<std::shared_ptr<HttpConnection>> all;
    for (HttpConnection* connection : state_->connections)
        all.push_back(connection->shared_from_this());
    for (const auto& connection : all) connection->stop();
}

std::size_t HttpServer::connections() const { return state_->connections.size(); }

}  // namespace rekey::net
