#include "base/fail_point.hpp"
#include "protocol/methods/enroll.hpp"
#include "server/enrollment/enrollment.hpp"
#include "server/http/doors.hpp"
#include "server/http/refusal.hpp"

#include <utility>

namespace rekey::server::http {

void Doors::enroll(net::HttpExchange exchange) {
    rpc::spawn(shard_.context().get_executor(), answer_enroll(std::move(exchange)));
}

rpc::Task<void> Doors::answer_enroll(net::HttpExchange exchange) {
    fail_point::reached(fail_point::Point::server_receive_enroll);
    auto params = protocol::decode_text<protocol::EnrollParams>(exchange.request().body,
                                                                protocol::UnknownFields::ignore);
    if (params.has_error()) {
        exchange.respond(refusal(params.error()));
        co_return;
    }
    const std::string claimed = rpc::claimed_id(params->code.expose());
    enrollment::Origin origin{exchange.request().remote_address, exchange.request().id};
    const auto enrolled =
        co_await enrollment::enroll(parts_.enrollment, *std::move(params), std::move(origin));
    if (enrolled.has_error()) {
        const auto& address = exchange.request().remote_address;
        exchange.respond(refusal(
            count_failure({rpc::EntryDoor::enroll, address, claimed, enrolled.error().code()},
                          enrolled.error())));
        co_return;
    }
    exchange.credential_was_good();
    fail_point::reached(fail_point::Point::server_send_enrolled);
    exchange.respond(json_answer(200, protocol::encode(*enrolled)));
}

}  // namespace rekey::server::http
