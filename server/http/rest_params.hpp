#pragma once

#include "base/result.hpp"
#include "server/http/rest_table.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rekey::server::http {

// What a REST request says, in the places where it says it.
struct RestInput {
    std::vector<std::pair<std::string_view, std::string>> path;  // RestMatch::params
    std::string_view query;                                      // not decoded
    std::string_view body;                                       // a JSON object; empty: none
    std::string_view idempotency_key;                            // the header; empty: none
};

// The params of the route's method. Texts of path and query become what the method's schema says:
// "5" an integer, "true" a boolean, repeated names an array, "labels.site=north" a member of the
// object `labels`. A query counts only where there is no body (GET and DELETE); elsewhere its names
// are unknown ones, because what a POST carries has no place in the logs of proxies.
//
// `invalid_params` with details.path: a name that the method does not have, one that comes twice
// with different values, a text of another type. `invalid_request`, `parse_error`: a query or a
// body that cannot be read. The types and bounds of the whole are left to the method's own
// decoding. No value is ever told back.
[[nodiscard]] Result<boost::json::object> rest_params(const RestRoute& route,
                                                      const RestInput& input);

}  // namespace rekey::server::http
