#pragma once

#include "server/rotation/coordinator_state.hpp"

namespace rekey::server::rotation {

// An agent.rotate that waits for its answer, or whose answer may still come late. It belongs to its
// session, and so never outlives the link.
struct Coordinator::State::OfferCall {
    std::shared_ptr<State> state;
    AgentLink* link = nullptr;
    std::string rotation_id;
    std::uint64_t generation = 0;
    std::uint32_t attempts = 0;
    SlotPtr slot;
};

}  // namespace rekey::server::rotation
