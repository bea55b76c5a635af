#include "server/rotation/attention.hpp"

#include <algorithm>

namespace rekey::server::rotation {

Time attend_at(const Credentials& credentials, const Policy& policy, double jitter) {
    // The commit is sent again at every tick.
    if (commit_outstanding(credentials)) return Time::min();
    if (credentials.pending) return *next_offer_at(credentials, policy, jitter);
    if (!credentials.current) return Time::max();
    Time at = Time::min();
    if (!credentials.requested && credentials.current->expires_at && credentials.rotate_at)
        at = *credentials.rotate_at;
    // Nothing begins within the grace of the last rotation.
    if (credentials.previous && credentials.previous->retire_after)
        at = std::max(at, *credentials.previous->retire_after);
    return at;
}

Attention attention(const Credentials& credentials, const Policy& policy, Occasion occasion,
                    double jitter, Time now) {
    Attention result;
    if (credentials.status != storage::AgentStatus::active) return result;
    if (commit_outstanding(credentials))
        result.commit = {credentials.current->rotation_id, credentials.current->generation};
    // The hint was drawn with a jitter; the earliest moment that a draw can give is allowed here.
    const auto offer_from = next_offer_at(credentials, policy, 0);
    if (offer_from && (occasion == Occasion::connect || now >= *offer_from))
        result.offer = credentials.pending->generation;
    result.begin = due(credentials, now);
    result.attend_at = attend_at(credentials, policy, jitter);
    return result;
}

}  // namespace rekey::server::rotation
