#include "server/rpc/failure_limiter.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace rekey::server::rpc {

std::string counted_address(std::string_view address) {
    boost::system::error_code problem;
    const auto parsed = boost::asio::ip::make_address(std::string(address), problem);
    if (problem || parsed.is_v4()) return std::string(address);
    const auto v6 = parsed.to_v6();
    if (v6.is_v4_mapped()) {
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
    }
    auto bytes = v6.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

Error FailureLimiter::answer_failure(std::string_view address, std::int64_t per_minute,
                                     Error error) {
    const auto wait = buckets_.ask(counted_address(address), per_minute, TokenBuckets::Act::take);
    if (!wait) return error;
    return Error(Code::rate_limited, "too many failed attempts from this address")
        .with_retry_after(*wait);
}

}  // namespace rekey::server::rpc
