#pragma once

#include "net/http_message.hpp"

#include <string_view>

namespace rekey::server::http {

// The text after "Bearer " (RFC 6750; the scheme in any case); empty if there is none.
[[nodiscard]] std::string_view bearer(const net::HttpHeaders& headers);
// An admin's API key or access token: the bearer's, else X-API-Key.
[[nodiscard]] std::string_view api_key(const net::HttpHeaders& headers);

// Whether a body is said to be JSON: the media type application/json, whatever its parameters.
[[nodiscard]] bool is_json(const net::HttpHeaders& headers);

}  // namespace rekey::server::http
