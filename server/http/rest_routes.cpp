#include "base/fail_point.hpp"
#include "protocol/methods/auth.hpp"
#include "server/http/credentials.hpp"
#include "server/http/doors.hpp"
#include "server/http/percent.hpp"
#include "server/http/refusal.hpp"
#include "server/http/rest_params.hpp"

#include <utility>

// The methods of the catalog that have a route of their own: the same calls as at POST /rpc,
// through the same dispatcher, in HTTP's words.
namespace rekey::server::http {
namespace {

// Where keys are exchanged for tokens, a wrong one counts against its address, as at /agent.
Error count_stranger(const Parts& parts, const RestRoute& route, const net::HttpRequest& request,
                     Error error) {
    const bool counts =
        route.method->name == "auth.token" && error.code() == Code::unknown_credential;
    if (!counts) return error;
    const auto per_minute = parts.settings.snapshot()->rate_limit_auth_per_minute;
    return parts.failures.answer_failure(request.remote_address, per_minute, std::move(error));
}

}  // namespace

void Doors::rest(net::HttpExchange exchange, std::string allowed) {
    const auto segments = path_segments(exchange.request().path());
    if (!segments) {
        exchange.respond(refusal(Error(Code::invalid_request,
                                       "the path is not percent-encoded UTF-8 without control "
                                       "characters")));
        return;
    }
    RestMatch match = rest_table().find(exchange.request().method, *segments);
    if (match.route != nullptr) {
        rpc::spawn(shard_.context().get_executor(),
                   answer_rest(std::move(exchange), std::move(match)));
        return;
    }
    if (!allowed.empty() && !match.allowed.empty()) allowed.append(", ");
    allowed.append(match.allowed);
    if (allowed.empty()) {
        exchange.respond(refusal(Error(Code::not_found, "there is nothing at this path")));
        return;
    }
    auto response = refusal(405, Error(Code::invalid_request, "this path answers to " + allowed));
    response.headers.add("Allow", allowed);
    exchange.respond(response);
}

rpc::Task<void> Doors::answer_rest(net::HttpExchange exchange, RestMatch match) {
    fail_point::reached(fail_point::Point::server_receive_admin_call);
    const net::HttpRequest& request = exchange.request();
    const auto caller = co_await authenticate(exchange);
    if (caller.has_error()) {
        exchange.respond(refusal(count_stranger(parts_, *match.route, request, caller.error())));
        co_return;
    }
    if (!request.body.empty() && !is_json(request.headers)) {
        exchange.respond(count_call(
            *caller, refusal(415, Error(Code::invalid_request,
                                        "a body comes with Content-Type: application/json"))));
        co_return;
    }
    const RestInput input{std::move(match.params), request.query(), request.body,
                          request.headers.get("Idempotency-Key")};
    auto params = rest_params(*match.route, input);
    if (params.has_error()) {
        exchange.respond(count_call(*caller, refusal(params.error())));
        co_return;
    }
    const boost::json::value value(*std::move(params));
    auto answer = co_await parts_.dispatcher.call(*caller, match.route->method->name, &value,
                                                  rpc::Dispatcher::Seen::for_this_call);
    fail_point::reached(fail_point::Point::server_send_admin_answer);
    if (answer.has_error()) {
        exchange.respond(refusal(answer.error()));
        co_return;
    }
    const unsigned status = match.route->method->rest.status;
    exchange.respond(json_answer(status, status == 204 ? std::string() : *std::move(answer)));
}

// What is refused here never reaches the dispatcher, which counts all other calls.
net::HttpResponse Doors::count_call(const rpc::Caller& caller, net::HttpResponse refused) {
    if (const auto allowed = parts_.calls.count(caller.agent_id); allowed.has_error()) {
        return refusal(allowed.error());
    }
    return refused;
}

}  // namespace rekey::server::http
