#include "net/http_message.hpp"

#include <algorithm>
#include <cctype>

namespace rekey::net {
namespace {

bool equal_without_case(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);
    });
}

}  // namespace

void HttpHeaders::add(std::string_view name, std::string_view value) {
    entries_.emplace_back(name, value);
}

std::string_view HttpHeaders::get(std::string_view name) const {
    for (const auto& [key, value] : entries_) {
        if (equal_without_case(key, name)) return value;
    }
    return {};
}

bool HttpHeaders::has(std::string_view name) const {
    return std::ranges::any_of(
        entries_, [&](const auto& entry) { return equal_without_case(entry.first, name); });
}

HttpResponse HttpResponse::json(unsigned status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.headers.add("Content-Type", "application/json");
    response.body = std::move(body);
    return response;
}

}  // namespace rekey::net
