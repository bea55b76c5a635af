#pragma once

#include "net/http_server.hpp"
#include "net/listener.hpp"
#include "server/config/flags.hpp"
#include "server/http/address_gate.hpp"
#include "server/http/doors.hpp"
#include "server/shard.hpp"

#include <memory>
#include <string>
#include <vector>

namespace rekey::server::app {

// The listening sockets of all shards: the same port on each, over which the kernel spreads
// connections.
class Listeners {
  public:
    // Before Shards::start. Throws StartupError: port in use, host that is not this machine's.
    Listeners(Shards& shards, const config::HostPort& where);
    // Where accepted connections go; before Shards::start.
    void serve(std::size_t shard, net::HttpServer& server) { servers_.at(shard) = &server; }
    // On the shard's thread.
    void stop(std::size_t shard) { listeners_.at(shard)->stop(); }
    [[nodiscard]] const config::HostPort& where() const { return where_; }

  private:
    [[nodiscard]] std::unique_ptr<net::Listener> open(Shard& shard, net::PortUse use);
    config::HostPort where_;
    std::vector<net::HttpServer*> servers_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
};

// What one shard shows to the network.
struct Front {
    Front(Shard& shard, const http::Parts& parts, std::shared_ptr<net::ServerTls> tls,
          std::shared_ptr<http::AddressGate> gate);
    http::Doors doors;
    net::HttpServer server;
};

}  // namespace rekey::server::app
