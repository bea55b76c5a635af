#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "net/web_socket.hpp"
#include "server/rotation/coordinator.hpp"
#include "server/rpc/call_limiter.hpp"
#include "server/sessions/registry.hpp"
#include "server/sessions/sighting_window.hpp"
#include "server/settings.hpp"
#include "server/shard.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::server::sessions {

class AgentRequests;
class SessionHost;
struct LookedUp;
class Wire;

// What a token was good for, at the moment it was looked at. Handed from authenticate() to adopt().
struct Admission {
    std::string agent_id;
    std::string name;
    std::uint64_t generation = 0;  // of the token that opened this connection
    std::string rotation_id;
    Bytes32 token_hash{};
    std::uint64_t epoch = 0;
    std::string address;  // of the agent, without the port
};

// An upgrade that asks to be let in.
struct Visit {
    std::string_view token;      // what stood after "Bearer "; empty if there was none
    std::string remote_address;  // without the port
    Moment awaited_since{};      // when the server began to wait for this request
};

// How an agent's connection becomes a session: first the token, before the upgrade, so that a
// refusal is an HTTP status; then the socket. Everything after that is the session's own.
class AgentDoor {
  public:
    struct Parts {
        Shards& shards;
        storage::Store& store;
        rotation::Coordinator& coordinator;
        const LiveSettings& settings;
        const Clock& clock;
        Random& random;
        const Log& log;
        SessionRegistry& registry;
        const AgentRequests& requests;
        rpc::CallLimiter& calls;
    };
    // Before Shards::start. Destroyed after Shards::stop.
    explicit AgentDoor(Parts parts);
    ~AgentDoor();
    AgentDoor(const AgentDoor&) = delete;
    AgentDoor& operator=(const AgentDoor&) = delete;

    // The answer comes later, on `shard`'s thread, after the commit if the token was the pending
    // one (S3), or a retired one that raises the alarm. A token that is good counts as a request of
    // its agent. Errors: `unknown_credential`, `token_expired`, `agent_suspended`, `agent_revoked`,
    // `rate_limited`, `unavailable` (the store, or this process is draining). Neither the work nor
    // the answer tells a stranger whether the agent exists. On `shard`'s thread.
    void authenticate(Shard& shard, const Visit& visit,
                      std::function<void(Result<Admission>)> done);

    // The upgrade is done: makes it a session of `shard`. It is registered first and the row read
    // again before `agent.welcome`, so that a revoke in between is not survived (I4). On `shard`'s
    // thread.
    void adopt(Shard& shard, net::WebSocket socket, Admission admission);
    void adopt(Shard& shard, std::unique_ptr<Wire> wire, Admission admission);

    // Lets nobody in any more; tells every agent when to come back (`agent.reconnect`) and closes
    // it with 4000 at a moment of its own within `window`. `done` comes once all are gone, on any
    // thread. Safe from any thread; the first call counts.
    void drain(Milliseconds window, std::function<void()> done);
    // The same without a window.
    void close_all(std::function<void()> done) { drain(Milliseconds{0}, std::move(done)); }

  private:
    // Somebody holds a token that is no longer accepted: is it an alarm? `done` after the commit.
    void look_at_retired(const LookedUp& found, const Visit& visit, std::function<void()> done);

    Parts parts_;
    SightingWindow sightings_;
    std::vector<std::unique_ptr<SessionHost>> hosts_;  // one a shard
};

}  // namespace rekey::server::sessions
