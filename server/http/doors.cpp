#include "server/http/doors.hpp"

#include "server/http/refusal.hpp"
#include "server/http/request_id.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace rekey::server::http {

const Doors::Route Doors::kRoutes[] = {
    {"/agent", "GET", &Doors::agent},
    {"/rpc", "POST", &Doors::rpc_post},
    {"/rpc", "GET", &Doors::rpc_socket},
    {"/enroll", "POST", &Doors::enroll},
    {"/recover/challenge", "POST", &Doors::recover_challenge},
    {"/recover", "POST", &Doors::recover},
    {"/healthz", "GET", &Doors::healthz},
    {"/readyz", "GET", &Doors::readyz},
    {"/.well-known/jwks.json", "GET", &Doors::jwks},
    {"/_health", "GET", &Doors::health},
    {"/", "GET", &Doors::page},
    {"/openapi.json", "GET", &Doors::openapi},
    {"/openrpc.json", "GET", &Doors::openrpc},
    {"/docs", "GET", &Doors::docs},
};

Doors::Doors(Shard& shard, const Parts& parts)
    : shard_(shard),
      parts_(parts),
      admin_sockets_(
          shard, {parts.dispatcher, parts.authenticator, parts.clock, parts.random, parts.log}) {
    // What it cannot serve has to stop the start.
    static_cast<void>(rest_table());
}

void Doors::handle(net::HttpExchange exchange) {
    exchange.identify(request_id(exchange.request().headers, parts_.clock, parts_.random));
    // The one place where it is decided whose address counts, for limits and audit.
    exchange.speaks_for(parts_.trusted_proxies.client_of(exchange.request().remote_address,
                                                         exchange.request().headers));
    insist_on_tls(exchange);
    parts_.gate.share(exchange);
    if (const auto refused = parts_.gate.refuse(exchange.request())) {
        exchange.respond(*refused);
    } else if (const auto answer = parts_.gate.preflight(exchange.request())) {
        exchange.respond(*answer);
    } else {
        route(std::move(exchange));
    }
}

void Doors::route(net::HttpExchange exchange) {
    const std::string_view path = exchange.request().path();
    // HEAD is GET without the body, which net/ leaves out.
    const std::string_view verb =
        exchange.request().method == "HEAD" ? "GET" : std::string_view(exchange.request().method);
    std::string allowed;
    for (const Route& route : kRoutes) {
        if (route.path != path) continue;
        if (route.method == verb) {
            (this->*route.serve)(std::move(exchange));
            return;
        }
        allowed.append(allowed.empty() ? "" : ", ").append(route.method);
        if (route.method == "GET") allowed.append(", HEAD");
    }
    rest(std::move(exchange), std::move(allowed));
}

net::HttpResponse Doors::refuse(unsigned status, std::string_view message) const {
    auto response = refusal(status, Error(Code::invalid_request, std::string(message)));
    response.headers.add("X-Request-Id", request_id({}, parts_.clock, parts_.random));
    return response;
}

Error Doors::count_failure(const rpc::RefusedAuthentications::Attempt& attempt, Error error) {
    parts_.refusals.note(attempt);
    if (error.code() != Code::unknown_credential) return error;
    const auto per_minute = parts_.settings.snapshot()->rate_limit_auth_per_minute;
    return parts_.failures.answer_failure(attempt.address, per_minute, std::move(error));
}

}  // namespace rekey::server::http
