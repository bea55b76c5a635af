#include "server/http/upgrade.hpp"

#include "server/http/refusal.hpp"

#include <algorithm>
#include <string>

namespace rekey::server::http {

std::optional<net::HttpResponse> refuse_upgrade(const net::HttpExchange& exchange,
                                                std::string_view subprotocol) {
    const std::string name(subprotocol);
    if (!exchange.is_upgrade()) {
        auto response = refusal(426, Error(Code::invalid_request,
                                           "this path speaks WebSocket with subprotocol " + name));
        response.headers.add("Upgrade", "websocket");
        return response;
    }
    const auto offered = exchange.offered_subprotocols();
    if (std::find(offered.begin(), offered.end(), name) == offered.end()) {
        return refusal(400, Error(Code::invalid_request,
                                  "offer the subprotocol " + name + " (Sec-WebSocket-Protocol)"));
    }
    return std::nullopt;
}

}  // namespace rekey::server::http
