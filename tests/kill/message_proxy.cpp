#include "tests/kill/message_proxy.hpp"

#include "base/random.hpp"
#include "tests/kill/message_split.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <thread>

namespace rekey::testing {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// What both directions and all connections share; on the proxy's thread, but for the mutex's part.
struct Shared {
    std::mutex mutex;
    Mischief mischief;
    Mishaps mishaps;
};

class Link;

// One direction: reads, cuts into pieces, decides, writes in order.
class Direction {
  public:
    Direction(Link& link, tcp::socket& from, tcp::socket& to, Shared& shared, std::uint64_t seed)
        : link_(link),
          from_(from),
          to_(to),
          shared_(shared),
          random_(seed),
          timer_(from.get_executor()) {}
    void read();

  private:
    struct Waiting {
        std::string bytes;
        std::chrono::steady_clock::time_point due;
        bool last = false;
    };
    void meddle(Piece piece);
    void push(std::string bytes, std::chrono::milliseconds delay, bool last = false);
    void write();

    Link& link_;
    tcp::socket& from_;
    tcp::socket& to_;
    Shared& shared_;
    SeededRandom random_;
    asio::steady_timer timer_;
    MessageSplit split_;
    std::array<char, 16384> buffer_{};
    std::deque<Waiting> waiting_;
    bool writing_ = false;
};

// One connection through the proxy; lives as long as its operations.
class Link : public std::enable_shared_from_this<Link> {
  public:
    Link(asio::io_context& context, tcp::socket client, Shared& shared, std::uint64_t seed)
        : client_(std::move(client)),
          server_(context),
          up_(*this, client_, server_, shared, 2 * seed),
          down_(*this, server_, client_, shared, 2 * seed + 1) {}

    void start(std::uint16_t server_port) {
        server_.async_connect({asio::ip::address_v4::loopback(), server_port},
                              [self = shared_from_this()](const error_code& error) {
                                  if (error) return self->cut();
                                  self->up_.read();
                                  self->down_.read();
                              });
    }
    void cut() {
        error_code ignored;
        client_.close(ignored);
        server_.close(ignored);
    }

  private:
    tcp::socket client_;
    tcp::socket server_;
    Direction up_;
    Direction down_;
};

void Direction::read() {
    from_.async_read_some(asio::buffer(buffer_), [this, self = link_.shared_from_this()](
                                                     const error_code& error, std::size_t size) {
        if (error) {
            // What is on its way still arrives, and then the end does.
            if (!to_.is_open()) return;
            return push({}, {}, true);
        }
        split_.feed({buffer_.data(), size});
        for (Piece& piece : split_.take()) meddle(std::move(piece));
        read();
    });
}

void Direction::meddle(Piece piece) {
    const std::lock_guard lock(shared_.mutex);
    const Mischief& now = shared_.mischief;
    Mishaps& count = shared_.mishaps;
    // Of what is no message, only a connection's end can be made.
    const bool message = piece.kind == Piece::Kind::message;
    std::uint64_t drawn = random_.between(0, 99);
    const auto falls_on = [&](std::uint64_t share) {
        const bool hit = drawn < share;
        drawn -= std::min(drawn, share);
        if (hit) drawn = 100;
        return hit;
    };
    if (piece.kind != Piece::Kind::control && falls_on(now.cut)) {
        ++count.cut;
        return push(piece.bytes.substr(0, piece.bytes.size() / 2), {}, true);
    }
    if (message && falls_on(now.drop)) {
        ++count.dropped;
        return;
    }
    if (message && falls_on(now.repeat)) {
        ++count.repeated;
        push(piece.bytes, {});
    } else if (message && falls_on(now.delay)) {
        ++count.delayed;
        const auto most = static_cast<std::uint64_t>(now.most_delay.count());
        return push(std::move(piece.bytes), std::chrono::milliseconds(random_.between(0, most)));
    }
    ++count.passed;
    push(std::move(piece.bytes), {});
}

void Direction::push(std::string bytes, std::chrono::milliseconds delay, bool last) {
    waiting_.push_back({std::move(bytes), std::chrono::steady_clock::now() + delay, last});
    if (!writing_) write();
}

void Direction::write() {
    writing_ = !waiting_.empty();
    if (!writing_) return;
    timer_.expires_at(waiting_.front().due);
    timer_.async_wait([this, self = link_.shared_from_this()](const error_code&) {
        asio::async_write(to_, asio::buffer(waiting_.front().bytes),
                          [this, self](const error_code& error, std::size_t) {
                              if (error || waiting_.front().last) return link_.cut();
                              waiting_.pop_front();
                              write();
                          });
    });
}

}  // namespace

class MessageProxy::Running {
  public:
    explicit Running(std::uint64_t seed)
        : seed_(seed), acceptor_(context_, {asio::ip::address_v4::loopback(), 0}) {
        accept();
        thread_ = std::thread([this] { context_.run(); });
    }
    ~Running() {
        context_.stop();
        thread_.join();
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    std::atomic<std::uint16_t> server_port{0};
    Shared shared;

  private:
    void accept() {
        acceptor_.async_accept([this](const error_code& error, tcp::socket client) {
            if (error) return;
            client.set_option(tcp::no_delay(true));
            std::make_shared<Link>(context_, std::move(client), shared, seed_ + 1000 * ++links_)
                ->start(server_port);
            accept();
        });
    }

    std::uint64_t seed_;
    std::uint64_t links_ = 0;
    asio::io_context context_;
    tcp::acceptor acceptor_;
    std::thread thread_;
};

MessageProxy::MessageProxy(std::uint64_t seed) : running_(std::make_unique<Running>(seed)) {}
MessageProxy::~MessageProxy() = default;
std::uint16_t MessageProxy::port() const { return running_->port(); }
void MessageProxy::lead_to(std::uint16_t server_port) { running_->server_port = server_port; }

void MessageProxy::set(const Mischief& mischief) {
    const std::lock_guard lock(running_->shared.mutex);
    running_->shared.mischief = mischief;
}

Mishaps MessageProxy::mishaps() const {
    const std::lock_guard lock(running_->shared.mutex);
    return running_->shared.mishaps;
}

std::string to_string(const Mishaps& mishaps) {
    return std::to_string(mishaps.passed) + " passed, " + std::to_string(mishaps.dropped) +
           " dropped, " + std::to_string(mishaps.repeated) + " repeated, " +
           std::to_string(mishaps.delayed) + " delayed, " + std::to_string(mishaps.cut) + " cut";
}

}  // namespace rekey::testing
