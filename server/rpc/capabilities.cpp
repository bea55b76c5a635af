#include "server/rpc/capabilities.hpp"

#include <algorithm>

namespace rekey::server::rpc {

bool covers(std::string_view granted, std::string_view wanted) {
    if (granted == wanted || granted == "admin:*") return true;
    if (!granted.ends_with(":*")) return false;
    const auto prefix = granted.substr(0, granted.size() - 1);
    return prefix.size() > 1 && wanted.size() > prefix.size() && wanted.starts_with(prefix);
}

bool covers(std::span<const std::string> granted, std::string_view wanted) {
    return std::any_of(granted.begin(), granted.end(),
                       [&](const std::string& one) { return covers(one, wanted); });
}

}  // namespace rekey::server::rpc
