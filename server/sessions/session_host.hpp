#pragma once

#include "server/sessions/agent_door.hpp"
#include "server/sessions/wire.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rekey::server::sessions {

class AgentSession;

// A drain that is under way; shared by all shards.
struct Drain {
    Milliseconds window{};
    std::function<void()> done;
    std::atomic<std::size_t> shards_left{0};
};

// What the agents' sessions of one shard share: the parts they are made of, the arena that their
// messages are parsed in, and the work that is done for all of them at once. One thread: the
// shard's.
class SessionHost {
  public:
    using List = std::list<std::shared_ptr<AgentSession>>;

    SessionHost(Shard& shard, AgentDoor::Parts parts, SightingWindow& sightings);
    ~SessionHost();
    SessionHost(const SessionHost&) = delete;
    SessionHost& operator=(const SessionHost&) = delete;

    // Makes a session, which registers itself and greets its agent.
    void adopt(std::unique_ptr<Wire> wire, Admission admission);
    // The session's socket is gone; destroys the session.
    void forget(List::iterator place);

    // Once a shard tick: pushes changed settings, writes what was last seen, goes on draining.
    void tick();
    void drain(std::shared_ptr<Drain> drain);
    [[nodiscard]] bool draining() const { return drain_ != nullptr; }

    [[nodiscard]] Shard& shard() { return shard_; }
    [[nodiscard]] const AgentDoor::Parts& parts() const { return parts_; }
    [[nodiscard]] SightingWindow& sightings() { return sightings_; }
    [[nodiscard]] const SettingValues& settings() const { return *settings_; }
    // After so much silence a peer is given up.
    [[nodiscard]] Milliseconds silence() const { return silence_; }
    // For one message at a time: reset before the next one is parsed.
    [[nodiscard]] boost::json::monotonic_resource& arena() { return arena_; }

    // The answer to a heartbeat at this moment, as JSON. Written once a millisecond, whoever asks.
    [[nodiscard]] const std::string& heartbeat_result();

    // A frame's instant on the wall clock, without having asked for it at each frame.
    [[nodiscard]] Time wall_time_of(SteadyTime instant) const;

  private:
    void look_at_settings();
    void flush_last_seen();
    void drain_some();
    void finish_drain_if_empty();

    Shard& shard_;
    AgentDoor::Parts parts_;
    SightingWindow& sightings_;
    std::shared_ptr<const SettingValues> settings_;
    Milliseconds silence_{};
    std::array<unsigned char, 16UL * 1024UL> arena_memory_{};
    boost::json::monotonic_resource arena_;
    Time heartbeat_result_at_{};
    std::string heartbeat_result_;
    List sessions_;

    SteadyTime flushed_at_;
    std::vector<std::pair<std::string, Time>> seen_last_;  // of those that have gone

    std::shared_ptr<Drain> drain_;
    SteadyTime drain_began_;
    std::vector<std::weak_ptr<AgentSession>> to_drain_;
    std::size_t drained_ = 0;
};

}  // namespace rekey::server::sessions
