#pragma once

#include "base/limits.hpp"
#include "server/sessions/agent_door.hpp"
#include "server/sessions/agent_requests.hpp"
#include "server/sessions/wire.hpp"
#include "tests/unit/server/support/world.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Agents' connections without a network, on real shards that only the test runs.
namespace rekey::server::testing {

// Both ends of a fake connection: what the server did to it, and what the agent says.
struct Peer {
    net::WebSocketObserver* observer = nullptr;
    std::vector<boost::json::value> received;
    std::optional<std::uint16_t> closed_with;

    // The agent sends this text.
    void says(std::string_view text) {
        if (observer == nullptr) return;
        observer->on_frame();
        if (observer != nullptr) observer->on_text(text);
    }
    void pongs() {
        observer->on_frame();
        observer->on_pong();
    }
    // The agent answers the newest agent.ping, with this nonce or with the one that came.
    void answers_ping(std::optional<std::string> nonce = std::nullopt) {
        const boost::json::value* asked = message("agent.ping");
        BOOST_REQUIRE(asked);
        boost::json::object result{{"status", "ok"}, {"uptime_seconds", 1}};
        result["nonce"] = nonce ? boost::json::value(*nonce) : asked->at("params").at("nonce");
        says(boost::json::serialize(boost::json::object{
            {"jsonrpc", "2.0"}, {"id", asked->at("id")}, {"result", std::move(result)}}));
    }
    // The connection's end, whoever began it.
    void ends() {
        if (observer == nullptr) return;
        const net::CloseReason reason{.code = closed_with.value_or(1006)};
        std::exchange(observer, nullptr)->on_closed(reason);
    }
    // The newest message with this method, or the answer to this id; null if there is none.
    [[nodiscard]] const boost::json::value* message(std::string_view method) const {
        for (auto one = received.rbegin(); one != received.rend(); ++one) {
            const auto* name = one->as_object().if_contains("method");
            if (name && std::string_view(name->as_string()) == method) return &*one;
        }
        return nullptr;
    }
    [[nodiscard]] const boost::json::value* answer(int id) const {
        for (const auto& one : received) {
            const auto* found = one.as_object().if_contains("id");
            if (found && !one.as_object().contains("method") && found->is_int64() &&
                found->as_int64() == id)
                return &one;
        }
        return nullptr;
    }
};

class FakeWire final : public sessions::Wire {
  public:
    explicit FakeWire(std::shared_ptr<Peer> peer) : peer_(std::move(peer)) {}
    ~FakeWire() override { peer_->observer = nullptr; }
    FakeWire(const FakeWire&) = delete;
    FakeWire& operator=(const FakeWire&) = delete;

    void start(net::WebSocketObserver& observer) override { peer_->observer = &observer; }
    void send(std::string message) override {
        BOOST_REQUIRE(!peer_->closed_with);
        peer_->received.push_back(parse(message));
    }
    void close(std::uint16_t code, std::string_view /*reason*/) override {
        peer_->closed_with = code;
    }
    [[nodiscard]] const std::string& remote_address() const override { return address_; }
    [[nodiscard]] bool is_secure() const override { return false; }

  private:
    std::shared_ptr<Peer> peer_;
    std::string address_ = "127.0.0.1:40000";
};

// The agents' door with all that stands behind it.
struct SessionWorld : World {
    Shards shards{2, clock};
    sessions::SessionRegistry registry{shards};
    sessions::AgentRequests requests;
    SystemRandom bucket_random;
    rpc::CallLimiter calls{clock, bucket_random, settings};
    rotation::Coordinator coordinator{rotation::Coordinator::Parts{.store = store,
                                                                   .master_key = master_key,
                                                                   .clock = clock,
                                                                   .random = random,
                                                                   .settings = settings,
                                                                   .log = log,
                                                                   .agents = registry}};
    sessions::AgentDoor door{sessions::AgentDoor::Parts{.shards = shards,
                                                        .store = store,
                                                        .coordinator = coordinator,
                                                        .settings = settings,
                                                        .clock = clock,
                                                        .random = random,
                                                        .log = log,
                                                        .registry = registry,
                                                        .requests = requests,
                                                        .calls = calls}};

    // Until nobody has anything to do.
    void settle() {
        for (bool busy = true; busy;) {
            busy = !queue.empty();
            queue.run();
            shards.for_each([&](Shard& shard) {
                shard.context().restart();
                if (shard.context().poll() > 0) busy = true;
            });
        }
    }
    // Time passes, tick by tick.
    void pass(Milliseconds time) {
        const SteadyTime end = clock.steady_now() + time;
        while (clock.steady_now() < end) {
            clock.advance(std::min<Milliseconds>(limits::kShardTick, end - clock.steady_now()));
            shards.for_each([](Shard& shard) { shard.tick(); });
            settle();
        }
    }

    Result<sessions::Admission> authenticate(std::string_view token) {
        return visit(token, Moment::of(clock));
    }
    Result<sessions::Admission> visit(std::string_view token, Moment awaited_since,
                                      std::string address = "198.51.100.9") {
        Result<sessions::Admission> result(Error(Code::internal, "not answered"));
        door.authenticate(shards.at(0), {token, std::move(address), awaited_since},
                          [&](Result<sessions::Admission> given) { result = std::move(given); });
        settle();
        return result;
    }
    std::shared_ptr<Peer> adopt(sessions::Admission admission, std::size_t shard = 0) {
        auto peer = std::make_shared<Peer>();
        door.adopt(shards.at(shard), std::make_unique<FakeWire>(peer), std::move(admission));
        return peer;
    }
    // Upgraded, and as far as it comes without the agent.
    std::shared_ptr<Peer> open(const Secret& token, std::size_t shard = 0) {
        auto peer = adopt(authenticate(token.expose()).value(), shard);
        settle();
        return peer;
    }
    void hello(Peer& peer) {
        peer.says(kHello);
        settle();
    }
    // Welcomed and ready.
    std::shared_ptr<Peer> connect(const Secret& token, std::size_t shard = 0) {
        auto peer = open(token, shard);
        hello(*peer);
        return peer;
    }

    static constexpr std::string_view kHello =
        R"({"jsonrpc":"2.0","id":1,"method":"agent.hello","params":{"version":"1.0",)"
        R"("hostname":"box","os":"linux","boot_id":"b","tokens_held":[],"methods":[]}})";
    static constexpr std::string_view kHeartbeat =
        R"({"jsonrpc":"2.0","id":2,"method":"agent.heartbeat",)"
        R"("params":{"status":"ok","uptime_seconds":1,"generation":1}})";
};

}  // namespace rekey::server::testing
