#include "server/http/host_gate.hpp"

#include "protocol/join_string.hpp"
#include "server/http/refusal.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>

namespace rekey::server::http {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

bool is_address(const std::string& host) {
    in6_addr scratch{};
    return ::inet_pton(AF_INET, host.c_str(), &scratch) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &scratch) == 1;
}

bool is_port(std::string_view text) {
    return text.size() <= 5 && std::all_of(text.begin(), text.end(),
                                           [](unsigned char c) { return std::isdigit(c) != 0; });
}

// The page was loaded from where it now calls. Behind a proxy that does TLS we see plain HTTP.
bool is_own(std::string_view origin, const net::HttpRequest& request) {
    const std::string host = lower(request.headers.get("Host"));
    return origin == "https://" + host || (!request.secure && origin == "http://" + host);
}

}  // namespace

std::string host_of(std::string_view authority) {
    std::string_view host;
    std::string_view rest;
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) return {};
        host = authority.substr(1, end - 1);
        rest = authority.substr(end + 1);
    } else {
        const std::size_t end = std::min(authority.find(':'), authority.size());
        host = authority.substr(0, end);
        rest = authority.substr(end);
    }
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return {};
    if (host.ends_with('.')) host.remove_suffix(1);
    return lower(host);
}

bool HostGate::knows(std::string_view host) const {
    if (host.empty()) return false;
    const std::string name(host);
    if (protocol::is_loopback_host(name)) return true;
    if (known_.every_address && is_address(name)) return true;
    return std::find(known_.hosts.begin(), known_.hosts.end(), name) != known_.hosts.end();
}

bool HostGate::is_shared(std::string_view origin) const {
    return std::find(known_.origins.begin(), known_.origins.end(), origin) != known_.origins.end();
}

std::optional<net::HttpResponse> HostGate::refuse(const net::HttpRequest& request) const {
    // A program of HTTP/1.0 may have none; a browser always has.
    const bool named = request.headers.has("Host");
    if (named && !knows(host_of(request.headers.get("Host")))) {
        return refusal(421, Error(Code::invalid_request,
                                  "this server is not called by that Host; --allowed-hosts names "
                                  "further ones"));
    }
    if (!request.headers.has("Origin")) return std::nullopt;
    const std::string_view origin = request.headers.get("Origin");
    if (is_shared(origin) || (named && is_own(origin, request))) return std::nullopt;
    return refusal(Error(Code::permission_denied,
                         "pages of that Origin may not call this server; --cors-origins names "
                         "those that may"));
}

void HostGate::share(net::HttpExchange& exchange) const {
    if (known_.origins.empty()) return;
    exchange.add_header("Vary", "Origin");
    const std::string_view origin = exchange.request().headers.get("Origin");
    if (!is_shared(origin)) return;
    exchange.add_header("Access-Control-Allow-Origin", origin);
    exchange.add_header("Access-Control-Expose-Headers", "X-Request-Id, Rekey-Error, Retry-After");
}

std::optional<net::HttpResponse> HostGate::preflight(const net::HttpRequest& request) const {
    if (request.method != "OPTIONS" || !is_shared(request.headers.get("Origin")) ||
        !request.headers.has("Access-Control-Request-Method")) {
        return std::nullopt;
    }
    net::HttpResponse response;
    response.status = 204;
    response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE");
    response.headers.add("Access-Control-Allow-Headers",
                         "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-Id");
    response.headers.add("Access-Control-Max-Age", "600");
    return response;
}

net::HttpHeaders security_headers() {
    net::HttpHeaders headers;
    headers.add("X-Content-Type-Options", "nosniff");
    headers.add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    headers.add("Referrer-Policy", "no-referrer");
    headers.add("X-Frame-Options", "DENY");
    headers.add("Cache-Control", "no-store");
    return headers;
}

void insist_on_tls(net::HttpExchange& exchange) {
    if (!exchange.request().secure) return;
    if (protocol::is_loopback_host(host_of(exchange.request().headers.get("Host")))) return;
    exchange.add_header("Strict-Transport-Security", "max-age=31536000");
}

}  // namespace rekey::server::http
