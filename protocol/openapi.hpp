#pragma once

#include <boost/json/object.hpp>

#include <string_view>

namespace rekey::protocol {

// The OpenAPI 3.1 description of every HTTP route: those that methods of the catalog declare, and
// the few that are no method. `version` is the server's.
[[nodiscard]] boost::json::object openapi_document(std::string_view version);

}  // namespace rekey::protocol
