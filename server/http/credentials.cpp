#include "server/http/credentials.hpp"

#include <algorithm>
#include <cctype>

namespace rekey::server::http {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

bool equal_without_case(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    });
}

}  // namespace

std::string_view bearer(const net::HttpHeaders& headers) {
    constexpr std::string_view kScheme = "bearer ";
    const std::string_view value = headers.get("Authorization");
    if (value.size() < kScheme.size()) return {};
    return equal_without_case(value.substr(0, kScheme.size()), kScheme)
               ? trimmed(value.substr(kScheme.size()))
               : std::string_view();
}

std::string_view api_key(const net::HttpHeaders& headers) {
    const std::string_view token = bearer(headers);
    return token.empty() ? trimmed(headers.get("X-API-Key")) : token;
}

bool is_json(const net::HttpHeaders& headers) {
    const std::string_view value = headers.get("Content-Type");
    return equal_without_case(trimmed(value.substr(0, value.find(';'))), "application/json");
}

}  // namespace rekey::server::http
