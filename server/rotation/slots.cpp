#include "server/rotation/coordinator_state.hpp"

// rotation_concurrency: how many offers may wait for their answers. What an admin started or a
// connect found is offered at once and only counted; the schedule and the retries wait for a place.
namespace rekey::server::rotation {

SlotPtr Coordinator::State::take_slot() {
    ++offers_in_flight;
    return std::make_shared<OfferSlot>(shared_from_this());
}

SlotPtr Coordinator::State::try_slot() {
    const auto limit = static_cast<std::size_t>(parts.settings.snapshot()->rotation_concurrency);
    std::size_t taken = offers_in_flight;
    do {
        if (taken >= limit) return nullptr;
    } while (!offers_in_flight.compare_exchange_weak(taken, taken + 1));
    return std::make_shared<OfferSlot>(shared_from_this());
}

void Coordinator::State::release_slot() {
    --offers_in_flight;
    serve_waiting();
}

void Coordinator::State::wait_for_slot(const std::string& agent_id) {
    {
        const std::lock_guard lock(waiting_mutex);
        if (waiting_names.insert(agent_id).second) waiting.push_back(agent_id);
    }
    // A place that became free between the attempt and the entry has served nobody.
    serve_waiting();
}

void Coordinator::State::serve_waiting() {
    SlotPtr slot;
    while (!stopped) {
        std::string agent_id;
        {
            const std::lock_guard lock(waiting_mutex);
            if (waiting.empty()) return;
            if (!slot) slot = try_slot();
            if (!slot) return;
            agent_id = std::move(waiting.front());
            waiting.pop_front();
            waiting_names.erase(agent_id);
        }
        // The place stays for the next one: giving it back here would come back here.
        if (!parts.agents.connected(agent_id)) continue;
        parts.agents.with(agent_id,
                          [self = shared_from_this(), taken = std::exchange(slot, nullptr)](
                              AgentLink& link) { self->attend(link, Occasion::tick, taken); },
                          {});
    }
}

}  // namespace rekey::server::rotation
