#include "server/http/request_id.hpp"

#include "base/ids.hpp"
#include "base/limits.hpp"

#include <algorithm>

namespace rekey::server::http {
namespace {

bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '_' || c == ':' || c == '-';
}

}  // namespace

std::string request_id(const net::HttpHeaders& headers, const Clock& clock, Random& random) {
    const std::string_view given = headers.get("X-Request-Id");
    const bool is_well_formed = !given.empty() && given.size() <= limits::kClientRequestIdBytes &&
                                std::all_of(given.begin(), given.end(), is_plain);
    return is_well_formed ? std::string(given) : make_uuid_v7(clock, random);
}

}  // namespace rekey::server::http
