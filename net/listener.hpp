#pragma once

#include "base/result.hpp"
#include "net/io.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace rekey::net {

// `shared` lets every shard bind the same port (SO_REUSEPORT) and the kernel spreads connections.
// The first shard says `shared_first`: it also refuses a port that another process shares already.
enum class PortUse : std::uint8_t { exclusive, shared_first, shared };

// A listening TCP socket. Out of descriptors (EMFILE, ENFILE), it closes the newcomer by means of a
// spare descriptor instead of spinning. Bound to the io_context's thread.
class Listener {
  public:
    virtual ~Listener() = default;

    using OnAccept = std::function<void(TcpSocket)>;
    // `host` is an address or a name that resolves to one; port 0 picks one. `conflict` when the
    // port is in use, `invalid_params` for a host that is not this machine's, `permission_denied`
    // for a privileged port; each names address and way out.
    [[nodiscard]] static Result<std::unique_ptr<Listener>> open(boost::asio::io_context& context,
                                                                const std::string& host,
                                                                std::uint16_t port, PortUse use,
                                                                OnAccept on_accept);

    [[nodiscard]] virtual std::uint16_t port() const = 0;
    // "127.0.0.1:7443", "[::1]:7443"
    [[nodiscard]] virtual std::string address() const = 0;
    // Accepts no more and closes the socket.
    virtual void stop() = 0;
};

}  // namespace rekey::net
