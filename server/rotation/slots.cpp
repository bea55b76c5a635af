#include "server/rotation/coordinator_state.hpp"

// rotation_concurrency: how many offers may wait for their answers. What a connect finds is offered
// at once and only counted, because the agent may stand before its last token; everybody else waits
// for a place, first those whose token is minted already.
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

void Coordinator::State::queue_offer(Offer offer) {
    {
        const std::lock_guard lock(waiting_mutex);
        queued_generations[offer.agent_id] = offer.generation;
        queued.push_back(std::move(offer));
    }
    serve_waiting();
}

std::optional<Offer> Coordinator::State::next_queued() {
    while (!queued.empty()) {
        Offer offer = std::move(queued.front());
        queued.pop_front();
        const auto known = queued_generations.find(offer.agent_id);
        if (known == queued_generations.end() || known->second != offer.generation) continue;
        queued_generations.erase(known);
        return offer;
    }
    return std::nullopt;
}

void Coordinator::State::forget_queued(const std::string& agent_id) {
    const std::lock_guard lock(waiting_mutex);
    queued_generations.erase(agent_id);
}

RotationStatus Coordinator::State::pending_status(std::string_view agent_id,
                                                  const storage::PendingToken& pending) {
    if (!parts.agents.connected(agent_id)) return RotationStatus::at_next_connect;
    {
        const std::lock_guard lock(waiting_mutex);
        const auto found = queued_generations.find(std::string(agent_id));
        if (found != queued_generations.end() && found->second == pending.generation)
            return RotationStatus::queued;
    }
    return pending.last_reason.empty() ? RotationStatus::offered : RotationStatus::failing;
}

void Coordinator::State::serve_waiting() {
    SlotPtr slot;
    while (!stopped) {
        std::string agent_id;
        std::optional<Offer> offer;
        {
            const std::lock_guard lock(waiting_mutex);
            if (queued.empty() && waiting.empty()) return;
            if (!slot) slot = try_slot();
            if (!slot) return;
            offer = next_queued();
            if (offer) {
                agent_id = offer->agent_id;
            } else if (!waiting.empty()) {
                agent_id = std::move(waiting.front());
                waiting.pop_front();
                waiting_names.erase(agent_id);
            }
        }
        // The place stays for the next one: giving it back here would come back here.
        if (!parts.agents.connected(agent_id)) continue;
        if (offer) {
            offer_soon(*std::move(offer), std::exchange(slot, nullptr));
            continue;
        }
        parts.agents.with(agent_id,
                          [self = shared_from_this(), taken = std::exchange(slot, nullptr)](
                              AgentLink& link) { self->attend(link, Occasion::tick, taken); },
                          {});
    }
}

}  // namespace rekey::server::rotation
