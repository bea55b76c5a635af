#pragma once

#include "net/http_server.hpp"

#include <optional>
#include <string_view>

namespace rekey::server::http {

inline constexpr std::string_view kAgentSubprotocol = "rekey.agent.v1";
inline constexpr std::string_view kAdminSubprotocol = "rekey.admin.v1";

// Why this request cannot become a WebSocket of `subprotocol`: 426 for a plain request, 400 for a
// missing or foreign subprotocol; empty if it can.
[[nodiscard]] std::optional<net::HttpResponse> refuse_upgrade(const net::HttpExchange& exchange,
                                                              std::string_view subprotocol);

}  // namespace rekey::server::http
