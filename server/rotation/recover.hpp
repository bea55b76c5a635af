#pragma once

#include "server/rotation/transitions.hpp"

#include <cstdint>
#include <optional>

// Recovery as pure functions: a token for an agent that holds none the server accepts any more, or
// only one that expired, against its identity key. Like an enrollment it delivers the *pending*
// token, minted if there is none; nothing that is accepted is dropped, so that a lost answer costs
// nothing (docs/rotation.md, "Recovery").
namespace rekey::server::rotation {

// What the agent signed with its identity key, and the token that it showed besides.
struct RecoveryClaim {
    std::uint64_t newest_held = 0;  // 0: none
    std::optional<Bytes32> token_hash;
};

enum class ExpiredTokens : std::uint8_t { recover, reject };

// What may be minted for this agent now.
struct RecoveryTerms {
    ExpiredTokens expired_tokens = ExpiredTokens::recover;
    std::uint64_t units_left = 0;     // of the budget of the window that ends now
    std::uint64_t units_granted = 0;  // by an admin, each good for one minting, whenever
    std::optional<Time> frees_at;     // when the window gives a unit back; absent: never
};

// What a minting is paid with.
enum class RecoveryCost : std::uint8_t { nothing, budget, grant };
enum class RecoveryStep : std::uint8_t { hand_out_pending, mint };

struct RecoveryPlan {
    RecoveryStep step = RecoveryStep::hand_out_pending;
    RecoveryCost cost = RecoveryCost::nothing;
    std::uint64_t generation = 0;  // of the pending token, or of the one to mint
};

// The caller has checked the signature and the challenge. Handing out the pending token again costs
// nothing. It is minted anew if there is none, or if the agent holds a later generation, or another
// token of the same one: it could not take it (as in S5). A minting is free if the token
// shown is current's or previous's and merely expired; else it costs a unit of the budget, or of
// what an admin granted. With ExpiredTokens::reject nothing is minted for an agent whose current
// token expired, except for a grant.
// Errors: `agent_suspended`, `agent_revoked`; `rate_limited` with retry_after when nothing is left;
// `token_expired`; `wrong_state` when newest_held is limits::kGenerationRaise or more above what
// the server knows of.
[[nodiscard]] Result<RecoveryPlan> plan_recovery(const Credentials& credentials,
                                                 const RecoveryClaim& claim,
                                                 const RecoveryTerms& terms, Time now);

// After a plan to mint, for the same credentials: S1 that ignores a running grace and raises
// next_generation above what the agent holds ("recovery.minted").
[[nodiscard]] Transition recover(const Credentials& credentials, const RecoveryPlan& plan,
                                 const Minted& minted, Time now);

// S8, its gentle sister: all tokens are refused and become tombstones, and the agent stays active,
// so that its identity key, and nothing else, brings it back (I1r: the caller sees to it that there
// is an identity key, and grants a unit of budget in the same transaction). `agent_revoked`.
[[nodiscard]] Result<Transition> bar(const Credentials& credentials);

}  // namespace rekey::server::rotation
