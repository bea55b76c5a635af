#include "server/http/rest_table.hpp"

#include "base/result.hpp"

#include <algorithm>

namespace rekey::server::http {
namespace {

using Kind = RestRoute::Segment::Kind;

std::vector<RestRoute::Segment> split(std::string_view path) {
    std::vector<RestRoute::Segment> segments;
    path.remove_prefix(1);  // the slash at the beginning
    while (true) {
        const std::size_t end = path.find('/');
        const std::string_view text = path.substr(0, end);
        if (text.starts_with('{') && text.ends_with('}')) {
            segments.push_back({Kind::param, text.substr(1, text.size() - 2)});
        } else {
            segments.push_back({Kind::literal, text});
        }
        if (end == std::string_view::npos) return segments;
        path.remove_prefix(end + 1);
    }
}

// Orders templates so that the more particular of two that fit the same path comes first.
bool goes_first(const RestRoute& left, const RestRoute& right) {
    const auto rank = [](const RestRoute::Segment& segment) {
        return std::pair(segment.kind,
                         segment.kind == Kind::literal ? segment.text : std::string_view());
    };
    return std::lexicographical_compare(
        left.path.begin(), left.path.end(), right.path.begin(), right.path.end(),
        [&](const auto& one, const auto& other) { return rank(one) < rank(other); });
}

bool fits(const RestRoute& route, const std::vector<std::string>& segments) {
    return std::equal(route.path.begin(), route.path.end(), segments.begin(), segments.end(),
                      [](const RestRoute::Segment& wanted, const std::string& given) {
                          return wanted.kind == Kind::param ? !given.empty() : wanted.text == given;
                      });
}

[[noreturn]] void refuse_to_start(const protocol::MethodInfo& method, std::string_view why) {
    throw StartupError("the route of " + std::string(method.name) +
                       " cannot be served: " + std::string(why));
}

void check(const RestRoute& route) {
    const auto& properties = route.schema.at("properties").as_object();
    for (const auto& segment : route.path) {
        if (segment.kind == Kind::param && !properties.contains(segment.text)) {
            refuse_to_start(*route.method, "its params have no " + std::string(segment.text));
        }
    }
}

void allow(std::string& allowed, std::string_view verb) {
    if (allowed.find(verb) != std::string::npos) return;
    allowed.append(allowed.empty() ? "" : ", ").append(verb);
    if (verb == "GET") allow(allowed, "HEAD");
}

}  // namespace

RestTable::RestTable(std::span<const protocol::MethodInfo> methods) {
    for (const auto& method : methods) {
        if (method.rest.verb.empty()) continue;
        if (!method.rest.path.starts_with('/')) refuse_to_start(method, "its path has no slash");
        RestRoute route{&method, split(method.rest.path), method.params_schema()};
        check(route);
        routes_.push_back(std::move(route));
    }
    std::sort(routes_.begin(), routes_.end(), [](const RestRoute& left, const RestRoute& right) {
        if (goes_first(left, right)) return true;
        return !goes_first(right, left) && left.method->rest.verb < right.method->rest.verb;
    });
    for (std::size_t at = 0; at < routes_.size(); ++at) {
        for (std::size_t before = 0; before < at; ++before) {
            const bool same_place = !goes_first(routes_[before], routes_[at]) &&
                                    !goes_first(routes_[at], routes_[before]);
            if (same_place && routes_[before].method->rest.verb == routes_[at].method->rest.verb) {
                refuse_to_start(*routes_[at].method,
                                std::string(routes_[before].method->name) + " has it already");
            }
        }
    }
}

RestMatch RestTable::find(std::string_view verb, const std::vector<std::string>& segments) const {
    const std::string_view wanted = verb == "HEAD" ? "GET" : verb;
    RestMatch match;
    for (const RestRoute& route : routes_) {
        if (!fits(route, segments)) continue;
        if (route.method->rest.verb != wanted) {
            allow(match.allowed, route.method->rest.verb);
            continue;
        }
        match.route = &route;
        match.allowed.clear();
        for (std::size_t at = 0; at < segments.size(); ++at) {
            if (route.path[at].kind != Kind::param) continue;
            match.params.emplace_back(route.path[at].text, segments[at]);
        }
        break;
    }
    return match;
}

const RestTable& rest_table() {
    static const RestTable table(protocol::catalog());
    return table;
}

}  // namespace rekey::server::http
