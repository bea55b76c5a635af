#include "net/listener.hpp"

#include "base/contract.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace rekey::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// When not even the spare descriptor helps, or the kernel is out of memory.
constexpr auto kAcceptPause = std::chrono::milliseconds{100};

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

Error listen_error(const std::string& host, std::uint16_t port, const ErrorCode& error) {
    const std::string where = host + ":" + std::to_string(port);
    if (error == asio::error::address_in_use)
        return Error(Code::conflict, "cannot listen on " + where +
                                         ": the port is in use by another program; stop it or "
                                         "choose another port (0 picks a free one)");
    if (error == asio::error::access_denied)
        return Error(Code::permission_denied, "cannot listen on " + where +
                                                  ": ports below 1024 need root or "
                                                  "CAP_NET_BIND_SERVICE; choose a higher one");
    if (error == boost::system::errc::address_not_available)
        return Error(Code::invalid_params, "cannot listen on " + where +
                                               ": no interface of this machine has that "
                                               "address");
    return Error(Code::unavailable, "cannot listen on " + where + ": " + error.message());
}

Result<tcp::endpoint> endpoint_of(asio::io_context& context, const std::string& host,
                                  std::uint16_t port) {
    ErrorCode error;
    const asio::ip::address address = asio::ip::make_address(host, error);
    if (!error) return tcp::endpoint(address, port);
    asio::ip::basic_resolver<tcp, Executor> resolver(context.get_executor());
    const auto found = resolver.resolve(host, std::to_string(port), error);
    if (error || found.empty())
        return Error(Code::invalid_params,
                     "cannot listen on " + host + ": not an address of this machine");
    return found.begin()->endpoint();
}

ErrorCode bind_and_listen(Acceptor& acceptor, const tcp::endpoint& endpoint, bool share) {
    ErrorCode error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error && share) acceptor.set_option(ReusePort(true), error);
    // "::" serves IPv4 as well.
    if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    return error;
}

class TcpListener final : public Listener, public std::enable_shared_from_this<TcpListener> {
  public:
    TcpListener(asio::io_context& context, OnAccept on_accept)
        : context_(context),
          acceptor_(context.get_executor()),
          pause_(context.get_executor()),
          on_accept_(std::move(on_accept)),
          spare_(open_spare()) {}
    TcpListener(const TcpListener&) = delete;
    TcpListener& operator=(const TcpListener&) = delete;
    ~TcpListener() override {
        if (spare_ >= 0) ::close(spare_);
    }

    [[nodiscard]] ErrorCode listen(const tcp::endpoint& endpoint, PortUse use) {
        if (use == PortUse::shared_first && endpoint.port() != 0) {
            // A socket without SO_REUSEPORT cannot join those of another process.
            Acceptor probe(context_.get_executor());
            if (const ErrorCode error = bind_and_listen(probe, endpoint, false)) return error;
        }
        if (const ErrorCode error = bind_and_listen(acceptor_, endpoint, use != PortUse::exclusive))
            return error;
        ErrorCode error;
        local_ = acceptor_.local_endpoint(error);
        if (!error) accept_next();
        return error;
    }

    [[nodiscard]] std::uint16_t port() const override { return local_.port(); }
    [[nodiscard]] std::string address() const override { return endpoint_text(local_); }

    void stop() override {
        ErrorCode ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    }

  private:
    void accept_next() {
        acceptor_.async_accept(
            context_.get_executor(),
            [self = shared_from_this()](const ErrorCode& error, TcpSocket socket) {
                self->on_accepted(error, std::move(socket));
            });
    }

    void on_accepted(const ErrorCode& error, TcpSocket socket) {
        if (!acceptor_.is_open()) return;
        if (error == asio::error::no_descriptors ||
            error == boost::system::errc::too_many_files_open_in_system) {
            if (!refuse_one()) return pause();
        } else if (error == asio::error::no_memory || error == asio::error::no_buffer_space) {
            return pause();
        } else if (!error) {
            ErrorCode ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            on_accept_(std::move(socket));
            if (!acceptor_.is_open()) return;
        }  // else: that one connection went away again
        accept_next();
    }

    // Gives the spare descriptor to the newcomer and hangs up, so that it sees a closed connection
    // rather than silence, and the kernel's queue does not stay full.
    [[nodiscard]] bool refuse_one() {
        if (spare_ < 0) spare_ = open_spare();
        if (spare_ < 0) return false;
        ::close(spare_);
        const int refused = ::accept(acceptor_.native_handle(), nullptr, nullptr);
        if (refused >= 0) ::close(refused);
        spare_ = open_spare();
        return refused >= 0;
    }

    void pause() {
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([self = shared_from_this()](const ErrorCode& error) {
            if (!error && self->acceptor_.is_open()) self->accept_next();
        });
    }

    asio::io_context& context_;
    Acceptor acceptor_;
    IoTimer pause_;
    OnAccept on_accept_;
    tcp::endpoint local_;
    int spare_;
};

// What the owner holds: the listener itself lives as long as its pending accept.
class OwnedListener final : public Listener {
  public:
    explicit OwnedListener(std::shared_ptr<TcpListener> listener)
        : listener_(std::move(listener)) {}
    ~OwnedListener() override { listener_->stop(); }
    OwnedListener(const OwnedListener&) = delete;
    OwnedListener& operator=(const OwnedListener&) = delete;

    [[nodiscard]] std::uint16_t port() const override { return listener_->port(); }
    [[nodiscard]] std::string address() const override { return listener_->address(); }
    void stop() override { listener_->stop(); }

  private:
    std::shared_ptr<TcpListener> listener_;
};

}  // namespace

std::string address_text(const asio::ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    return address.to_string();
}

std::string endpoint_text(const tcp::endpoint& endpoint) {
    const std::string address = address_text(endpoint.address());
    const bool is_v6 = address.find(':') != std::string::npos;
    return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

Result<std::unique_ptr<Listener>> Listener::open(asio::io_context& context, const std::string& host,
                                                 std::uint16_t port, PortUse use,
                                                 OnAccept on_accept) {
    REKEY_ASSERT(on_accept != nullptr);
    REKEY_TRY_ASSIGN(endpoint, endpoint_of(context, host, port));
    auto listener = std::make_shared<TcpListener>(context, std::move(on_accept));
    if (const ErrorCode error = listener->listen(endpoint, use)) {
        listener->stop();
        return listen_error(host, port, error);
    }
    return std::unique_ptr<Listener>(std::make_unique<OwnedListener>(std::move(listener)));
}

}  // namespace rekey::net
