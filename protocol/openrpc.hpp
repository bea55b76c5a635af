#pragma once

#include <boost/json/object.hpp>

#include <string_view>

namespace rekey::protocol {

// The OpenRPC 1.3 description (spec.open-rpc.org) of POST /rpc: every method of admins in the
// catalog, with schemas, the table of refusals and what each method needs. `version` is the
// server's. It names no server: whoever asked knows where it was.
[[nodiscard]] boost::json::object openrpc_document(std::string_view version);

}  // namespace rekey::protocol
