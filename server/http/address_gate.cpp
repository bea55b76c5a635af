#include "server/http/address_gate.hpp"

#include "protocol/join_string.hpp"
#include "server/rpc/failure_limiter.hpp"

namespace rekey::server::http {

std::shared_ptr<void> AddressGate::admit(const std::string& address) {
    std::string counted = rpc::counted_address(address);
    if (protocol::is_loopback_host(address) || protocol::is_loopback_host(counted)) return state_;
    {
        const std::lock_guard lock(state_->mutex);
        std::size_t& open = state_->open[counted];
        if (open >= limit_) return nullptr;
        ++open;
    }
    auto release = [state = state_, counted = std::move(counted)](void*) {
        const std::lock_guard lock(state->mutex);
        const auto found = state->open.find(counted);
        if (--found->second == 0) state->open.erase(found);
    };
    return {state_.get(), std::move(release)};
}

}  // namespace rekey::server::http
