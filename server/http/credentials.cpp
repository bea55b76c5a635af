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

}  // namespace

std::string_view bearer(const net::HttpHeaders& headers) {
    constexpr std::string_view kScheme = "bearer ";
    const std::string_view value = headers.get("Authorization");
    if (value.size() < kScheme.size()) return {};
    const bool is_bearer = std::equal(
        kScheme.begin(), kScheme.end(), value.begin(),
        [](char want, char got) { return std::tolower(static_cast<unsigned char>(got)) == want; });
    return is_bearer ? trimmed(value.substr(kScheme.size())) : std::string_view();
}

std::string_view api_key(const net::HttpHeaders& headers) {
    const std::string_view token = bearer(headers);
    return token.empty() ? trimmed(headers.get("X-API-Key")) : token;
}

}  // namespace rekey::server::http
