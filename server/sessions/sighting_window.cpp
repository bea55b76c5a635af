#include "server/sessions/sighting_window.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <utility>

namespace rekey::server::sessions {

bool SightingWindow::is_new(std::string_view agent_id, Seen seen, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    const auto over = [now](const Agent& agent) {
        return now - agent.since >= limits::kSightingWindow;
    };
    auto found = agents_.find(std::string(agent_id));
    if (found == agents_.end()) {
        if (agents_.size() >= limits::kSightingAgents)
            std::erase_if(agents_, [&](const auto& entry) { return over(entry.second); });
        if (agents_.size() >= limits::kSightingAgents) agents_.erase(agents_.begin());
        found = agents_.emplace(agent_id, Agent{now, {}}).first;
    }
    Agent& agent = found->second;
    if (over(agent)) agent = {now, {}};
    if (std::ranges::find(agent.seen, seen) != agent.seen.end()) return false;
    if (agent.seen.size() >= limits::kSightingsAnAgent) return false;
    agent.seen.push_back(std::move(seen));
    return true;
}

void SightingWindow::forget(std::string_view agent_id) {
    const std::lock_guard lock(mutex_);
    agents_.erase(std::string(agent_id));
}

std::string without_port(std::string_view address) {
    if (address.starts_with('[')) return std::string(address.substr(1, address.find(']') - 1));
    const auto colon = address.find(':');
    // More than one colon: an IPv6 address that has no port.
    if (address.find(':', colon + 1) != std::string_view::npos) return std::string(address);
    return std::string(address.substr(0, colon));
}

}  // namespace rekey::server::sessions
