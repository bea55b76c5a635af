#pragma once

#include "net/http_message.hpp"

#include <array>
#include <string>
#include <string_view>

namespace rekey::net {

// Inside net/ only: messages as they are written. Reading is left to Beast's parser.

// What the other side of a connection must know beside the message.
struct ResponseFraming {
    bool keep_alive = true;
    bool without_body = false;  // the answer to HEAD: headers as for GET, no body
    // Headers that it gets besides its own, the first that has a name wins.
    std::array<const HttpHeaders*, 2> more = {};
};

[[nodiscard]] std::string to_http(const HttpResponse& response, ResponseFraming framing);

// `host` is the Host header's value. The result holds credentials: the caller wipes it.
[[nodiscard]] std::string to_http(const HttpCall& call, std::string_view host);

// "host:port" with brackets around an IPv6 address (RFC 9110, section 7.2).
[[nodiscard]] std::string host_header(const std::string& host, unsigned port);

}  // namespace rekey::net
