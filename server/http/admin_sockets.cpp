#include "server/http/admin_sockets.hpp"

#include "base/ids.hpp"
#include "base/limits.hpp"
#include "protocol/close_codes.hpp"
#include "protocol/json_rpc.hpp"
#include "server/http/envelope.hpp"

#include <deque>
#include <utility>

namespace rekey::server::http {
namespace {

using protocol::CloseCode;

constexpr std::chrono::minutes kParseErrorWindow{1};

std::string refuse(const Error& error) {
    std::string out;
    protocol::append_error(out, protocol::null_id(), error);
    return out;
}

}  // namespace

// Alive for as long as AdminSockets or a call of its own holds it.
class AdminSockets::Socket final : public net::WebSocketObserver,
                                   public std::enable_shared_from_this<Socket> {
  public:
    Socket(AdminSockets& owner, net::WebSocket socket, rpc::Caller caller,
           std::shared_ptr<void> place)
        : owner_(&owner),
          shard_(owner.shard_),
          parts_(owner.parts_),
          socket_(std::move(socket)),
          caller_(std::move(caller)),
          place_(std::move(place)),
          heard_at_(shard_.now()) {}

    void start() {
        socket_.start(*this);
        ping_later();
    }
    void close(CloseCode code) {
        const auto number = static_cast<std::uint16_t>(code);
        close(number);
    }
    void close(std::uint16_t code) { socket_.close(code, protocol::close_name(code)); }
    // Nothing reaches the socket's peer or its owner any more.
    void forget() {
        owner_ = nullptr;
        next_ping_.reset();
        socket_.abort();
    }
    [[nodiscard]] const rpc::Caller& caller() const { return caller_; }
    // Only what happens before it is among the sockets can be missed by what closes them.
    void look_again() {
        const auto still = parts_.authenticator.again(caller_);
        if (still.has_error()) close(close_code_for(still.error().code()));
    }

    void on_text(std::string_view message) override {
        if (calls_ >= limits::kCallsAnAdminSocket) {
            send(refuse(Error(Code::overloaded, "too many calls at once on this socket")));
            return;
        }
        ++calls_;
        rpc::spawn(shard_.context().get_executor(),
                   serve(shared_from_this(), std::string(message)));
    }
    void on_frame() override { heard_at_ = shard_.now(); }
    void on_closed(const net::CloseReason&) override {
        next_ping_.reset();
        if (owner_ != nullptr) std::exchange(owner_, nullptr)->sockets_.erase(shared_from_this());
    }

  private:
    static rpc::Task<void> serve(std::shared_ptr<Socket> self, std::string text) {
        rpc::Caller caller = self->caller_;
        caller.request_id = make_uuid_v7(self->parts_.clock, self->parts_.random);
        auto answer =
            co_await answer_envelope(self->parts_.dispatcher, caller, text, Carrier::socket);
        --self->calls_;
        self->send(std::move(answer.text));
        if (answer.parse_failed) self->count_parse_error();
        if (answer.credential) self->close(close_code_for(*answer.credential));
    }

    static CloseCode close_code_for(Code code) {
        if (code == Code::agent_revoked) return CloseCode::revoked;
        if (code == Code::agent_suspended) return CloseCode::suspended;
        return CloseCode::re_authenticate;
    }

    void send(std::string text) {
        if (owner_ == nullptr || text.empty()) return;
        socket_.send(std::move(text));
    }

    void count_parse_error() {
        const auto now = shard_.now();
        while (!parse_errors_.empty() && now - parse_errors_.front() > kParseErrorWindow) {
            parse_errors_.pop_front();
        }
        parse_errors_.push_back(now);
        if (parse_errors_.size() >= limits::kParseErrorsAMinute) {
            close(CloseCode::protocol_violation);
        }
    }

    void ping_later() {
        next_ping_ = shard_.timers().after(limits::kAdminPing, [this] {
            const auto silence = std::chrono::duration<double>(shard_.now() - heard_at_);
            if (silence >
                limits::kSilenceHeartbeats * std::chrono::duration<double>(limits::kAdminPing)) {
                close(CloseCode::silent);
                return;
            }
            socket_.ping();
            ping_later();
        });
    }

    AdminSockets* owner_;
    Shard& shard_;
    AdminSockets::Parts parts_;  // outlives its owner in a call
    net::WebSocket socket_;
    rpc::Caller caller_;
    std::shared_ptr<void> place_;
    SteadyTime heard_at_;
    std::size_t calls_ = 0;
    std::deque<SteadyTime> parse_errors_;
    std::unique_ptr<Timers::Handle> next_ping_;
};

AdminSockets::AdminSockets(Shard& shard, const Parts& parts) : shard_(shard), parts_(parts) {}

AdminSockets::~AdminSockets() {
    for (const auto& socket : sockets_) socket->forget();
}

void AdminSockets::adopt(net::WebSocket socket, rpc::Caller caller, std::shared_ptr<void> place) {
    parts_.log.info("admin.connected", {{"agent_id", caller.agent_id},
                                        {"address", caller.address},
                                        {"request_id", caller.request_id}});
    auto adopted =
        std::make_shared<Socket>(*this, std::move(socket), std::move(caller), std::move(place));
    sockets_.insert(adopted);
    adopted->start();
    adopted->look_again();
}

void AdminSockets::close(std::string_view agent_id, std::uint16_t code) {
    for (const auto& socket : sockets_) {
        if (socket->caller().agent_id == agent_id) socket->close(code);
    }
}

void AdminSockets::close_of_key(std::string_view key_id) {
    for (const auto& socket : sockets_) {
        if (socket->caller().key_id == key_id) socket->close(CloseCode::re_authenticate);
    }
}

void AdminSockets::close_all(std::uint16_t code) {
    for (const auto& socket : sockets_) socket->close(code);
}

}  // namespace rekey::server::http
