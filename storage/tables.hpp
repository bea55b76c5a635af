#pragma once

#include "base/result.hpp"
#include "storage/audit_tables.hpp"
#include "storage/rows.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// One table class per noun, implemented by each engine and used inside one transaction only. All
// calls block and run on the store's own threads. Errors: `not_found`, `already_exists`, `conflict`
// (compare-and-swap lost), `unavailable` (full disk, I/O), `corrupt`. Pages: `after` is the last id
// of the page before, empty for the first; at most limits::kPageRows rows.
namespace rekey::storage {

struct AgentFilter {
    std::optional<AgentStatus> status;
    std::string type;                           // empty: any
    std::string name_prefix;                    // empty: any
    std::string owner;                          // empty: any
    std::optional<bool> enrolled;               // at least once
    std::map<std::string, std::string> labels;  // those that have all of these
    // Those that were granted one of these; empty: any.
    std::vector<std::string> granted_any_of;
};

class AgentsTable {
  public:
    virtual ~AgentsTable() = default;
    [[nodiscard]] virtual Result<AgentRow> find(std::string_view agent_id) = 0;
    [[nodiscard]] virtual Result<AgentStanding> standing(std::string_view agent_id) = 0;
    [[nodiscard]] virtual Result<AgentRow> find_by_name(std::string_view name) = 0;
    [[nodiscard]] virtual Result<std::vector<AgentRow>> list(const AgentFilter& filter,
                                                             std::string_view after,
                                                             std::size_t limit) = 0;
    // Kept as agents come and go, so this costs the same however many there are.
    [[nodiscard]] virtual Result<AgentTotals> totals() = 0;
    // Agents whose previous token may be retired: retire_after <= now.
    [[nodiscard]] virtual Result<std::vector<std::string>> due_for_retirement(
        Time now, std::size_t limit) = 0;
    // Does the database hold a sealed token? Asked at start, when the master key is missing.
    [[nodiscard]] virtual Result<bool> any_sealed() = 0;

    [[nodiscard]] virtual Result<> insert(const AgentRow& row) = 0;
    // Writes the whole row if its row_version is still the stored one, and increments it in both.
    [[nodiscard]] virtual Result<> update(AgentRow& row) = 0;
    // Takes the row away with all that hangs on it: tombstones, codes, API keys, capabilities, what
    // it reported. Its audit rows and rotations stay, and its name is free.
    [[nodiscard]] virtual Result<> remove(std::string_view agent_id) = 0;
    // Batched, outside of compare-and-swap: last_seen_at decides nothing.
    [[nodiscard]] virtual Result<> touch_last_seen(
        const std::vector<std::pair<std::string, Time>>& seen) = 0;
};

class TombstonesTable {
  public:
    virtual ~TombstonesTable() = default;
    [[nodiscard]] virtual Result<bool> contains(std::string_view agent_id, const Bytes32& hash) = 0;
    [[nodiscard]] virtual Result<Tombstone> find(std::string_view agent_id,
                                                 const Bytes32& hash) = 0;
    // Keeps the newest limits::kTombstonesAnAgent of the agent; the same hash twice is no error.
    [[nodiscard]] virtual Result<> insert(const Tombstone& tombstone) = 0;
    // At most limits::kSweepRows a call, so that the writer is not held up; returns how many.
    [[nodiscard]] virtual Result<std::uint64_t> remove_older_than(Time time) = 0;
};

class EnrollmentCodesTable {
  public:
    virtual ~EnrollmentCodesTable() = default;
    [[nodiscard]] virtual Result<EnrollmentCodeRow> find(std::string_view code_id) = 0;
    [[nodiscard]] virtual Result<> insert(const EnrollmentCodeRow& row) = 0;
    // Binds the code to a key in a single statement, if no key has it yet: of two racers, one hears
    // `conflict`.
    [[nodiscard]] virtual Result<> bind(std::string_view code_id, const Bytes32& public_key,
                                        Time used_at, std::string_view rotation_id) = 0;
    // Makes the agent's unused codes worthless (a newer code was made, or the agent was revoked).
    [[nodiscard]] virtual Result<> expire_unused(std::string_view agent_id, Time now) = 0;
};

class ApiKeysTable {
  public:
    virtual ~ApiKeysTable() = default;
    [[nodiscard]] virtual Result<ApiKeyRow> find(std::string_view key_id) = 0;
    [[nodiscard]] virtual Result<std::vector<ApiKeyRow>> list(std::string_view agent_id) = 0;
    [[nodiscard]] virtual Result<> insert(const ApiKeyRow& row) = 0;
    // Inserts `successor`, whose predecessor_key_id names a row, and notes it there with the end of
    // its life: `conflict` if that row's successor is another than `replaced` by now (empty: none).
    [[nodiscard]] virtual Result<> succeed(const ApiKeyRow& successor, std::string_view replaced,
                                           Time valid_until) = 0;
    // Did this call set first_used_at? False if it was set before.
    [[nodiscard]] virtual Result<bool> mark_first_used(std::string_view key_id, Time now) = 0;
    // Batched; an instant before the stored one, or an unknown id, changes nothing.
    [[nodiscard]] virtual Result<> touch_last_used(
        const std::vector<std::pair<std::string, Time>>& used) = 0;
    // The first revocation stays; a second one is no error.
    [[nodiscard]] virtual Result<> revoke(std::string_view key_id, Time now) = 0;
    [[nodiscard]] virtual Result<std::uint64_t> revoke_all(std::string_view agent_id, Time now) = 0;
    // Forgets the agent's oldest keys that work no more, but for the newest `keep` of them; returns
    // how many.
    [[nodiscard]] virtual Result<std::uint64_t> trim_dead(std::string_view agent_id, Time now,
                                                          std::size_t keep) = 0;
};

class IdempotentAnswersTable {
  public:
    virtual ~IdempotentAnswersTable() = default;
    [[nodiscard]] virtual Result<IdempotentAnswerRow> find(std::string_view caller_id,
                                                           const Bytes32& key_hash) = 0;
    [[nodiscard]] virtual Result<std::uint64_t> count(std::string_view caller_id) = 0;
    // Every one of them: for the offline rotation of the master key.
    [[nodiscard]] virtual Result<std::vector<IdempotentAnswerRow>> all() = 0;
    // In place of an older one of the same caller and key.
    [[nodiscard]] virtual Result<> put(const IdempotentAnswerRow& row) = 0;
    // Those that hold this API key; returns how many.
    [[nodiscard]] virtual Result<std::uint64_t> remove_of_key(std::string_view key_id) = 0;
    // expires_at <= now, at most limits::kSweepRows a call; returns how many.
    [[nodiscard]] virtual Result<std::uint64_t> remove_expired(Time now) = 0;
};

class CapabilitiesTable {
  public:
    virtual ~CapabilitiesTable() = default;
    [[nodiscard]] virtual Result<std::vector<std::string>> list(std::string_view agent_id) = 0;
    // Granted already: no error, and the first grant stays.
    [[nodiscard]] virtual Result<> grant(std::string_view agent_id, std::string_view capability,
                                         std::string_view granted_by, Time now) = 0;
    // `not_found` if it is not granted.
    [[nodiscard]] virtual Result<GrantRow> find(std::string_view agent_id,
                                                std::string_view capability) = 0;
    [[nodiscard]] virtual Result<> revoke(std::string_view agent_id,
                                          std::string_view capability) = 0;
    // By capability.
    [[nodiscard]] virtual Result<std::vector<GrantRow>> grants(std::string_view agent_id) = 0;
    // Ids of the agents that were granted exactly this. Reads the whole table.
    [[nodiscard]] virtual Result<std::vector<std::string>> holders(std::string_view capability,
                                                                   std::string_view after,
                                                                   std::size_t limit) = 0;
};

// What can be granted, by name. `after` is the last name of the page before.
class CapabilityRegistryTable {
  public:
    virtual ~CapabilityRegistryTable() = default;
    [[nodiscard]] virtual Result<CapabilityRow> find(std::string_view capability_id) = 0;
    [[nodiscard]] virtual Result<CapabilityRow> find_by_name(std::string_view name) = 0;
    [[nodiscard]] virtual Result<std::vector<CapabilityRow>> list(std::string_view after,
                                                                  std::size_t limit) = 0;
    // Is there one whose name begins with `prefix` ("agents:")?
    [[nodiscard]] virtual Result<bool> any_under(std::string_view prefix) = 0;
    [[nodiscard]] virtual Result<> insert(const CapabilityRow& row) = 0;
};

struct RotationFilter {
    std::string agent_id;  // empty: any
};

class RotationsTable {
  public:
    virtual ~RotationsTable() = default;
    [[nodiscard]] virtual Result<RotationRow> find(std::string_view rotation_id) = 0;
    // Newest first.
    [[nodiscard]] virtual Result<std::vector<RotationRow>> list(const RotationFilter& filter,
                                                                std::string_view after,
                                                                std::size_t limit) = 0;
    // Without offers: nobody has heard of them yet.
    [[nodiscard]] virtual Result<> insert(const RotationRow& row) = 0;
    // Each sets its instant once; a second time, or for an unknown id, is no error.
    [[nodiscard]] virtual Result<> mark_committed(std::string_view rotation_id, Time time,
                                                  const OfferHistory& offers) = 0;
    [[nodiscard]] virtual Result<> mark_activated(std::string_view rotation_id, Time time) = 0;
    [[nodiscard]] virtual Result<> mark_ended(std::string_view rotation_id, Time time,
                                              const OfferHistory& offers) = 0;
};

// What recoveries cost, and what admins granted (docs/rotation.md, "Recovery").
class RecoveriesTable {
  public:
    virtual ~RecoveriesTable() = default;
    // When mintings were paid out of the budget after `since`, newest first; at most `limit`. An
    // instant that lies ahead, because the clock was set back, counts too.
    [[nodiscard]] virtual Result<std::vector<Time>> charged_since(std::string_view agent_id,
                                                                  Time since,
                                                                  std::size_t limit) = 0;
    // Notes one, and forgets those of this agent that no window reaches any more
    // (limits::kRecoveryWindow).
    [[nodiscard]] virtual Result<> charge(std::string_view agent_id, Time now,
                                          std::string_view rotation_id) = 0;
    // Units granted and not yet spent.
    [[nodiscard]] virtual Result<std::uint64_t> grants(std::string_view agent_id) = 0;
    // `wrong_state` over limits::kRecoveryGrants.
    [[nodiscard]] virtual Result<> grant(std::string_view agent_id) = 0;
    // `conflict` if there is none.
    [[nodiscard]] virtual Result<> spend_grant(std::string_view agent_id) = 0;
};

// What agents report. Nothing reads it to decide; only to show it.
enum class Noted : std::uint8_t { added, repeated, full };
class ReportsTable {
  public:
    virtual ~ReportsTable() = default;
    // All of one agent, by kind and name.
    [[nodiscard]] virtual Result<std::vector<ReportRow>> list(std::string_view agent_id) = 0;
    // The agent reported this at `now`. Its name known: counted, `repeated`. A new one is not kept
    // if the agent has limits::kReportsAKind of its kind: `full`. `not_found`: no such agent.
    [[nodiscard]] virtual Result<Noted> note(const Report& report, Time now) = 0;
};

class SettingsTable {
  public:
    virtual ~SettingsTable() = default;
    [[nodiscard]] virtual Result<boost::json::object> all() = 0;
    [[nodiscard]] virtual Result<> set(std::string_view name, const boost::json::value& value) = 0;
};

// Small facts about this database: the master key's check value, its own id. Values are bytes.
class MetaTable {
  public:
    virtual ~MetaTable() = default;
    [[nodiscard]] virtual Result<std::optional<Bytes>> get(std::string_view name) = 0;
    [[nodiscard]] virtual Result<> set(std::string_view name, ByteView value) = 0;
};

}  // namespace rekey::storage
