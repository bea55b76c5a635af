#pragma once

#include "protocol/catalog.hpp"
#include "protocol/errors.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

// What the generated descriptions (openrpc, openapi, reference) share.
namespace rekey::protocol {

// "agents" of "agents.get".
[[nodiscard]] std::string_view family_of(std::string_view method);
// "Needs the capability agents:read." and its like.
[[nodiscard]] std::string needs_text(const Access& access);
// Whether `schema`, of an object, demands this property.
[[nodiscard]] bool is_required(const boost::json::object& schema, std::string_view property);
// A value that `schema` allows, as an example: of objects the properties they demand.
[[nodiscard]] boost::json::value example_of(const boost::json::object& schema);
// The table of refusals.
[[nodiscard]] std::vector<ErrorRow> error_rows();
// The schema of a refusal's body.
[[nodiscard]] boost::json::object error_schema();

}  // namespace rekey::protocol
