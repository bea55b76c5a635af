#include "server/rotation/apply.hpp"

#include "protocol/close_codes.hpp"
#include "storage/names.hpp"

#include <utility>

namespace rekey::server::rotation {

namespace {

// What became different, as far as other tables care.
struct Changes {
    bool minted = false;
    bool promoted = false;
    bool activated = false;
};

Changes compare(const Credentials& before, const Credentials& after) {
    Changes changes;
    changes.minted = after.pending &&
                     (!before.pending || before.pending->rotation_id != after.pending->rotation_id);
    changes.promoted = after.current && (!before.current ||
                                         before.current->rotation_id != after.current->rotation_id);
    changes.activated = after.activated_generation != before.activated_generation;
    return changes;
}

template <class Token>
void name_token(boost::json::object& details, const Token& token) {
    details["rotation_id"] = token.rotation_id;
    details["generation"] = token.generation;
}

// Which rotation a transition is about: the one that moved, else the one under way.
void name_rotation(boost::json::object& details, const Credentials& before,
                   const Credentials& after, const Changes& changes) {
    if (changes.promoted || changes.activated)
        name_token(details, *after.current);
    else if (changes.minted)
        name_token(details, *after.pending);
    else if (before.pending)
        name_token(details, *before.pending);
}

// The agent's row forgets this with the pending token.
storage::OfferHistory offers_of(const Credentials& before) {
    if (!before.pending) return {};
    return {.attempts = before.pending->attempts,
            .offered_at = before.pending->offered_at,
            .last_reason = before.pending->last_reason};
}

Result<> write_progress(storage::RotationsTable& rotations, const storage::AgentRow& row,
                        const Changes& changes, const storage::OfferHistory& offers,
                        const Cause& cause, Time now) {
    const Credentials& after = row.credentials;
    if (changes.minted)
        REKEY_TRY(rotations.insert({.rotation_id = after.pending->rotation_id,
                                    .agent_id = row.agent_id,
                                    .generation = after.pending->generation,
                                    .cause = cause.minted_for,
                                    .actor = cause.actor,
                                    .started_at = now}));
    if (changes.promoted)
        REKEY_TRY(rotations.mark_committed(after.current->rotation_id, now, offers));
    if (changes.activated) REKEY_TRY(rotations.mark_activated(after.current->rotation_id, now));
    return {};
}

// "... and says so": what was open and no longer is gets a row of its own.
void audit_closing(storage::Transaction& transaction, const storage::AuditEvent& event,
                   std::string_view action, const std::optional<storage::Sighting>& before,
                   const Credentials& after) {
    storage::AuditEvent closing = event;
    closing.action = std::string(action);
    closing.details = {{"generation", before->generation}, {"address", before->address}};
    const auto& answer = before->answer;
    const bool answered =
        answer && after.current && after.current->rotation_id == answer->rotation_id;
    closing.details["closed_by"] =
        answered ? std::string(name_of(answer->cause)) : std::string(event.action);
    if (answered) closing.details["rotation_id"] = answer->rotation_id;
    transaction.audit().append(std::move(closing));
}

}  // namespace

Cause came_from(std::string agent_id, const std::string& address) {
    Cause cause{.actor = std::move(agent_id)};
    if (!address.empty()) cause.details["address"] = address;
    return cause;
}

Result<> apply(storage::Transaction& transaction, storage::AgentRow& row,
               const Transition& transition, const Cause& cause, Time now) {
    if (!transition.changed()) return {};
    const Changes changes = compare(row.credentials, transition.after);
    storage::AuditEvent event{.time = now,
                              .actor = cause.actor,
                              .action = std::string(transition.action),
                              .subject = row.agent_id,
                              .outcome = "ok",
                              .details = cause.details};
    if (transition.action.starts_with("rotation.") || transition.action.starts_with("recovery."))
        name_rotation(event.details, row.credentials, transition.after, changes);

    const storage::OfferHistory offers = offers_of(row.credentials);
    const auto reuse = row.credentials.reuse;
    const auto contested = row.credentials.contested;
    row.credentials = transition.after;
    row.updated_at = now;
    if (changes.promoted) row.rotation_count += 1;
    REKEY_TRY(transaction.agents().update(row));
    for (const RetiredToken& retired : transition.retired)
        REKEY_TRY(transaction.tombstones().insert({.agent_id = row.agent_id,
                                                   .kind = storage::TombstoneKind::token,
                                                   .hash = retired.hash,
                                                   .generation = retired.generation,
                                                   .retired_at = now}));
    REKEY_TRY(write_progress(transaction.rotations(), row, changes, offers, cause, now));
    if (!transition.ended_rotation_id.empty())
        REKEY_TRY(transaction.rotations().mark_ended(transition.ended_rotation_id, now, offers));
    transaction.audit().append(event);
    if (reuse && !transition.after.reuse)
        audit_closing(transaction, event, "token.reuse_closed", reuse, transition.after);
    if (contested && !transition.after.contested)
        audit_closing(transaction, event, "agent.contest_closed", contested, transition.after);
    return {};
}

void close_sessions(ConnectedAgents& agents, const std::string& agent_id,
                    const Transition& transition) {
    using protocol::CloseCode;
    const auto close_all = [&](CloseCode code) {
        const auto number = static_cast<std::uint16_t>(code);
        agents.close(agent_id, number, protocol::close_name(number), std::nullopt);
    };
    switch (transition.sessions) {
        case SessionsAfter::keep:
            return;
        case SessionsAfter::close_suspended:
            return close_all(CloseCode::suspended);
        case SessionsAfter::close_revoked:
            return close_all(CloseCode::revoked);
        case SessionsAfter::close_retired:
            break;
    }
    const auto number = static_cast<std::uint16_t>(CloseCode::re_authenticate);
    for (const RetiredToken& retired : transition.retired)
        agents.close(agent_id, number, protocol::close_name(number), retired.generation);
}

}  // namespace rekey::server::rotation
