#include "server/methods/agent_findings.hpp"

#include "base/time_format.hpp"
#include "server/methods/agent_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace rekey::server::methods {
namespace {

using protocol::Finding;
using protocol::FindingLevel;
using storage::AgentStatus;
using Findings = std::vector<Finding>;

std::string_view address_of(const std::string& address) {
    return address.empty() ? std::string_view("an unknown address") : std::string_view(address);
}

std::string detail(const storage::AuditEvent& event, std::string_view name) {
    const auto* value = event.details.if_contains({name.data(), name.size()});
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

bool has_suspended(const storage::AuditEvent& event) {
    if (event.action == "agent.suspended") return true;
    const auto* suspended = event.details.if_contains("suspended");
    return event.action == "token.reuse_detected" && suspended != nullptr && suspended->is_bool() &&
           suspended->get_bool();
}

// Suspended or revoked: by whom, as far as the audit trail still tells in its newest rows.
void add_status(Findings& found, const Evidence& evidence) {
    const AgentStatus status = evidence.row.credentials.status;
    if (status == AgentStatus::active) return;
    const bool revoked = status == AgentStatus::revoked;
    const auto event = std::ranges::find_if(evidence.recent, [&](const auto& candidate) {
        return revoked ? candidate.action == "agent.revoked" : has_suspended(candidate);
    });
    Finding finding{.name = revoked ? "revoked" : "suspended", .level = FindingLevel::problem};
    finding.text = revoked ? "it is revoked: no token of it is ever accepted again"
                           : "it is suspended: its tokens are kept and refused";
    finding.advice = revoked ? "create another agent if its machine is to come back"
                             : "rekeyctl agents reactivate lets it in again";
    if (event != evidence.recent.end()) {
        finding.since = event->time;
        const std::string reason = detail(*event, "reason");
        if (event->action == "token.reuse_detected")
            finding.text += ", by reuse_policy = suspend, as a retired token of it was shown";
        else
            finding.text += fmt::format(", by {}{}", event->actor,
                                        reason.empty() ? "" : fmt::format(" (\"{}\")", reason));
    }
    found.push_back(std::move(finding));
}

void add_sightings(Findings& found, const Evidence& evidence) {
    const auto& credentials = evidence.row.credentials;
    const auto underway = [](const storage::Sighting& sighting) {
        return sighting.answer ? "; it closes when the token under way is taken" : "";
    };
    if (const auto& reuse = credentials.reuse)
        found.push_back(
            {.name = "reuse_detected",
             .level = FindingLevel::alarm,
             .text = fmt::format(
                 "its retired token of generation {} was shown from {}, while its holder was last "
                 "at {}: somebody has a copy of its state file, or its machine was rolled back to "
                 "a snapshot{}",
                 reuse->generation, address_of(reuse->address), address_of(reuse->holder_address),
                 underway(*reuse)),
             .advice = "find out who is at the first address; a machine that was rolled back comes "
                       "back by recovery, which closes this; against a thief: rekeyctl rotate "
                       "--force, which closes it too, or a new enrollment",
             .since = reuse->seen_at});
    if (const auto& contest = credentials.contested)
        found.push_back(
            {.name = "contested",
             .level = FindingLevel::alarm,
             .text = fmt::format(
                 "its token of generation {} has two live holders: the one at {} answers and is "
                 "kept, the one at {} is refused{}",
                 contest->generation, address_of(contest->holder_address),
                 address_of(contest->address), underway(*contest)),
             .advice = "find the second copy of its state file and stop it; then rekeyctl rotate: "
                       "this is over when the contested token is retired",
             .since = contest->seen_at});
}

void add_connection(Findings& found, const Evidence& evidence) {
    const storage::AgentRow& row = evidence.row;
    if (const auto& session = evidence.session) {
        found.push_back({.name = "connected",
                         .level = FindingLevel::ok,
                         .text = fmt::format("it is connected from {}, with generation {}",
                                             session->remote_address, session->bound_generation),
                         .advice = {},
                         .since = session->connected_at});
        return;
    }
    const auto& credentials = row.credentials;
    if (!credentials.current && !credentials.pending) {
        const bool once = has_enrolled(row);
        found.push_back(
            {.name = once ? "no_tokens" : "not_enrolled",
             .level = once ? FindingLevel::problem : FindingLevel::waiting,
             .text = once ? "it enrolled once, and no token of it is accepted any more"
                          : "it has not enrolled yet",
             .advice = once ? "it comes back by recovery with its identity key; else rekeyctl "
                              "enroll-code lets it enroll again"
                            : "rekeyctl enroll-code makes the join string that it enrolls with",
             .since = {}});
        return;
    }
    if (!credentials.current) {
        found.push_back({.name = "never_connected",
                         .level = FindingLevel::waiting,
                         .text = "it has enrolled, and has not connected since",
                         .advice = "start its daemon: rekey-agent run",
                         .since = row.enrolled_at});
        return;
    }
    found.push_back({.name = "offline",
                     .level = FindingLevel::problem,
                     .text = fmt::format("it has no connection; it was last at {}",
                                         address_of(row.last_address)),
                     .advice = "look at its daemon's log: it says why it cannot connect",
                     .since = row.last_seen_at});
}

void add_expiry(Findings& found, const Evidence& evidence) {
    const auto& current = evidence.row.credentials.current;
    if (!current || !current->expires_at || *current->expires_at > evidence.now) return;
    if (evidence.session) return;
    found.push_back(
        {.name = "token_expired",
         .level = FindingLevel::problem,
         .text = fmt::format("its token of generation {} is expired", current->generation),
         .advice = "it comes back by recovery, when it is started",
         .since = current->expires_at});
}

void add_rotation(Findings& found, const Evidence& evidence) {
    const auto& credentials = evidence.row.credentials;
    if (const auto& pending = credentials.pending; pending && credentials.current) {
        const bool failing = !pending->last_reason.empty();
        const auto next = rotation::next_offer_at(credentials, evidence.policy, 1);
        std::string text =
            fmt::format("generation {} is offered, {} time{} so far", pending->generation,
                        pending->attempts, pending->attempts == 1 ? "" : "s");
        if (failing) text += fmt::format("; the last one ended with {}", pending->last_reason);
        text += evidence.session ? fmt::format("; the next one is due by {}", to_rfc3339(*next))
                                 : "; the next one comes when it connects";
        found.push_back({.name = failing ? "rotation_failing" : "rotation_pending",
                         .level = failing ? FindingLevel::problem : FindingLevel::waiting,
                         .text = std::move(text),
                         .advice = failing ? std::optional<std::string>(
                                                 "its own log says more; a token that was offered "
                                                 "is never withdrawn, so nothing is lost")
                                           : std::nullopt,
                         .since = pending->offered_at});
    }
    if (const auto& wish = credentials.requested)
        found.push_back({.name = "rotation_waiting",
                         .level = FindingLevel::waiting,
                         .text = "a rotation was asked for and begins at its next connect",
                         .advice = {},
                         .since = wish->requested_at});
    if (rotation::commit_outstanding(credentials))
        found.push_back({.name = "not_activated",
                         .level = FindingLevel::waiting,
                         .text = fmt::format(
                             "it has proven generation {} and not yet said that it confirmed it: "
                             "it is asked again, and both tokens are accepted until then",
                             credentials.current->generation),
                         .advice = {},
                         .since = credentials.current->issued_at});
    else if (const auto& previous = credentials.previous; previous && previous->retire_after)
        found.push_back({.name = "in_grace",
                         .level = FindingLevel::ok,
                         .text = fmt::format("generation {} is accepted beside {} until {}",
                                             previous->generation, credentials.current->generation,
                                             to_rfc3339(*previous->retire_after)),
                         .advice = {},
                         .since = {}});
}

}  // namespace

Findings findings(const Evidence& evidence) {
    Findings found;
    add_sightings(found, evidence);
    add_status(found, evidence);
    // Of a revoked agent nothing else matters any more.
    if (evidence.row.credentials.status != AgentStatus::revoked) {
        add_expiry(found, evidence);
        add_connection(found, evidence);
        add_rotation(found, evidence);
    }
    // Not std::stable_sort: clang 19 warns of the buffer that it takes in this standard library.
    Findings gravest_first;
    for (const auto level :
         {FindingLevel::alarm, FindingLevel::problem, FindingLevel::waiting, FindingLevel::ok}) {
        const auto of_level = [level](const Finding& one) { return one.level == level; };
        std::ranges::copy_if(found, std::back_inserter(gravest_first), of_level);
    }
    return gravest_first;
}

}  // namespace rekey::server::methods
