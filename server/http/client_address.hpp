#pragma once

#include "base/result.hpp"
#include "net/http_message.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::server::http {

// The header in which the proxies name the client. Only one of them is read: what a proxy does not
// write itself it passes on as the client made it up.
enum class ForwardingHeader : std::uint8_t { x_forwarded_for, forwarded };  // or RFC 7239

// The proxies in front of the server, whose word about a client's address counts
// (--trusted-proxies). By default there are none, and every header is ignored.
class TrustedProxies {
  public:
    TrustedProxies() = default;

    // Addresses and networks (RFC 4632, RFC 4291) with commas or spaces between them: "10.0.0.0/8,
    // 2001:db8::/32, 192.0.2.1". `invalid_params` with the first that is none, or that has bits
    // beyond its prefix. At most limits::kTrustedProxies.
    [[nodiscard]] static Result<TrustedProxies> parse(
        std::string_view text, ForwardingHeader header = ForwardingHeader::x_forwarded_for);

    [[nodiscard]] bool empty() const { return networks_.empty(); }
    // As it was written.
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool contains(std::string_view address) const;

    // Who sent a request that came from `peer` (an address without the port): the rightmost address
    // of the proxies' header that is no trusted proxy. It is `peer` itself if that is not trusted,
    // if there is no such header, and if what the proxies wrote cannot be read: a word that is no
    // address, or more than limits::kForwardedHops.
    [[nodiscard]] std::string client_of(const std::string& peer,
                                        const net::HttpHeaders& headers) const;

  private:
    struct Network {
        boost::asio::ip::address_v6 first;  // IPv4 as ::ffff:a.b.c.d
        unsigned prefix = 128;
    };
    [[nodiscard]] bool contains(const boost::asio::ip::address_v6& address) const;
    [[nodiscard]] static Result<Network> parse_network(std::string_view text);
    // Empty: cannot be read. `hops` from the client to the last proxy.
    [[nodiscard]] std::string rightmost_untrusted(const std::vector<std::string>& hops) const;

    std::string text_;
    ForwardingHeader header_ = ForwardingHeader::x_forwarded_for;
    std::vector<Network> networks_;
};

}  // namespace rekey::server::http
