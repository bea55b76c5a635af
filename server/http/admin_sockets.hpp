#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "net/web_socket.hpp"
#include "server/rpc/caller.hpp"
#include "server/rpc/dispatcher.hpp"
#include "server/shard.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

namespace rekey::server::http {

// The admins' WebSockets of one shard (GET /rpc, rekey.admin.v1): JSON-RPC without batches, each
// message a call through the dispatcher, answered in the order in which calls end. At most
// limits::kCallsAnAdminSocket at once (`overloaded` beyond); an answer longer than
// limits::kMessageBytes becomes an error. Pinged every limits::kAdminPing, closed with 4003 when
// silent for 2.5 of them. Each message has a request id of its own. On the shard's thread.
class AdminSockets {
  public:
    struct Parts {
        const rpc::Dispatcher& dispatcher;
        const Clock& clock;
        Random& random;  // safe from any thread
        const Log& log;
    };
    AdminSockets(Shard& shard, const Parts& parts);
    ~AdminSockets();
    AdminSockets(const AdminSockets&) = delete;
    AdminSockets& operator=(const AdminSockets&) = delete;

    void adopt(net::WebSocket socket, rpc::Caller caller);
    // Those of one identity.
    void close(const std::string& agent_id, std::uint16_t code);
    void close_all(std::uint16_t code);
    [[nodiscard]] std::size_t count() const { return sockets_.size(); }

  private:
    class Socket;
    Shard& shard_;
    Parts parts_;
    std::unordered_set<std::shared_ptr<Socket>> sockets_;
};

}  // namespace rekey::server::http
