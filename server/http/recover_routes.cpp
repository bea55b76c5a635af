#include "base/fail_point.hpp"
#include "protocol/methods/recover.hpp"
#include "server/http/doors.hpp"
#include "server/http/refusal.hpp"
#include "server/recovery/recovery.hpp"

#include <utility>

namespace rekey::server::http {

void Doors::recover_challenge(net::HttpExchange exchange) {
    rpc::spawn(shard_.context().get_executor(), answer_recover_challenge(std::move(exchange)));
}

void Doors::recover(net::HttpExchange exchange) {
    rpc::spawn(shard_.context().get_executor(), answer_recover(std::move(exchange)));
}

rpc::Task<void> Doors::answer_recover_challenge(net::HttpExchange exchange) {
    auto params = protocol::decode_text<protocol::RecoverChallengeParams>(
        exchange.request().body, protocol::UnknownFields::ignore);
    if (params.has_error()) {
        exchange.respond(refusal(params.error()));
        co_return;
    }
    const auto answer = co_await recovery::challenge(parts_.recovery, *std::move(params));
    exchange.respond(answer.has_error() ? refusal(answer.error())
                                        : json_answer(200, protocol::encode(*answer)));
}

rpc::Task<void> Doors::answer_recover(net::HttpExchange exchange) {
    auto params = protocol::decode_text<protocol::RecoverParams>(exchange.request().body,
                                                                 protocol::UnknownFields::ignore);
    if (params.has_error()) {
        exchange.respond(refusal(params.error()));
        co_return;
    }
    fail_point::reached(fail_point::Point::server_receive_recover);
    const std::string address = exchange.request().remote_address;
    const std::string claimed = params->agent_id;
    const std::string request_id = exchange.request().id;
    const auto recovered =
        co_await recovery::recover(parts_.recovery, *std::move(params), address, request_id);
    if (recovered.has_error()) {
        exchange.respond(refusal(
            count_failure({rpc::EntryDoor::recover, address, claimed, recovered.error().code()},
                          recovered.error())));
        co_return;
    }
    exchange.credential_was_good();
    fail_point::reached(fail_point::Point::server_send_recovered);
    exchange.respond(json_answer(200, protocol::encode(*recovered)));
}

}  // namespace rekey::server::http
