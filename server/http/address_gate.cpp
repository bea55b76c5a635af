#include "server/http/address_gate.hpp"

#include "protocol/join_string.hpp"
#include "server/rpc/failure_limiter.hpp"

#include <utility>

namespace rekey::server::http {

std::shared_ptr<void> AddressGate::admit(const std::string& address) const {
    std::string counted = rpc::counted_address(address);
    if (protocol::is_loopback_host(address) || protocol::is_loopback_host(counted)) {
        return std::make_shared<char>();
    }
    return places_.take(std::move(counted));
}

}  // namespace rekey::server::http
