#include "base/fail_point.hpp"
#include "server/http/credentials.hpp"
#include "server/http/doors.hpp"
#include "server/http/refusal.hpp"
#include "server/http/upgrade.hpp"

#include <memory>
#include <utility>

namespace rekey::server::http {

// GET /agent: the token is looked at before the upgrade, so that a refusal is an HTTP status.
void Doors::agent(net::HttpExchange exchange) {
    fail_point::reached(fail_point::Point::server_receive_connect);
    if (auto refused = refuse_upgrade(exchange, kAgentSubprotocol)) {
        exchange.respond(*std::move(refused));
        return;
    }
    auto waiting = std::make_shared<net::HttpExchange>(std::move(exchange));
    const net::HttpRequest& request = waiting->request();
    parts_.agent_door.authenticate(
        shard_, {bearer(request.headers), request.remote_address, request.awaited_since},
        [this, waiting](Result<sessions::Admission> admission) {
            if (admission.has_error()) {
                const net::HttpRequest& refused = waiting->request();
                const std::string claimed = rpc::claimed_id(bearer(refused.headers));
                waiting->respond(
                    refusal(count_failure({rpc::EntryDoor::agent, refused.remote_address, claimed,
                                           admission.error().code()},
                                          admission.error())));
                return;
            }
            waiting->credential_was_good();
            fail_point::reached(fail_point::Point::server_send_connected);
            waiting->upgrade(kAgentSubprotocol,
                             [this, admitted = *std::move(admission)](net::WebSocket socket) {
                                 parts_.agent_door.adopt(shard_, std::move(socket), admitted);
                             });
        });
}

}  // namespace rekey::server::http
