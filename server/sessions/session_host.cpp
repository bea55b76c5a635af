#include "server/sessions/session_host.hpp"

#include "base/limits.hpp"
#include "protocol/methods/agent_requests.hpp"
#include "server/sessions/agent_session.hpp"

#include <algorithm>
#include <chrono>

namespace rekey::server::sessions {

namespace {

Milliseconds silence_of(const SettingValues& settings) {
    const double seconds =
        static_cast<double>(settings.heartbeat_seconds) * limits::kSilenceHeartbeats;
    return Milliseconds{static_cast<Milliseconds::rep>(seconds * 1000)};
}

}  // namespace

SessionHost::SessionHost(Shard& shard, AgentDoor::Parts parts, SightingWindow& sightings)
    : shard_(shard),
      parts_(parts),
      sightings_(sightings),
      settings_(parts.settings.snapshot()),
      silence_(silence_of(*settings_)),
      arena_(arena_memory_.data(), arena_memory_.size()),
      flushed_at_(shard.now()),
      drain_began_(flushed_at_) {
    shard.on_tick([this] { tick(); });
}

SessionHost::~SessionHost() {
    for (const auto& session : sessions_)
        parts_.registry.remove(session->agent_id(), session->connection_generation());
}

void SessionHost::adopt(std::unique_ptr<Wire> wire, Admission admission) {
    const std::uint64_t connection = parts_.registry.next_connection();
    auto session =
        std::make_shared<AgentSession>(*this, std::move(wire), std::move(admission), connection);
    sessions_.push_back(session);
    session->begin(std::prev(sessions_.end()));
    if (draining()) session->drain(drain_->window);
}

void SessionHost::forget(List::iterator place) {
    // Lives until the caller is done with it, so it is a copy.
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
    const auto ended = *place;
    sessions_.erase(place);
    seen_last_.emplace_back(ended->agent_id(), wall_time_of(ended->last_frame()));
    // Destroying a session inside one of its own calls would pull the ground from under it.
    shard_.post([this, ended] { finish_drain_if_empty(); });
}

const std::string& SessionHost::heartbeat_result() {
    const Time now = parts_.clock.now();
    if (now != heartbeat_result_at_) {
        heartbeat_result_at_ = now;
        heartbeat_result_ = protocol::encode(protocol::AgentHeartbeat::Result{now});
    }
    return heartbeat_result_;
}

Time SessionHost::wall_time_of(SteadyTime instant) const {
    return parts_.clock.now() - (shard_.now() - instant);
}

void SessionHost::tick() {
    look_at_settings();
    if (shard_.now() - flushed_at_ >= limits::kLastSeenFlush) flush_last_seen();
    if (draining()) drain_some();
}

void SessionHost::look_at_settings() {
    auto now_in_force = parts_.settings.snapshot();
    if (now_in_force == settings_) return;
    const bool changed = now_in_force->heartbeat_seconds != settings_->heartbeat_seconds;
    settings_ = std::move(now_in_force);
    if (!changed) return;
    silence_ = silence_of(*settings_);
    for (const auto& session : sessions_)
        session->push_heartbeat_seconds(settings_->heartbeat_seconds);
}

void SessionHost::flush_last_seen() {
    const SteadyTime since = std::exchange(flushed_at_, shard_.now());
    auto seen = std::exchange(seen_last_, {});
    for (const auto& session : sessions_)
        if (session->last_frame() >= since)
            seen.emplace_back(session->agent_id(), wall_time_of(session->last_frame()));
    for (std::size_t from = 0; from < seen.size(); from += limits::kPageRows) {
        const std::size_t to = std::min(seen.size(), from + limits::kPageRows);
        std::vector<std::pair<std::string, Time>> page(
            std::make_move_iterator(seen.begin() + static_cast<std::ptrdiff_t>(from)),
            std::make_move_iterator(seen.begin() + static_cast<std::ptrdiff_t>(to)));
        // One that is lost is an instant that nobody decides anything by.
        parts_.store.write(
            [page = std::move(page)](storage::Transaction& transaction) {
                return transaction.agents().touch_last_seen(page);
            },
            [](const Result<>&) {});
    }
}

void SessionHost::drain(std::shared_ptr<Drain> drain) {
    if (draining()) return;
    drain_ = std::move(drain);
    drain_began_ = shard_.now();
    for (const auto& session : sessions_) to_drain_.push_back(session);
    drain_some();
    finish_drain_if_empty();
}

// Each session gets its own moment within the window, so that neither the closings here nor the
// reconnects elsewhere come all at once.
void SessionHost::drain_some() {
    const Milliseconds elapsed = shard_.now() - drain_began_;
    const Milliseconds window = drain_->window;
    std::size_t wanted = to_drain_.size();
    if (elapsed < window)
        wanted = to_drain_.size() * static_cast<std::size_t>(elapsed.count()) /
                 static_cast<std::size_t>(window.count());
    for (; drained_ < wanted; ++drained_) {
        const auto session = to_drain_[drained_].lock();
        if (!session) continue;
        const auto left = static_cast<std::uint64_t>(std::max(window - elapsed, {}).count());
        const auto spread = parts_.random.between(0, static_cast<std::uint64_t>(window.count()));
        session->drain(Milliseconds{static_cast<Milliseconds::rep>(left + spread)});
    }
}

void SessionHost::finish_drain_if_empty() {
    if (!draining() || !sessions_.empty() || !drain_->done) return;
    flush_last_seen();
    // Kept, so that nobody is let in from now on; counted once.
    const auto drain = std::make_shared<Drain>();
    drain->window = drain_->window;
    const auto finished = std::exchange(drain_, drain);
    if (--finished->shards_left == 0) finished->done();
}

}  // namespace rekey::server::sessions
