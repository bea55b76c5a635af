#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace rekey::protocol {

// An HTTP route that is no method of the catalog, as openapi_document tells of it.
struct OtherRoute {
    enum class Access : std::uint8_t { open, credential };
    std::string_view verb;
    std::string_view path;
    std::string_view id;
    std::string_view tag;
    std::string_view summary;
    Access access = Access::open;
    boost::json::object (*body)() = nullptr;    // schema of the request's; none
    boost::json::object (*answer)() = nullptr;  // schema of the answer's, if it is JSON
    std::string_view content = "application/json";
};

[[nodiscard]] std::span<const OtherRoute> other_routes();

}  // namespace rekey::protocol
