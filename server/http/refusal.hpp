#pragma once

#include "base/result.hpp"
#include "net/http_message.hpp"

#include <string_view>

// Errors as HTTP answers: one shape for all doors (protocol.md, "Refusals").
namespace rekey::server::http {

// Status by the error's name, the JSON body, Rekey-Error, WWW-Authenticate with a 401, Retry-After
// with a 429 or 503.
[[nodiscard]] net::HttpResponse refusal(const Error& error);
// The same body with another status: the four that carry `invalid_request` (400, 405, 413, 426, and
// what net/ refuses itself).
[[nodiscard]] net::HttpResponse refusal(unsigned status, const Error& error);

// A JSON answer that no cache keeps.
[[nodiscard]] net::HttpResponse json_answer(unsigned status, std::string body);

}  // namespace rekey::server::http
