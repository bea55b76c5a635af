#include "base/fail_point.hpp"
#include "protocol/methods/auth.hpp"
#include "server/http/credentials.hpp"
#include "server/http/doors.hpp"
#include "server/http/envelope.hpp"
#include "server/http/refusal.hpp"
#include "server/http/upgrade.hpp"

#include <utility>

// POST /rpc, and GET /rpc as a WebSocket.
namespace rekey::server::http {

rpc::Task<Result<rpc::Caller>> Doors::authenticate(net::HttpExchange& exchange) {
    const net::HttpRequest& request = exchange.request();
    const std::string key(api_key(request.headers));
    auto caller =
        co_await parts_.authenticator.authenticate(key, request.remote_address, request.id);
    if (caller.has_error()) {
        const std::string claimed = parts_.authenticator.claimed_id(key);
        const bool wants_token = request.path() == protocol::AuthToken::rest.path;
        parts_.refusals.note({wants_token ? rpc::EntryDoor::token : rpc::EntryDoor::admin,
                              request.remote_address, claimed, caller.error().code()});
    } else {
        exchange.credential_was_good();
    }
    co_return caller;
}

void Doors::rpc_post(net::HttpExchange exchange) {
    rpc::spawn(shard_.context().get_executor(), answer_rpc(std::move(exchange)));
}

rpc::Task<void> Doors::answer_rpc(net::HttpExchange exchange) {
    fail_point::reached(fail_point::Point::server_receive_admin_call);
    const auto caller = co_await authenticate(exchange);
    if (caller.has_error()) {
        exchange.respond(refusal(caller.error()));
        co_return;
    }
    // The dispatcher counts each call; here is only seen that none would be served.
    if (const auto allowed = parts_.calls.look(caller->agent_id); allowed.has_error()) {
        exchange.respond(refusal(allowed.error()));
        co_return;
    }
    auto answer = co_await answer_envelope(parts_.dispatcher, *caller, exchange.request().body,
                                           Carrier::post);
    const unsigned status = answer.text.empty() ? 204 : 200;
    fail_point::reached(fail_point::Point::server_send_admin_answer);
    exchange.respond(json_answer(status, std::move(answer.text)));
}

void Doors::rpc_socket(net::HttpExchange exchange) {
    if (auto refused = refuse_upgrade(exchange, kAdminSubprotocol)) {
        exchange.respond(*std::move(refused));
        return;
    }
    rpc::spawn(shard_.context().get_executor(), open_rpc_socket(std::move(exchange)));
}

rpc::Task<void> Doors::open_rpc_socket(net::HttpExchange exchange) {
    auto caller = co_await authenticate(exchange);
    if (caller.has_error()) {
        exchange.respond(refusal(caller.error()));
        co_return;
    }
    if (const auto allowed = parts_.calls.count(caller->agent_id); allowed.has_error()) {
        exchange.respond(refusal(allowed.error()));
        co_return;
    }
    if (parts_.draining) {
        exchange.respond(refusal(Error(Code::unavailable, "this server is stopping")));
        co_return;
    }
    auto place = parts_.admin_socket_places.take(caller->agent_id);
    if (!place) {
        exchange.respond(
            refusal(Error(Code::overloaded, "too many sockets of this identity: close one first")));
        co_return;
    }
    exchange.upgrade(kAdminSubprotocol, [this, admin = *caller, place](net::WebSocket socket) {
        admin_sockets_.adopt(std::move(socket), admin, place);
    });
}

}  // namespace rekey::server::http
