#pragma once

#include "base/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The agent's half of a rotation as pure functions over what the state file holds. No I/O, no
// clock: the client runs a decision, does what it says (a durable write, an answer), and asks again
// with the outcome. tests/model/ runs the same functions through all interleavings. A0..A6, Rule A
// and Rule B: docs/rotation.md.
namespace rekey::agent::rotation {

enum class TokenState : std::uint8_t { candidate, confirmed };

struct HeldToken {
    std::uint64_t generation = 0;
    std::string rotation_id;
    Secret token;
    TokenState state = TokenState::candidate;
    friend bool operator==(const HeldToken&, const HeldToken&) = default;
};

// At most limits::kTokensHeld, of which at most one is a candidate; in ascending generation. At
// least one is confirmed from enrollment on (I9).
using HeldTokens = std::vector<HeldToken>;

enum class FailureReason : std::uint8_t {
    disk_full,
    read_only,
    readback_differs,
    candidate_unresolved,
    stale_generation,
    other,
};
[[nodiscard]] std::string_view to_string(FailureReason reason);

struct Offer {
    std::string rotation_id;
    std::uint64_t generation = 0;
    Secret token;
};

// A1: what to do about an offer.
struct AnswerComplete {  // it is held and confirmed, under the same rotation_id: prove it again
                         // from the file
    std::string rotation_id;
};
struct WriteCandidate {  // write these durably and read them back; only then answer complete
    HeldTokens next;     // equal to what is held if the offer is the candidate itself: that it
                         // stands in the file does not say that it would survive a power loss
};
enum class ThenDo : std::uint8_t { stay, reconnect };
struct RefuseOffer {
    FailureReason reason = FailureReason::other;
    std::optional<std::uint64_t> newest_held;
    ThenDo then = ThenDo::stay;  // reconnect with the candidate (Rule A)
};
using OfferDecision = std::variant<AnswerComplete, WriteCandidate, RefuseOffer>;
[[nodiscard]] OfferDecision on_offer(const HeldTokens& held, const Offer& offer);

// A2: how a durable write ended. `failed_after_rename` covers the directory's fsync and a read-back
// that differs: the new content may be what the next start finds, so the candidate stays; and it
// may be gone after a power loss, so nothing is confirmed by such a write.
enum class WriteOutcome : std::uint8_t { durable, failed_before_rename, failed_after_rename };
// What the agent holds from now on.
[[nodiscard]] HeldTokens after_write(const HeldTokens& before, const HeldTokens& next,
                                     WriteOutcome outcome);

// A3: the server has promoted this token.
struct AnswerActivated {};  // it is confirmed already
struct ConfirmThenAnswer {  // write these durably; only then answer "activated" (Rule B)
    HeldTokens next;
};
struct NotHeld {};  // `wrong_state`, details.reason "not_held"; nothing changes
using CommitDecision = std::variant<AnswerActivated, ConfirmThenAnswer, NotHeld>;
[[nodiscard]] CommitDecision on_commit(const HeldTokens& held, std::uint64_t generation,
                                       std::string_view rotation_id);

// A3: `agent.welcome` names the token that opened the connection. What to write, if it was a
// candidate.
[[nodiscard]] std::optional<HeldTokens> on_welcome(const HeldTokens& held, std::uint64_t generation,
                                                   std::string_view rotation_id);

// A4: the token for the next connect: newest candidate, newest confirmed, older confirmed; one is
// passed over only when it stands in `refused` (rotation_ids that were answered
// `unknown_credential` since the last success). Null when every token was refused (A6).
// A connect promotes a candidate, so it has to be durable first (sync_durably or another write):
// a start syncs file and directory before anything is said about what it read, since a crash may
// have fallen between rename and fsync; and so does the client after `failed_after_rename`. As long
// as that fails after a write, it passes the candidate's rotation_id as refused and so connects
// with a confirmed token, which is accepted until the candidate is confirmed.
[[nodiscard]] const HeldToken* next_credential(const HeldTokens& held,
                                               const std::vector<std::string>& refused);

// A4: a connect with this token was answered `unknown_credential`: what to write, if it was a
// candidate (I10: nothing else is ever dropped).
[[nodiscard]] std::optional<HeldTokens> on_unknown_credential(const HeldTokens& held,
                                                              std::string_view rotation_id);

// A4, A6: a connect with this token was answered `token_expired`. A pending token does not expire,
// so the server has promoted it: what to write, if it was a candidate.
[[nodiscard]] std::optional<HeldTokens> on_token_expired(const HeldTokens& held,
                                                         std::string_view rotation_id);

// What connects were answered since the last success, by rotation_id.
struct Refusals {
    std::vector<std::string> unknown;  // `unknown_credential`
    std::vector<std::string> expired;  // `token_expired`
};

// What to say at POST /recover.
struct RecoveryRequest {
    std::uint64_t newest_held = 0;
    // To be shown: the expired one, else the newest; null if none is held.
    const HeldToken* token = nullptr;
};

// A6: the agent recovers when every token that it holds was refused as unknown, or one as expired;
// and never while a candidate is unresolved, which may be what the server waits for (Rule A). Once
// a round: when it fails, wait, forget the refusals, and begin with the tokens again.
[[nodiscard]] std::optional<RecoveryRequest> recovery_due(const HeldTokens& held,
                                                          const Refusals& refusals);

// A6: the answer is an offer like any other, with nobody to answer: write it as candidate, durably
// and read back, then connect with it. What is confirmed stays, as in A1; a candidate that was
// refused, and whose removal or confirmation could not be written, is no longer in the way.
// RefuseOffer: a late answer to an earlier request; nothing changes, the round begins again.
[[nodiscard]] OfferDecision on_recovered(const HeldTokens& held, const Refusals& refusals,
                                         const Offer& offer);

// A0: the first token, confirmed from the start, since it is durable before the first connect. A
// repeated enrollment is answered with the same token, so it leads to the same state.
[[nodiscard]] HeldTokens on_enrolled(const Offer& first);

}  // namespace rekey::agent::rotation
