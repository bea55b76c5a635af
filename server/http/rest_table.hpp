#pragma once

#include "protocol/catalog.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rekey::server::http {

// A method of the catalog that has a REST route, its path split at the slashes.
struct RestRoute {
    struct Segment {
        enum class Kind : std::uint8_t { literal, param };
        Kind kind;
        std::string_view text;  // without braces
    };
    const protocol::MethodInfo* method;
    std::vector<Segment> path;
    boost::json::object schema;  // of the method's params
};

struct RestMatch {
    const RestRoute* route = nullptr;  // null: nothing here answers to this verb
    // Name and decoded text of what stands for the braces.
    std::vector<std::pair<std::string_view, std::string>> params;
    // When there is no route: "GET, HEAD, PATCH", what this path does answer to; empty if nothing.
    std::string allowed;
};

// Which method a verb and a path mean. Where several templates fit a path, the one with a literal
// in the first place where they differ goes first. HEAD means what GET means. Immutable: any
// thread.
class RestTable {
  public:
    // Those of `methods` with a route; they outlive the table. Throws StartupError for a route that
    // cannot be served: two methods at one verb and path, a name in braces that is no field of the
    // params.
    explicit RestTable(std::span<const protocol::MethodInfo> methods);

    [[nodiscard]] RestMatch find(std::string_view verb,
                                 const std::vector<std::string>& segments) const;
    [[nodiscard]] const std::vector<RestRoute>& routes() const { return routes_; }

  private:
    std::vector<RestRoute> routes_;
};

// Of the whole catalog.
[[nodiscard]] const RestTable& rest_table();

}  // namespace rekey::server::http
