#pragma once

#include "base/clock.hpp"
#include "protocol/settings.hpp"
#include "server/rotation/transitions.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// When is a token that comes back a theft, and when an honest agent's slow network? Pure, as the
// transitions are. docs/rotation.md says why each answer is what it is.
namespace rekey::server::rotation {

using storage::Sighting;

// The clock that stamped both instants of a ShownToken: a jump between them makes their order
// meaningless.
enum class WallClock : std::uint8_t { steady, jumped };

// Somebody showed a token that is no longer accepted: its tombstone, and when the server accepted
// the connection that it came by.
struct ShownToken {
    std::uint64_t generation = 0;
    Time retired_at{};
    Time accepted_at{};
    WallClock clock = WallClock::steady;
};

enum class ReuseVerdict : std::uint8_t {
    reuse,
    agent_revoked,   // nothing is left to protect
    retired_by_act,  // an enrollment or an admin ended it, and no newer token was followed
    accepted_first,  // the connection was there before the retirement, or before the newest
                     // promotion: a request that was on its way meanwhile
    unknown_order,   // the clock jumped while the connection waited
};

// I18: `reuse` is never said of a single holder whose storage does not go back in time. Such an
// agent chooses its token after the TLS handshake, and so after the server has accepted the
// connection; and it chooses an older one only after `unknown_credential` for every newer one.
[[nodiscard]] ReuseVerdict judge_reuse(const Credentials& credentials, const ShownToken& shown);
[[nodiscard]] std::string_view name_of(ReuseVerdict verdict);

// The alarm: the row remembers the newest sighting. Unchanged when it is open already for the same
// token and address, and that was seen less than limits::kSightingWindow ago. With
// ReusePolicy::suspend an active agent is suspended by the same transition.
[[nodiscard]] Transition report_reuse(const Credentials& credentials, const Sighting& sighting,
                                      protocol::ReusePolicy policy);

// A live token came by a second connection while the first one answers. Unchanged as above.
[[nodiscard]] Transition report_contest(const Credentials& credentials, const Sighting& sighting);

// What is open is closed once this minting is promoted, because only one holder follows it: called
// on the row that a recovery or an emergency has handed the pending token out for. Nothing changes
// when nothing is open.
void answer_sightings(Credentials& credentials, RotationCause cause);

// Part of every promotion and retirement: closes what the new current answers, and a contest whose
// token nobody is let in with any more; a holder who did not follow shows a retired token next.
void close_settled(Credentials& credentials);

// An admin has looked and lets the agent in again: what is open is closed, and what led to it
// raises no second alarm, so that an agent that was rolled back can come in by recovery.
void forgive(Credentials& credentials);

// All tokens are ended by an act (a new enrollment, barred tokens): what is open is settled, and
// what was retired until now proves nothing more, since no newer token leads its holder on.
void end_evidence(Credentials& credentials);

}  // namespace rekey::server::rotation
