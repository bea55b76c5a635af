#pragma once

#include "base/clock.hpp"
#include "server/rotation/agent_link.hpp"
#include "server/shard.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rekey::server::sessions {

// What an admin may know about a session.
struct SessionFacts {
    std::uint64_t connection_generation = 0;
    std::uint64_t bound_generation = 0;
    Time connected_at{};
    Time last_seen_at{};
    std::string remote_address;  // with the port
    bool secure = false;
    std::string os;                    // as agent.hello said
    std::vector<std::string> methods;  // what it serves to agents.call
};

// What the registry keeps: a session, alive for as long as it is registered.
class RegisteredSession : public rotation::AgentLink {
  public:
    [[nodiscard]] virtual SessionFacts facts() const = 0;
    // When something arrived last. Safe from any thread.
    [[nodiscard]] virtual SteadyTime last_frame() const = 0;
    // Somebody else came with this agent's token. Tells, once, within
    // limits::kSupersedePingTimeout, whether this peer still lives.
    enum class Life : std::uint8_t { answers, silent };
    virtual void probe(std::function<void(Life)> answer) = 0;
};

// All sessions of the process. An agent has at most one that is ready (welcomed, hello answered);
// newer ones may stand behind it until it is known whether it lives. Safe from any thread; a
// session is touched on its own shard's thread only.
class SessionRegistry final : public rotation::ConnectedAgents {
  public:
    // Where a connection lives: a number that its shard's thread looks up with find().
    struct Place {
        Shard* shard;
        std::uint64_t connection;
    };

    explicit SessionRegistry(Shards& shards);

    // Grows with each connection of the process; never 0.
    [[nodiscard]] std::uint64_t next_connection();

    // On the session's shard. It stays alive until remove().
    void add(Shard& shard, std::shared_ptr<RegisteredSession> session);
    // Ends one connection, and never a newer one of the same agent (I17).
    void remove(std::string_view agent_id, std::uint64_t connection);
    // From now on with() and connected() find it, or no longer do.
    void set_ready(std::string_view agent_id, std::uint64_t connection, bool ready);

    // The newest connection of this agent that is older than `connection`.
    [[nodiscard]] std::optional<Place> older_than(std::string_view agent_id,
                                                  std::uint64_t connection) const;
    // The session, if it is still registered. On its own shard's thread only.
    [[nodiscard]] std::shared_ptr<RegisteredSession> find(std::string_view agent_id,
                                                          std::uint64_t connection) const;

    [[nodiscard]] bool connected(std::string_view agent_id) const override;
    // When the agent's ready session heard something last; empty if there is none.
    [[nodiscard]] std::optional<SteadyTime> last_frame(std::string_view agent_id) const;
    // Sessions that are ready.
    [[nodiscard]] std::size_t count() const override;
    void with(std::string_view agent_id, std::function<void(rotation::AgentLink&)> action,
              std::function<void()> absent) override;
    void for_each(std::function<void(rotation::AgentLink&)> action) override;
    void close(std::string_view agent_id, std::uint16_t code, std::string_view reason,
               std::optional<std::uint64_t> bound_to) override;
    // Told, on the thread of close(), whenever everything of an identity is closed, so that what
    // stands beside its sessions (an admin's sockets) ends with them. Set once, before any thread
    // of `shards` runs.
    using Closed = std::function<void(std::string_view agent_id, std::uint16_t code)>;
    void when_all_close(Closed closed) { all_closed_ = std::move(closed); }

    // For agents.get: comes on the session's thread, or at once with nothing.
    void describe(std::string_view agent_id,
                  const std::function<void(std::optional<SessionFacts>)>& answer);
    // Every registered connection, ready or not; decreases to 0 while draining.
    [[nodiscard]] std::size_t connections() const;

  private:
    struct Entry {
        std::shared_ptr<RegisteredSession> session;
        Shard* shard = nullptr;
        std::uint64_t connection = 0;
        bool ready = false;
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    // Oldest first; more than one only while a newer connection waits.
    using Entries = std::vector<Entry>;
    struct Stripe {
        mutable std::mutex mutex;
        std::unordered_map<std::string, Entries, TextHash, std::equal_to<>> agents;
    };
    static constexpr std::size_t kStripes = 64;

    [[nodiscard]] Stripe& stripe_of(std::string_view agent_id) const;
    [[nodiscard]] std::optional<Place> ready_of(std::string_view agent_id) const;

    Shards& shards_;
    Closed all_closed_;
    std::atomic<std::uint64_t> connections_made_{0};
    std::atomic<std::size_t> ready_{0};
    std::atomic<std::size_t> registered_{0};
    mutable std::array<Stripe, kStripes> stripes_;
};

}  // namespace rekey::server::sessions
