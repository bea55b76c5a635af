#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "storage/rows.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The server's half of a rotation as pure functions: `credentials, event -> credentials, effects`.
// No I/O, no clock, no randomness: the instants, tokens and draws come in as values. The
// coordinator runs each in one transaction (compare-and-swap on the row) together with its effects,
// and sends only after the commit; tests/model/ runs the same functions through all interleavings.
// S1..S8, the law and the invariants: docs/rotation.md.
namespace rekey::server::rotation {

using storage::Credentials;
using storage::RotationCause;

// What a transition wants done besides writing the credentials, in the same transaction ...
struct RetiredToken {
    Bytes32 hash{};
    std::uint64_t generation = 0;
};

// ... and to the sessions once it is committed.
enum class SessionsAfter : std::uint8_t {
    keep,
    close_retired,    // 4004 for those bound to a generation in `retired`
    close_suspended,  // 4010, all
    close_revoked,    // 4500, all
};

struct Transition {
    Credentials after;
    std::string_view
        action;  // audit action, e.g. "rotation.promoted"; empty: nothing changed, nothing to write
    std::vector<RetiredToken> retired;  // become tombstones
    SessionsAfter sessions = SessionsAfter::keep;
    std::string ended_rotation_id;  // a pending that will never be promoted (revoked, replaced,
                                    // enrolled again)

    [[nodiscard]] bool changed() const { return !action.empty(); }
};

// The settings that transitions need, read once for each.
struct Policy {
    Milliseconds token_life{};
    Milliseconds grace{};
    double rotate_at_fraction_min = 0.7;
    double rotate_at_fraction_max = 0.9;
    Milliseconds backoff_unit{};
};

// S1, first half: which generation a new token would get. `agent_suspended`, `agent_revoked`;
// `wrong_state` with details.rotation_id while one is pending, or details.not_before within the
// grace of the last one (an emergency and a recovery ignore the grace, never a pending).
[[nodiscard]] Result<std::uint64_t> may_begin(const Credentials& credentials, RotationCause cause,
                                              Time now);

struct Minted {
    std::uint64_t generation = 0;  // as may_begin said
    std::string rotation_id;
    Bytes32 token_hash{};
    Bytes sealed_token;
};

// S1, second half: the minted token becomes pending with attempts = 1. A previous that is due is
// retired with it (S7). Only after may_begin allowed it for the same credentials.
[[nodiscard]] Transition begin(const Credentials& credentials, const Minted& minted, Time now);

// S2: the pending token is offered once more, with the same bytes. Not for S1's own offer. Nothing
// if none is pending.
[[nodiscard]] Transition offer_again(const Credentials& credentials, Time now);

// When the pending token may be offered again without a new connect: offered_at + unit x 1, 2, 4
// ... up to limits::kRotationBackoffCap, spread by `jitter` in [0,1) over the last half. Empty if
// none is pending.
[[nodiscard]] std::optional<Time> next_offer_at(const Credentials& credentials,
                                                const Policy& policy, double jitter);

enum class ProofCheck : std::uint8_t { valid, wrong };

enum class CompletionVerdict : std::uint8_t {
    promoted,     // S3
    duplicate,    // S4: it is current already; the same answer again
    wrong_proof,  // S5: pending's, but not proven; nothing changes
    unrelated,    // neither pending's nor current's (I6)
};

struct Completion {
    std::uint64_t generation = 0;
    std::string rotation_id;
    ProofCheck proof = ProofCheck::wrong;
};

struct CompletionResult {
    CompletionVerdict verdict = CompletionVerdict::unrelated;
    Transition transition;
};

// S3 and S4. `rotate_at_draw` in [0,1) picks the new token's rotate_at. Status is not looked at
// here: the caller only asks for a session that was let in, or for a successful connect (proof =
// valid).
[[nodiscard]] CompletionResult complete(const Credentials& credentials,
                                        const Completion& completion, const Policy& policy,
                                        double rotate_at_draw, Time now);

struct Refusal {
    std::string rotation_id;
    std::string
        reason;  // protocol.md's reasons; "timeout" and "malformed" for the server's own findings
    std::optional<std::uint64_t> newest_held;
};

// S5. Changes last_reason only ("rotation.refused"); except `stale_generation` with newest_held at
// or above the pending's generation, which ends that rotation ("rotation.replaced") and raises
// next_generation to newest_held + 1, by at most limits::kGenerationRaise (beyond: audited as
// "rotation.raise_refused", and the pending stays). After "rotation.replaced" the caller begins
// anew, with begin_instead.
[[nodiscard]] Transition refuse(const Credentials& credentials, const Refusal& refusal);

// S1 after "rotation.replaced": as begin, and counts on where `replaced` (as it stood before the
// refusal) stopped, so that an agent which calls every offer stale ends in the back-off and in the
// alarm like one that refuses for any other reason. The first replacement is offered at once: an
// agent that speaks the truth can take it. The second in a row waits like any other offer: its
// attempts are those of `replaced`, not one more.
[[nodiscard]] Transition begin_instead(const Credentials& credentials,
                                       const storage::PendingToken& replaced, const Minted& minted,
                                       Time now);

// I8. Asked of the row in which an offer of this rotation ended without a completion, before the
// refusal is applied: the pending token whose offers have failed so often that somebody must look
// (limits::kAlarmAfterAttempts); else nothing. Each further failure tells again: an alarm that was
// overheard must not have been the only one.
[[nodiscard]] const storage::PendingToken* alarm_due(const Credentials& credentials,
                                                     std::string_view rotation_id);

// S6: the agent has durably confirmed current. Starts the grace of previous. Unchanged for anything
// but current's ids.
[[nodiscard]] Transition activate(const Credentials& credentials, std::uint64_t generation,
                                  std::string_view rotation_id, const Policy& policy, Time now);

// S7. Unchanged unless current is activated and retire_after has passed.
[[nodiscard]] Transition retire(const Credentials& credentials, Time now);

// S8. `wrong_state` when it already is so, or is revoked.
[[nodiscard]] Result<Transition> suspend(const Credentials& credentials);
[[nodiscard]] Result<Transition> reactivate(const Credentials& credentials);
[[nodiscard]] Result<Transition> revoke(const Credentials& credentials);

// An enrollment code is used for the first time: all tokens of an earlier enrollment are retired,
// and whatever else was issued to it is void (epoch). The caller then begins with
// RotationCause::enrollment. `agent_suspended`, `agent_revoked`.
[[nodiscard]] Result<Transition> enroll(const Credentials& credentials);

// A rotation asked for while the agent is offline waits for its next connect; a cancel takes the
// wish back (`wrong_state` if there is none, with details.rotation_id if one is pending). Refused
// as by may_begin. A second wish changes nothing, unless it is an emergency and the first was not.
[[nodiscard]] Result<Transition> request(const Credentials& credentials,
                                         const storage::RotationRequest& wish);
[[nodiscard]] Result<Transition> cancel_request(const Credentials& credentials);

// Must S1 begin at this moment for an agent that is connected? The cause, if so.
[[nodiscard]] std::optional<RotationCause> due(const Credentials& credentials, Time now);

enum class TokenSlot : std::uint8_t { current, pending, previous };

struct Accepted {
    TokenSlot slot = TokenSlot::current;
    std::uint64_t generation = 0;
    std::string rotation_id;
};

enum class TombstoneMatch : std::uint8_t { no, yes };

// Who may connect with a token of this hash? `unknown_credential`, `token_expired`,
// `agent_suspended`, `agent_revoked`; the last three only for a hash that is live or a tombstone of
// this agent. A pending token does not expire. A connect with pending is then completed (S3) by the
// caller.
[[nodiscard]] Result<Accepted> authenticate(const Credentials& credentials,
                                            const Bytes32& token_hash, TombstoneMatch tombstone,
                                            Time now);

// Must `agent.commit` be sent (again)? True while current is not activated.
[[nodiscard]] bool commit_outstanding(const Credentials& credentials);

// The server's side of the law: every hash in the row, whatever the clock says. Suspension keeps
// them.
[[nodiscard]] std::vector<Bytes32> accepted_hashes(const Credentials& credentials);

}  // namespace rekey::server::rotation
