#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What the database holds, as plain structs: one a noun, no I/O and no SQL. Both engines store
// exactly these, and the transition functions of server/rotation work on them. Names are the
// field's and equal the column names.
namespace rekey::storage {

enum class AgentStatus : std::uint8_t { active, suspended, revoked };

// The token that an agent normally connects with. No value before the first connect after an
// enrollment.
struct CurrentToken {
    std::uint64_t generation = 0;
    std::string rotation_id;
    Bytes32 token_hash{};
    Time issued_at{};
    // Absent only in rows of an older schema: such a token is due for rotation now and is never
    // refused as expired.
    std::optional<Time> expires_at;
    friend bool operator==(const CurrentToken&, const CurrentToken&) = default;
};

// Minted, perhaps delivered, not yet proven to be held. It is never withdrawn (rotation.md, S5),
// and it does not expire.
struct PendingToken {
    std::uint64_t generation = 0;
    std::string rotation_id;
    Bytes32 token_hash{};
    // keys/seal.hpp; bound to agent_id, rotation_id, generation and the master key's id.
    Bytes sealed_token;
    Time offered_at{};  // of the newest offer
    std::uint32_t attempts = 0;
    std::string last_reason;  // why the newest offer was not completed; empty if unknown
    friend bool operator==(const PendingToken&, const PendingToken&) = default;
};

// The predecessor of current; accepted until its successor is activated and the grace period is
// over.
struct PreviousToken {
    std::uint64_t generation = 0;
    std::string rotation_id;
    Bytes32 token_hash{};
    std::optional<Time> expires_at;
    std::optional<Time> retire_after;  // set by activation (S6)
    friend bool operator==(const PreviousToken&, const PreviousToken&) = default;
};

// Who asked for a rotation. `emergency` and `recovery` ignore a running grace period.
enum class RotationCause : std::uint8_t { schedule, admin, emergency, agent, enrollment, recovery };

// A rotation that was asked for while the agent was offline: it begins at its next connect.
// Cancellable.
struct RotationRequest {
    RotationCause cause = RotationCause::admin;
    std::string actor;
    Time requested_at{};
    friend bool operator==(const RotationRequest&, const RotationRequest&) = default;
};

// Somebody was seen with a token of this agent who should not have it.
struct Sighting {
    // The minting whose promotion closes the matter: only one holder follows it.
    struct Answer {
        std::string rotation_id;
        RotationCause cause = RotationCause::recovery;
        friend bool operator==(const Answer&, const Answer&) = default;
    };
    Time seen_at{};                // the newest
    std::uint64_t generation = 0;  // of the token that was shown
    std::string address;           // of the peer who showed it
    std::string holder_address;    // of the agent's session then, or of its last one
    std::optional<Answer> answer;
    friend bool operator==(const Sighting&, const Sighting&) = default;
};

// All that the law (L) speaks about: the part of an agent's row that only the transition functions
// change.
struct Credentials {
    AgentStatus status = AgentStatus::active;
    std::uint64_t epoch =
        0;  // grows with revoke, suspend, enrolling again: what was before is void
    std::uint64_t next_generation = 1;
    std::uint64_t activated_generation = 0;
    std::optional<Time> rotate_at;  // drawn once per token at its promotion
    std::optional<CurrentToken> current;
    std::optional<PendingToken> pending;
    std::optional<PreviousToken> previous;
    std::optional<RotationRequest> requested;
    // Tokens retired below this generation prove nothing when they are shown again.
    std::uint64_t reuse_floor = 0;
    std::optional<Sighting> reuse;      // a retired token was shown: the alarm is open
    std::optional<Sighting> contested;  // a live token was shown beside a session that answers
    friend bool operator==(const Credentials&, const Credentials&) = default;
};

// What decides at every call whether a credential of an agent is good: two columns of its row.
struct AgentStanding {
    AgentStatus status = AgentStatus::active;
    std::uint64_t epoch = 0;
};

struct AgentTotals {
    std::uint64_t agents = 0;  // rows of all types and states
    std::uint64_t admins = 0;  // those of kAdminType among them
};

// Somebody's identity at the admin doors, not a daemon: whoever looks at a list of agents takes one
// of this type for somebody's who may everything.
inline constexpr std::string_view kAdminType = "admin";

struct AgentRow {
    std::string agent_id;  // UUIDv7
    std::string name;      // unique
    std::string type;      // "daemon", "service", kAdminType, ...
    std::string owner;
    std::map<std::string, std::string> labels;
    boost::json::object metadata;
    Time created_at{};
    Time updated_at{};
    std::optional<Time> last_seen_at;
    std::optional<Time> enrolled_at;
    std::optional<Bytes32> identity_public_key;  // Ed25519, raw
    std::string hostname;                        // as last reported
    std::string version;                         // as last reported
    std::string last_address;                    // of its newest session, without the port
    std::uint64_t rotation_count = 0;            // promotions so far
    std::uint64_t row_version = 0;               // compare-and-swap; the engine increments it
    Credentials credentials;
};

// The hash of a credential that is no longer accepted: how a reused token is told from an unknown
// one.
enum class TombstoneKind : std::uint8_t { token, identity_key };
struct Tombstone {
    std::string agent_id;
    TombstoneKind kind = TombstoneKind::token;
    Bytes32 hash{};
    std::uint64_t generation = 0;
    Time retired_at{};
};

struct EnrollmentCodeRow {
    std::string code_id;
    std::string agent_id;
    Bytes32 code_hash{};
    std::string created_by;
    Time created_at{};
    Time expires_at{};
    std::optional<Bytes32> bound_public_key;  // of the first that used it
    std::optional<Time> used_at;
    std::string rotation_id;  // of the token that it was answered with
    // What its maker could do then: it enrolls no agent that may more (docs/authorization.md).
    std::vector<std::string> maker_capabilities;
};

// What can be granted. Names are unique.
struct CapabilityRow {
    std::string capability_id;
    std::string name;
    std::string description;
    std::string created_by;  // empty: Rekey's own
    Time created_at{};
};

// One capability of one agent, named by its text: a wildcard has no row in the registry.
struct GrantRow {
    std::string agent_id;
    std::string capability;
    std::string granted_by;  // agent id, or "system"
    Time granted_at{};
};

struct ApiKeyRow {
    std::string key_id;
    std::string agent_id;
    std::string name;
    Bytes32 key_hash{};
    std::optional<std::vector<std::string>>
        capabilities;  // a subset of the agent's; absent: all of them
    Time created_at{};
    std::optional<Time> expires_at;
    std::optional<Time> revoked_at;
    std::string created_by;             // agent id; empty for keys that rekeyd made itself
    std::optional<Time> first_used_at;  // set once, before the first call with it is answered
    std::optional<Time> last_used_at;   // batched: decides nothing
    std::optional<Time> valid_until;    // of a key that was rotated; never moved to a later instant
    std::string successor_key_id;       // empty: not rotated
    std::string predecessor_key_id;     // empty: made, not rotated into

    // Whatever its agent is.
    [[nodiscard]] bool works(Time now) const {
        return !revoked_at && (!expires_at || now < *expires_at) &&
               (!valid_until || now < *valid_until);
    }
};

// An answer that holds a secret, kept for a caller whose answer was lost (docs/authentication.md,
// "Idempotency").
struct IdempotentAnswerRow {
    std::string caller_id;
    Bytes32 idempotency_key_hash{};
    std::string method;
    Bytes32 params_hash{};
    Bytes sealed_answer;  // keys/seal.hpp
    std::string key_id;   // of the API key in it: the row goes at that key's first use
    Time expires_at{};
};

// What it took to deliver a token, or to fail to.
struct OfferHistory {
    std::uint32_t attempts = 0;
    std::optional<Time> offered_at;  // the newest offer
    std::string last_reason;         // why the newest offer that failed was not completed
    friend bool operator==(const OfferHistory&, const OfferHistory&) = default;
};

// One minting and what became of it. Its progress stands in the agent's row while it is pending.
struct RotationRow {
    std::string rotation_id;
    std::string agent_id;
    std::uint64_t generation = 0;
    RotationCause cause = RotationCause::schedule;
    std::string actor;
    Time started_at{};
    std::optional<Time> committed_at;  // promoted (S3)
    std::optional<Time> activated_at;  // (S6)
    std::optional<Time> ended_at;      // revoked, replaced or re-enrolled before it was promoted
    OfferHistory offers;               // since it was committed or ended
};

// What an agent says of itself: a claim, which no decision reads.
enum class ReportKind : std::uint8_t { capability, integration, mcp_server };
struct Report {
    std::string agent_id;
    ReportKind kind = ReportKind::capability;
    std::string name;
    boost::json::object details;
};
struct ReportRow {
    Report report;  // details are those of the newest
    Time first_seen_at{};
    Time last_seen_at{};
    std::uint64_t times = 0;  // how often it was reported
};

// What happened, before the store gives it its place in the chain.
struct AuditEvent {
    Time time{};
    std::string actor;    // agent id of who acted, or "system"
    std::string action;   // dotted, e.g. "rotation.promoted"
    std::string subject;  // agent id, code id, setting name, ...
    std::string outcome;  // "ok" or an error's stable name
    boost::json::object details;
};

// A row of the hash chain: docs/audit.md gives the encoding that `hash` is over.
struct AuditRow {
    std::string stream_id;
    std::uint64_t seq = 0;  // from 1, without gaps
    AuditEvent event;
    // event.details as it is stored: what `hash` is over, because parsing may round a number.
    std::string details_json;
    Bytes32 previous_hash{};
    Bytes32 hash{};
};

}  // namespace rekey::storage
