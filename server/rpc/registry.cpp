#include "server/rpc/registry.hpp"

#include "base/contract.hpp"

namespace rekey::server::rpc {

void Registry::add(Route route) {
    std::string name(route.info.name);
    const bool is_new = routes_.emplace(std::move(name), std::move(route)).second;
    REKEY_ASSERT(is_new);
}

const Route* Registry::find(std::string_view name) const {
    const auto found = routes_.find(name);
    return found == routes_.end() ? nullptr : &found->second;
}

void Registry::require_complete() const {
    std::string missing;
    for (const auto& info : protocol::catalog()) {
        const bool is_ours = info.access.caller == protocol::Caller::admin ||
                             info.access.caller == protocol::Caller::self;
        if (!is_ours || find(info.name) != nullptr) continue;
        missing.append(missing.empty() ? "" : ", ").append(info.name);
    }
    if (missing.empty()) return;
    throw StartupError("this build declares methods that nothing handles: " + missing);
}

}  // namespace rekey::server::rpc
