#pragma once

#include "net/http_message.hpp"

namespace rekey::server::http {

// GET /docs: a page that reads /openapi.json and tries the routes in it. It is whole in itself,
// runs nothing but its own script (the policy names it by its hash), and keeps the key that is
// typed into it in the field alone: no storage, no cookie.
[[nodiscard]] const net::HttpResponse& docs_page();

}  // namespace rekey::server::http
