#include "server/sessions/registry.hpp"

#include <algorithm>
#include <utility>

namespace rekey::server::sessions {

SessionRegistry::SessionRegistry(Shards& shards) : shards_(shards) {}

std::uint64_t SessionRegistry::next_connection() { return ++connections_made_; }

SessionRegistry::Stripe& SessionRegistry::stripe_of(std::string_view agent_id) const {
    return stripes_[TextHash{}(agent_id) % kStripes];
}

void SessionRegistry::add(Shard& shard, std::shared_ptr<RegisteredSession> session) {
    const std::string& agent_id = session->agent_id();
    const std::uint64_t connection = session->connection_generation();
    Stripe& stripe = stripe_of(agent_id);
    const std::lock_guard lock(stripe.mutex);
    Entries& entries = stripe.agents.try_emplace(agent_id).first->second;
    // Two shards may draw their numbers in one order and arrive in the other.
    const auto place = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
        return entry.connection > connection;
    });
    entries.insert(place, Entry{std::move(session), &shard, connection, false});
    ++registered_;
}

void SessionRegistry::remove(std::string_view agent_id, std::uint64_t connection) {
    // Released outside of the lock: what a session's end calls may come back here.
    std::shared_ptr<RegisteredSession> ended;
    Stripe& stripe = stripe_of(agent_id);
    const std::lock_guard lock(stripe.mutex);
    const auto agent = stripe.agents.find(agent_id);
    if (agent == stripe.agents.end()) return;
    Entries& entries = agent->second;
    const auto entry = std::find_if(entries.begin(), entries.end(), [&](const Entry& candidate) {
        return candidate.connection == connection;
    });
    if (entry == entries.end()) return;
    if (entry->ready) --ready_;
    ended = std::move(entry->session);
    entries.erase(entry);
    if (entries.empty()) stripe.agents.erase(agent);
    --registered_;
}

void SessionRegistry::set_ready(std::string_view agent_id, std::uint64_t connection, bool ready) {
    Stripe& stripe = stripe_of(agent_id);
    const std::lock_guard lock(stripe.mutex);
    const auto agent = stripe.agents.find(agent_id);
    if (agent == stripe.agents.end()) return;
    for (Entry& entry : agent->second) {
        if (entry.connection != connection || entry.ready == ready) continue;
        entry.ready = ready;
        ready ? ++ready_ : --ready_;
    }
}

std::optional<SessionRegistry::Place> SessionRegistry::older_than(std::string_view agent_id,
                                                                  std::uint64_t connection) const {
    Stripe& stripe = stripe_of(agent_id);
    const std::lock_guard lock(stripe.mutex);
    const auto agent = stripe.agents.find(agent_id);
    if (agent == stripe.agents.end()) return std::nullopt;
    std::optional<Place> older;
    for (const Entry& entry : agent->second)
        if (entry.connection < connection) older = Place{entry.shard, entry.connection};
    return older;
}

std::shared_ptr<RegisteredSession> SessionRegistry::find(std::string_view agent_id,
                                                         std::uint64_t connection) const {
    Stripe& stripe = stripe_of(agent_id);
    const std::lock_guard lock(stripe.mutex);
    const auto agent = stripe.agents.find(agent_id);
    if (agent == stripe.agents.end()) return nullptr;
    for (const Entry& entry : agent->second)
        if (entry.connection == connection) return entry.session;
    return nullptr;
}

std::optional<SessionRegistry::Place> SessionRegistry::ready_of(std::string_view agent_id) const {
    Stripe& stripe = stripe_of(agent_id);
    const std::lock_guard lock(stripe.mutex);
    const auto agent = stripe.agents.find(agent_id);
    if (agent == stripe.agents.end()) return std::nullopt;
    for (const Entry& entry : agent->second)
        if (entry.ready) return Place{entry.shard, entry.connection};
    return std::nullopt;
}

bool SessionRegistry::connected(std::string_view agent_id) const {
    return ready_of(agent_id).has_value();
}

std::optional<SteadyTime> SessionRegistry::last_frame(std::string_view agent_id) const {
    const Stripe& stripe = stripe_of(agent_id);
    const std::lock_guard lock(stripe.mutex);
    const auto agent = stripe.agents.find(agent_id);
    if (agent == stripe.agents.end()) return std::nullopt;
    // Under the lock, because that is what keeps the session alive here.
    for (const Entry& entry : agent->second)
        if (entry.ready) return entry.session->last_frame();
    return std::nullopt;
}

std::size_t SessionRegistry::count() const { return ready_; }

std::size_t SessionRegistry::connections() const { return registered_; }

void SessionRegistry::with(std::string_view agent_id,
                           std::function<void(rotation::AgentLink&)> action,
                           std::function<void()> absent) {
    const auto place = ready_of(agent_id);
    if (!place) {
        if (absent) absent();
        return;
    }
    // Only numbers travel: a session is held, and so destroyed, on its own thread alone.
    place->shard->post([this, id = std::string(agent_id), connection = place->connection,
                        action = std::move(action), absent = std::move(absent)]() mutable {
        const auto still = ready_of(id);
        const auto session = find(id, connection);
        if (still && still->connection == connection && session) return action(*session);
        // It ended on the way; a newer one may have come.
        with(id, std::move(action), std::move(absent));
    });
}

void SessionRegistry::for_each(std::function<void(rotation::AgentLink&)> action) {
    using Names = std::vector<std::pair<std::string, std::uint64_t>>;
    std::vector<Names> names(shards_.size());
    for (const Stripe& stripe : stripes_) {
        const std::lock_guard lock(stripe.mutex);
        for (const auto& [agent_id, entries] : stripe.agents)
            for (const Entry& entry : entries)
                if (entry.ready)
                    names[entry.shard->index()].emplace_back(agent_id, entry.connection);
    }
    for (std::size_t index = 0; index < names.size(); ++index) {
        if (names[index].empty()) continue;
        shards_.at(index).post([this, action, chosen = std::move(names[index])] {
            for (const auto& [agent_id, connection] : chosen)
                if (const auto session = find(agent_id, connection)) action(*session);
        });
    }
}

void SessionRegistry::close(std::string_view agent_id, std::uint16_t code, std::string_view reason,
                            std::optional<std::uint64_t> bound_to) {
    if (!bound_to && all_closed_) all_closed_(agent_id, code);
    std::vector<Place> places;
    {
        Stripe& stripe = stripe_of(agent_id);
        const std::lock_guard lock(stripe.mutex);
        const auto agent = stripe.agents.find(agent_id);
        if (agent == stripe.agents.end()) return;
        for (const Entry& entry : agent->second) places.push_back({entry.shard, entry.connection});
    }
    for (const Place& place : places)
        place.shard->post([this, id = std::string(agent_id), connection = place.connection, code,
                           text = std::string(reason), bound_to] {
            const auto session = find(id, connection);
            if (!session || (bound_to && session->bound_generation() != *bound_to)) return;
            session->close(code, text);
        });
}

void SessionRegistry::describe(std::string_view agent_id,
                               const std::function<void(std::optional<SessionFacts>)>& answer) {
    const auto place = ready_of(agent_id);
    if (!place) return answer(std::nullopt);
    place->shard->post([this, id = std::string(agent_id), connection = place->connection, answer] {
        const auto session = find(id, connection);
        answer(session ? std::optional(session->facts()) : std::nullopt);
    });
}

}  // namespace rekey::server::sessions
