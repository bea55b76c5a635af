#include "server/rotation/reuse.hpp"

#include "base/limits.hpp"

#include <chrono>

namespace rekey::server::rotation {

using storage::AgentStatus;

namespace {

bool is_written(const std::optional<Sighting>& open, const Sighting& sighting) {
    return open && open->generation == sighting.generation && open->address == sighting.address &&
           std::chrono::abs(sighting.seen_at - open->seen_at) < limits::kSightingWindow;
}

// A recovery that is under way closes what its own agent did before it learned of it.
void remember(std::optional<Sighting>& open, const Sighting& sighting) {
    const auto answer = open ? open->answer : std::nullopt;
    open = sighting;
    open->answer = answer;
}

std::uint64_t oldest_live_generation(const Credentials& credentials) {
    if (credentials.previous) return credentials.previous->generation;
    if (credentials.current) return credentials.current->generation;
    return credentials.next_generation;
}

}  // namespace

ReuseVerdict judge_reuse(const Credentials& credentials, const ShownToken& shown) {
    using enum ReuseVerdict;
    if (credentials.status == AgentStatus::revoked) return agent_revoked;
    if (shown.generation < credentials.reuse_floor) return retired_by_act;
    if (shown.clock == WallClock::jumped) return unknown_order;
    const bool before_promotion =
        credentials.current && shown.accepted_at <= credentials.current->issued_at;
    if (shown.accepted_at <= shown.retired_at || before_promotion) return accepted_first;
    return reuse;
}

std::string_view name_of(ReuseVerdict verdict) {
    switch (verdict) {
        case ReuseVerdict::reuse:
            return "reuse";
        case ReuseVerdict::agent_revoked:
            return "agent_revoked";
        case ReuseVerdict::retired_by_act:
            return "retired_by_act";
        case ReuseVerdict::accepted_first:
            return "accepted_first";
        case ReuseVerdict::unknown_order:
            break;
    }
    return "unknown_order";
}

Transition report_reuse(const Credentials& credentials, const Sighting& sighting,
                        protocol::ReusePolicy policy) {
    Transition transition{.after = credentials};
    Credentials& after = transition.after;
    const bool suspends =
        policy == protocol::ReusePolicy::suspend && after.status == AgentStatus::active;
    if (!suspends && is_written(after.reuse, sighting)) return transition;
    transition.action = "token.reuse_detected";
    remember(after.reuse, sighting);
    if (!suspends) return transition;
    after.status = AgentStatus::suspended;
    after.epoch += 1;
    transition.sessions = SessionsAfter::close_suspended;
    return transition;
}

Transition report_contest(const Credentials& credentials, const Sighting& sighting) {
    Transition transition{.after = credentials};
    if (is_written(transition.after.contested, sighting)) return transition;
    transition.action = "agent.contested";
    remember(transition.after.contested, sighting);
    return transition;
}

void answer_sightings(Credentials& credentials, RotationCause cause) {
    if (!credentials.pending) return;
    for (auto* sighting : {&credentials.reuse, &credentials.contested})
        if (*sighting) (*sighting)->answer = {credentials.pending->rotation_id, cause};
}

void close_settled(Credentials& credentials) {
    const auto answered = [&](const std::optional<Sighting>& sighting) {
        return sighting && sighting->answer && credentials.current &&
               sighting->answer->rotation_id == credentials.current->rotation_id;
    };
    if (answered(credentials.reuse)) credentials.reuse.reset();
    auto& contested = credentials.contested;
    if (contested &&
        (answered(contested) || contested->generation < oldest_live_generation(credentials)))
        contested.reset();
}

void forgive(Credentials& credentials) {
    if (credentials.reuse) credentials.reuse_floor = oldest_live_generation(credentials);
    credentials.reuse.reset();
    credentials.contested.reset();
}

void end_evidence(Credentials& credentials) {
    credentials.reuse.reset();
    credentials.contested.reset();
    credentials.reuse_floor = credentials.next_generation;
}

}  // namespace rekey::server::rotation
