#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "net/web_socket.hpp"
#include "server/rpc/authenticator.hpp"
#include "server/rpc/caller.hpp"
#include "server/rpc/dispatcher.hpp"
#include "server/shard.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_set>

namespace rekey::server::http {

// The admins' WebSockets of one shard (GET /rpc, rekey.admin.v1): JSON-RPC without batches, each
// message a call through the dispatcher, answered in the order in which calls end. At most
// limits::kCallsAnAdminSocket at once (`overloaded` beyond); an answer longer than
// limits::kMessageBytes becomes an error. Pinged every limits::kAdminPing, closed with 4003 when
// silent for 2.5 of them. Each message has a request id of its own. On the shard's thread.
class AdminSockets {
  public:
    // On all shards together.
    static constexpr std::size_t kMostOfOneIdentity = 1024;

    struct Parts {
        const rpc::Dispatcher& dispatcher;
        const rpc::Authenticator& authenticator;
        const Clock& clock;
        Random& random;  // safe from any thread
        const Log& log;
    };
    AdminSockets(Shard& shard, const Parts& parts);
    ~AdminSockets();
    AdminSockets(const AdminSockets&) = delete;
    AdminSockets& operator=(const AdminSockets&) = delete;

    // `place` is one of kMostOfOneIdentity, held while the socket is open. Who was suspended or
    // revoked, and whose key was revoked, since he was authenticated, is closed at once.
    void adopt(net::WebSocket socket, rpc::Caller caller, std::shared_ptr<void> place);
    // Those of one identity.
    void close(std::string_view agent_id, std::uint16_t code);
    // Those that one API key opened, or an access token made with it; with 4004.
    void close_of_key(std::string_view key_id);
    void close_all(std::uint16_t code);
    [[nodiscard]] std::size_t count() const { return sockets_.size(); }

  private:
    class Socket;
    Shard& shard_;
    Parts parts_;
    std::unordered_set<std::shared_ptr<Socket>> sockets_;
};

}  // namespace rekey::server::http
