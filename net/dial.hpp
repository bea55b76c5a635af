#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/io.hpp"
#include "net/stream.hpp"
#include "net/tls_context.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace rekey::net {

// Inside net/ only: how a client gets a connection. Looks the host up, connects to its addresses in
// turn, does the TLS handshake. `unavailable` with details.reason "no_tls" when something else than
// TLS answers it. Made for one attempt; destroying it cancels, and the callback then
// never comes. The callback comes once, never from inside start().
class Dial {
  public:
    using Callback = std::function<void(Result<std::unique_ptr<Stream>>)>;

    Dial(boost::asio::io_context& context, std::string host, std::uint16_t port,
         std::shared_ptr<ClientTls> tls);
    ~Dial();
    Dial(const Dial&) = delete;
    Dial& operator=(const Dial&) = delete;

    void start(Callback callback);

  private:
    struct Attempt;
    std::shared_ptr<Attempt> attempt_;
};

// "cannot reach HOST:PORT: ..." as `unavailable`.
[[nodiscard]] Error network_error(const std::string& host, std::uint16_t port,
                                  const std::string& what);

}  // namespace rekey::net
