#include "server/methods/agent_view.hpp"

#include "base/encoding.hpp"
#include "server/methods/parts.hpp"

namespace rekey::server::methods {
namespace {

protocol::AgentStatus to_wire(storage::AgentStatus status) {
    switch (status) {
        case storage::AgentStatus::active:
            return protocol::AgentStatus::active;
        case storage::AgentStatus::suspended:
            return protocol::AgentStatus::suspended;
        case storage::AgentStatus::revoked:
            break;
    }
    return protocol::AgentStatus::revoked;
}

protocol::SessionView show(const sessions::SessionFacts& facts, const storage::AgentRow& row) {
    protocol::SessionView view;
    view.connected_at = facts.connected_at;
    view.address = facts.remote_address;
    view.version = row.version;
    view.hostname = row.hostname;
    view.os = facts.os;
    view.generation = facts.bound_generation;
    view.methods = facts.methods;
    return view;
}

}  // namespace

Presence presence_of(const Parts& parts, std::string_view agent_id) {
    const auto heard = parts.sessions.last_frame(agent_id);
    if (!heard) return {};
    const auto ago = std::chrono::duration_cast<Milliseconds>(parts.clock.steady_now() - *heard);
    return {true, parts.clock.now() - ago};
}

bool has_enrolled(const storage::AgentRow& row) {
    return row.enrolled_at.has_value() || row.identity_public_key.has_value();
}

protocol::AgentSummary summarise(const storage::AgentRow& row, const Presence& presence) {
    const storage::Credentials& credentials = row.credentials;
    protocol::AgentSummary view;
    view.agent_id = row.agent_id;
    view.name = row.name;
    view.type = row.type;
    view.status = to_wire(credentials.status);
    view.enrolled = has_enrolled(row);
    view.connected = presence.connected;
    if (!row.owner.empty()) view.owner = row.owner;
    view.labels = row.labels;
    view.created_at = row.created_at;
    view.last_seen_at = presence.heard_at ? presence.heard_at : row.last_seen_at;
    view.generation = credentials.current ? credentials.current->generation : 0;
    view.activated_generation = credentials.activated_generation;
    if (credentials.current) view.token_expires_at = credentials.current->expires_at;
    view.row_version = row.row_version;
    if (credentials.pending) {
        view.pending = protocol::PendingRotation{credentials.pending->rotation_id,
                                                 credentials.pending->generation};
    }
    return view;
}

protocol::AgentDetail describe(const storage::AgentRow& row, const Presence& presence,
                               const std::optional<sessions::SessionFacts>& session) {
    const storage::Credentials& credentials = row.credentials;
    protocol::AgentDetail view;
    view.summary = summarise(row, presence);
    view.metadata = row.metadata;
    view.enrolled_at = row.enrolled_at;
    view.rotate_at = credentials.rotate_at;
    view.rotation_count = row.rotation_count;
    if (credentials.current) view.token_issued_at = credentials.current->issued_at;
    if (credentials.previous) {
        view.previous_generation = credentials.previous->generation;
        view.previous_retire_after = credentials.previous->retire_after;
    }
    if (row.identity_public_key) view.identity_key = to_base64url(*row.identity_public_key);
    if (session) view.session = show(*session, row);
    return view;
}

}  // namespace rekey::server::methods
