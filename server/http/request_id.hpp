#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/http_message.hpp"

#include <string>

namespace rekey::server::http {

// What names a request in its answer, in logs and in the audit: the client's X-Request-Id if it is
// one word of [A-Za-z0-9._:-] of at most limits::kClientRequestIdBytes, else a new UUIDv7. Anything
// else of the client's would be text of a stranger's in our logs.
[[nodiscard]] std::string request_id(const net::HttpHeaders& headers, const Clock& clock,
                                     Random& random);

}  // namespace rekey::server::http
