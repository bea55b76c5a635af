#pragma once

#include "net/http_server.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::server::http {

// Keeps other people's web pages away from every door, WebSockets too. A page whose name is made to
// point here (DNS rebinding) shows itself by its Host, any other by its Origin, which no browser
// lets it choose. Programs send no Origin, and a Host that they were given. Immutable: any thread.
class HostGate {
  public:
    struct Known {
        // Names and addresses without ports that this server is called by, besides loopback.
        std::vector<std::string> hosts;
        // It listens on all addresses: an IP address as Host is then one of its own. No name can be
        // made to be one.
        bool every_address = false;
        // "https://console.example.com", exactly as browsers write them: whose pages may call us.
        std::vector<std::string> origins;
    };
    explicit HostGate(Known known) : known_(std::move(known)) {}

    // Why this request is not for us: 421 for another's Host, 403 for another's Origin; empty if
    // nothing is wrong. An Origin is ours if it names the Host of the request itself.
    [[nodiscard]] std::optional<net::HttpResponse> refuse(const net::HttpRequest& request) const;

    // Lets a configured origin's page read the answer (CORS; never with credentials, which nobody
    // needs: keys are headers). Does nothing for others, who have been refused.
    void share(net::HttpExchange& exchange) const;
    // The answer to such a page's question whether it may call (a preflight); empty for any other
    // request.
    [[nodiscard]] std::optional<net::HttpResponse> preflight(const net::HttpRequest& request) const;

  private:
    [[nodiscard]] bool is_shared(std::string_view origin) const;
    [[nodiscard]] bool knows(std::string_view host) const;
    Known known_;
};

// "EXAMPLE.com:7443" -> "example.com", "[::1]:7443" -> "::1"; empty for what is no host.
[[nodiscard]] std::string host_of(std::string_view authority);

// Of every answer: nothing here is to be sniffed, framed, cached or told to other sites.
[[nodiscard]] net::HttpHeaders security_headers();

// Browsers are to insist on TLS from now on, where this is TLS and not just this machine.
void insist_on_tls(net::HttpExchange& exchange);

}  // namespace rekey::server::http
