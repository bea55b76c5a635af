#include "agent/daemon/control_socket.hpp"

#include "agent/daemon/control_peer.hpp"
#include "base/limits.hpp"
#include "base/secret.hpp"
#include "protocol/errors.hpp"
#include "protocol/json_text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/serialize.hpp>

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace rekey::agent {
namespace {

using Local = boost::asio::local::stream_protocol;
using boost::system::error_code;

std::string line_of(const Result<std::string>& outcome) {
    if (outcome.has_error())
        return R"({"error":)" + protocol::error_body_text(outcome.error()) + "}\n";
    return R"({"result":)" + *outcome + "}\n";
}

}  // namespace

// One peer: reads a line, answers it, reads the next.
class ControlSocket::Connection final : public std::enable_shared_from_this<Connection> {
  public:
    Connection(ControlSocket& owner, Local::socket socket)
        : owner_(owner), socket_(std::move(socket)), idle_(socket_.get_executor()) {}
    ~Connection() {
        wipe_string(read_);
        wipe_string(write_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void read_line();
    void end();

  private:
    void on_line(std::size_t size);
    void handle(std::string_view line);
    void answer(Result<std::string> outcome);

    ControlSocket& owner_;
    Local::socket socket_;
    boost::asio::steady_timer idle_;
    std::string read_;
    std::string write_;
    bool ended_ = false;
    bool last_ = false;  // the answer under way is the last one
};

void ControlSocket::Connection::read_line() {
    idle_.expires_after(limits::kControlIdle);
    idle_.async_wait([weak = weak_from_this()](error_code cancelled) {
        const auto self = weak.lock();
        if (self && !cancelled) self->end();
    });
    boost::asio::async_read_until(
        socket_, boost::asio::dynamic_buffer(read_, limits::kControlLineBytes), '\n',
        [self = shared_from_this()](error_code error, std::size_t size) {
            if (self->ended_) return;
            if (error) return self->end();
            self->on_line(size);
        });
}

void ControlSocket::Connection::on_line(std::size_t size) {
    idle_.cancel();
    std::string line = read_.substr(0, size - 1);
    wipe_memory(read_.data(), size);
    read_.erase(0, size);
    handle(line);
    wipe_string(line);
}

void ControlSocket::Connection::handle(std::string_view line) {
    const auto document = protocol::parse_json(line);
    const auto* request = document.has_value() ? document->if_object() : nullptr;
    const auto* method = request == nullptr ? nullptr : request->if_contains("method");
    if (method == nullptr || !method->is_string()) {
        last_ = true;
        return answer(Error(Code::invalid_request, "a request is a line with a method and params"));
    }
    const auto found = owner_.handlers_.find(std::string_view(method->get_string()));
    if (found == owner_.handlers_.end())
        return answer(Error(Code::method_not_found, "the daemon does not know this method"));
    found->second(request->if_contains("params"),
                  [weak = weak_from_this()](Result<std::string> outcome) {
                      if (const auto self = weak.lock()) return self->answer(std::move(outcome));
                      if (outcome.has_value()) wipe_string(*outcome);
                  });
}

void ControlSocket::Connection::answer(Result<std::string> outcome) {
    if (ended_) return;
    write_ = line_of(outcome);
    if (outcome.has_value()) wipe_string(*outcome);
    boost::asio::async_write(socket_, boost::asio::buffer(write_),
                             [self = shared_from_this()](error_code error, std::size_t) {
                                 wipe_string(self->write_);
                                 if (self->ended_) return;
                                 if (error || self->last_) return self->end();
                                 self->read_line();
                             });
}

void ControlSocket::Connection::end() {
    if (std::exchange(ended_, true)) return;
    idle_.cancel();
    error_code ignored;
    socket_.close(ignored);
    owner_.forget(this);
}

ControlSocket::ControlSocket(boost::asio::io_context& context, std::string path, const Log& log)
    : path_(std::move(path)), log_(log), acceptor_(context), pause_(context) {}

ControlSocket::~ControlSocket() { close(); }

void ControlSocket::on(std::string method, Handler handler) {
    handlers_.insert_or_assign(std::move(method), std::move(handler));
}

Result<> ControlSocket::open() {
    REKEY_TRY_ASSIGN(address, control_address(path_));
    const Local::endpoint endpoint(address);
    struct stat there{};
    // Nothing but a socket is removed: the name may be somebody's file.
    if (::lstat(path_.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) ::unlink(path_.c_str());
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.bind(endpoint, error);
    // Before listen(): until then nobody can connect.
    if (!error && ::chmod(path_.c_str(), S_IRUSR | S_IWUSR) != 0)
        error.assign(errno, boost::system::system_category());
    if (!error) acceptor_.listen(static_cast<int>(limits::kControlConnections), error);
    if (error) {
        error_code ignored;
        acceptor_.close(ignored);
        return Error(Code::unavailable, path_ + ": " + error.message());
    }
    accept();
    return {};
}

void ControlSocket::accept() {
    acceptor_.async_accept(
        [this, alive = std::weak_ptr(alive_)](error_code error, Local::socket socket) {
            if (alive.expired() || !acceptor_.is_open()) return;
            if (error) return accept_later();
            if (connections_.size() < limits::kControlConnections &&
                is_trusted_peer(socket.native_handle())) {
                auto connection = std::make_shared<Connection>(*this, std::move(socket));
                connections_.emplace(connection.get(), connection);
                connection->read_line();
            } else {
                log_.warning("control.refused", {{"connections", connections_.size()}});
            }
            accept();
        });
}

// Out of descriptors, say: what is asked for at once would be refused at once.
void ControlSocket::accept_later() {
    constexpr std::chrono::seconds kPause{1};
    pause_.expires_after(kPause);
    pause_.async_wait([this, alive = std::weak_ptr(alive_)](error_code cancelled) {
        if (!alive.expired() && !cancelled && acceptor_.is_open()) accept();
    });
}

void ControlSocket::forget(Connection* connection) { connections_.erase(connection); }

void ControlSocket::close() {
    if (!acceptor_.is_open()) return;
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    ::unlink(path_.c_str());
    for (auto open = std::exchange(connections_, {}); const auto& [key, connection] : open)
        connection->end();
}

}  // namespace rekey::agent
