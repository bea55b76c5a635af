#include "server/app/front.hpp"

#include "base/result.hpp"

#include <sysexits.h>
#include <utility>

namespace rekey::server::app {

Listeners::Listeners(Shards& shards, const config::HostPort& where)
    : where_(where), servers_(shards.size(), nullptr) {
    // A port that is shared may be shared with another rekeyd of the same user, silently: only an
    // exclusive one tells that it is in use.
    auto first = open(shards.at(0), net::PortUse::exclusive);
    where_.port = first->port();
    if (shards.size() == 1) {
        listeners_.push_back(std::move(first));
        return;
    }
    first->stop();
    first.reset();
    for (std::size_t index = 0; index < shards.size(); ++index) {
        listeners_.push_back(open(shards.at(index), net::PortUse::shared));
    }
}

std::unique_ptr<net::Listener> Listeners::open(Shard& shard, net::PortUse use) {
    auto accept = [this, index = shard.index()](net::TcpSocket socket) {
        servers_[index]->accept(std::move(socket));
    };
    auto listener =
        net::Listener::open(shard.context(), where_.host, where_.port, use, std::move(accept));
    if (listener.has_error()) {
        throw StartupError(listener.error().message(), EX_UNAVAILABLE);
    }
    return *std::move(listener);
}

namespace {

net::HttpServerOptions options_for(std::shared_ptr<net::ServerTls> tls,
                                   std::shared_ptr<http::AddressGate> gate,
                                   const http::Doors& doors,
                                   const http::TrustedProxies& trusted_proxies) {
    net::HttpServerOptions options;
    options.tls = std::move(tls);
    // Behind a proxy everybody comes from there.
    options.admit = [gate = std::move(gate), &trusted_proxies](const std::string& address,
                                                               std::function<void()> give_way) {
        if (trusted_proxies.contains(address)) return http::AddressGate::uncounted();
        return gate->admit(address, std::move(give_way));
    };
    options.refusal = [&doors](unsigned status, std::string_view message) {
        return doors.refuse(status, message);
    };
    options.headers = http::security_headers();
    return options;
}

}  // namespace

Front::Front(Shard& shard, const http::Parts& parts, std::shared_ptr<net::ServerTls> tls,
             std::shared_ptr<http::AddressGate> gate)
    : doors(shard, parts),
      server(shard.context(),
             options_for(std::move(tls), std::move(gate), doors, parts.trusted_proxies),
             [this](net::HttpExchange exchange) { doors.handle(std::move(exchange)); }) {}

}  // namespace rekey::server::app
