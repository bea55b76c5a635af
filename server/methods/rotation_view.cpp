#include "server/methods/rotation_view.hpp"

#include "storage/names.hpp"

namespace rekey::server::methods {

protocol::RotationStatus to_wire(rotation::RotationStatus status) {
    switch (status) {
        case rotation::RotationStatus::at_next_connect:
            return protocol::RotationStatus::at_next_connect;
        case rotation::RotationStatus::queued:
            return protocol::RotationStatus::queued;
        case rotation::RotationStatus::offered:
            return protocol::RotationStatus::offered;
        case rotation::RotationStatus::failing:
            return protocol::RotationStatus::failing;
        case rotation::RotationStatus::committed:
            return protocol::RotationStatus::committed;
        case rotation::RotationStatus::activated:
            return protocol::RotationStatus::activated;
        case rotation::RotationStatus::ended:
            break;
    }
    return protocol::RotationStatus::ended;
}

namespace {

void show(protocol::RotationView& view, const storage::OfferHistory& offers) {
    view.attempts = offers.attempts;
    view.offered_at = offers.offered_at;
    if (!offers.last_reason.empty()) view.last_reason = offers.last_reason;
}

}  // namespace

Result<protocol::RotationView> view_rotation(storage::Transaction& transaction,
                                             const storage::RotationRow& row,
                                             const rotation::Coordinator& coordinator) {
    protocol::RotationView view;
    view.agent_id = row.agent_id;
    view.rotation_id = row.rotation_id;
    view.generation = row.generation;
    view.cause = std::string(storage::name_of(row.cause));
    view.actor = row.actor;
    view.started_at = row.started_at;
    view.committed_at = row.committed_at;
    view.activated_at = row.activated_at;
    show(view, row.offers);
    if (row.activated_at) {
        view.status = protocol::RotationStatus::activated;
        return view;
    }
    if (row.committed_at) {
        view.status = protocol::RotationStatus::committed;
        return view;
    }
    view.status = protocol::RotationStatus::ended;
    if (row.ended_at) return view;
    REKEY_TRY_ASSIGN(agent, transaction.agents().find(row.agent_id));
    const auto& pending = agent.credentials.pending;
    if (!pending || pending->rotation_id != row.rotation_id) return view;
    view.status = to_wire(coordinator.pending_status(row.agent_id, *pending));
    show(view, {pending->attempts, pending->offered_at, pending->last_reason});
    return view;
}

}  // namespace rekey::server::methods
