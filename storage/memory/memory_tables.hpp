#pragma once

#include "storage/memory/memory_database.hpp"
#include "storage/memory/memory_store.hpp"

#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace rekey::storage::memory {

// What a unit changed, so that it can be undone, and what it may do at all.
class Journal {
  public:
    explicit Journal(Access access) : access_(access) {}

    // `internal` in a read transaction.
    [[nodiscard]] Result<> require_write() const;

    // Before `key` of `table` is changed, made or erased.
    template <class Table>
    void remember(Table& table, const typename Table::key_type& key) {
        const auto found = table.find(key);
        std::optional<typename Table::mapped_type> old;
        if (found != table.end()) old = found->second;
        undo_.push_back([&table, key, old = std::move(old)] {
            if (old)
                table.insert_or_assign(key, *old);
            else
                table.erase(key);
        });
    }
    // For what is no table of keys.
    void on_roll_back(std::function<void()> step) { undo_.push_back(std::move(step)); }
    void roll_back();

    std::vector<AuditEvent> events;

  private:
    Access access_;
    std::vector<std::function<void()>> undo_;
};

// The part that all tables share.
struct TableBase {
    TableBase(MemoryDatabase& database, Journal& undo_journal)
        : data(database), journal(undo_journal) {}
    // As a foreign key: `not_found`.
    [[nodiscard]] Result<> require_agent(std::string_view agent_id) const;

    MemoryDatabase& data;
    Journal& journal;
};

class MemoryAgents final : public AgentsTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<AgentRow> find(std::string_view agent_id) override;
    [[nodiscard]] Result<AgentStanding> standing(std::string_view agent_id) override;
    [[nodiscard]] Result<AgentRow> find_by_name(std::string_view name) override;
    [[nodiscard]] Result<std::vector<AgentRow>> list(const AgentFilter& filter,
                                                     std::string_view after,
                                                     std::size_t limit) override;
    [[nodiscard]] Result<AgentTotals> totals() override;
    [[nodiscard]] Result<std::vector<std::string>> due_for_retirement(Time now,
                                                                      std::size_t limit) override;
    [[nodiscard]] Result<bool> any_sealed() override;
    [[nodiscard]] Result<> insert(const AgentRow& row) override;
    [[nodiscard]] Result<> update(AgentRow& row) override;
    [[nodiscard]] Result<> remove(std::string_view agent_id) override;
    [[nodiscard]] Result<> touch_last_seen(
        const std::vector<std::pair<std::string, Time>>& seen) override;
};

class MemoryTombstones final : public TombstonesTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<bool> contains(std::string_view agent_id, const Bytes32& hash) override;
    [[nodiscard]] Result<Tombstone> find(std::string_view agent_id, const Bytes32& hash) override;
    [[nodiscard]] Result<> insert(const Tombstone& tombstone) override;
    [[nodiscard]] Result<std::uint64_t> remove_older_than(Time time) override;
};

class MemoryEnrollmentCodes final : public EnrollmentCodesTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<EnrollmentCodeRow> find(std::string_view code_id) override;
    [[nodiscard]] Result<> insert(const EnrollmentCodeRow& row) override;
    [[nodiscard]] Result<> bind(std::string_view code_id, const Bytes32& public_key, Time used_at,
                                std::string_view rotation_id) override;
    [[nodiscard]] Result<> expire_unused(std::string_view agent_id, Time now) override;
};

class MemoryApiKeys final : public ApiKeysTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<ApiKeyRow> find(std::string_view key_id) override;
    [[nodiscard]] Result<std::vector<ApiKeyRow>> list(std::string_view agent_id) override;
    [[nodiscard]] Result<> insert(const ApiKeyRow& row) override;
    [[nodiscard]] Result<> succeed(const ApiKeyRow& successor, std::string_view replaced,
                                   Time valid_until) override;
    [[nodiscard]] Result<bool> mark_first_used(std::string_view key_id, Time now) override;
    [[nodiscard]] Result<> touch_last_used(
        const std::vector<std::pair<std::string, Time>>& used) override;
    [[nodiscard]] Result<> revoke(std::string_view key_id, Time now) override;
    [[nodiscard]] Result<std::uint64_t> revoke_all(std::string_view agent_id, Time now) override;
    [[nodiscard]] Result<std::uint64_t> trim_dead(std::string_view agent_id, Time now,
                                                  std::size_t keep) override;
};

class MemoryIdempotentAnswers final : public IdempotentAnswersTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<IdempotentAnswerRow> find(std::string_view caller_id,
                                                   const Bytes32& key_hash) override;
    [[nodiscard]] Result<std::uint64_t> count(std::string_view caller_id) override;
    [[nodiscard]] Result<std::vector<IdempotentAnswerRow>> all() override;
    [[nodiscard]] Result<> put(const IdempotentAnswerRow& row) override;
    [[nodiscard]] Result<std::uint64_t> remove_of_key(std::string_view key_id) override;
    [[nodiscard]] Result<std::uint64_t> remove_expired(Time now) override;

  private:
    template <class Condition>
    [[nodiscard]] Result<std::uint64_t> remove_where(Condition condition);
};

class MemoryCapabilities final : public CapabilitiesTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view agent_id) override;
    [[nodiscard]] Result<> grant(std::string_view agent_id, std::string_view capability,
                                 std::string_view granted_by, Time now) override;
    [[nodiscard]] Result<GrantRow> find(std::string_view agent_id,
                                        std::string_view capability) override;
    [[nodiscard]] Result<> revoke(std::string_view agent_id, std::string_view capability) override;
    [[nodiscard]] Result<std::vector<GrantRow>> grants(std::string_view agent_id) override;
    [[nodiscard]] Result<std::vector<std::string>> holders(std::string_view capability,
                                                           std::string_view after,
                                                           std::size_t limit) override;
};

class MemoryCapabilityRegistry final : public CapabilityRegistryTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<CapabilityRow> find(std::string_view capability_id) override;
    [[nodiscard]] Result<CapabilityRow> find_by_name(std::string_view name) override;
    [[nodiscard]] Result<std::vector<CapabilityRow>> list(std::string_view after,
                                                          std::size_t limit) override;
    [[nodiscard]] Result<bool> any_under(std::string_view prefix) override;
    [[nodiscard]] Result<> insert(const CapabilityRow& row) override;
};

class MemoryRotations final : public RotationsTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<RotationRow> find(std::string_view rotation_id) override;
    [[nodiscard]] Result<std::vector<RotationRow>> list(const RotationFilter& filter,
                                                        std::string_view after,
                                                        std::size_t limit) override;
    [[nodiscard]] Result<> insert(const RotationRow& row) override;
    [[nodiscard]] Result<> mark_committed(std::string_view rotation_id, Time time,
                                          const OfferHistory& offers) override;
    [[nodiscard]] Result<> mark_activated(std::string_view rotation_id, Time time) override;
    [[nodiscard]] Result<> mark_ended(std::string_view rotation_id, Time time,
                                      const OfferHistory& offers) override;

  private:
    Result<> mark(std::string_view rotation_id, std::optional<Time> RotationRow::* instant,
                  Time time, const OfferHistory* offers);
};

class MemoryRecoveries final : public RecoveriesTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<std::vector<Time>> charged_since(std::string_view agent_id, Time since,
                                                          std::size_t limit) override;
    [[nodiscard]] Result<> charge(std::string_view agent_id, Time now,
                                  std::string_view rotation_id) override;
    [[nodiscard]] Result<std::uint64_t> grants(std::string_view agent_id) override;
    [[nodiscard]] Result<> grant(std::string_view agent_id) override;
    [[nodiscard]] Result<> spend_grant(std::string_view agent_id) override;
};

class MemoryReports final : public ReportsTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<std::vector<ReportRow>> list(std::string_view agent_id) override;
    [[nodiscard]] Result<Noted> note(const Report& report, Time now) override;
};

class MemorySettings final : public SettingsTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<boost::json::object> all() override;
    [[nodiscard]] Result<> set(std::string_view name, const boost::json::value& value) override;
};

class MemoryMeta final : public MetaTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<std::optional<Bytes>> get(std::string_view name) override;
    [[nodiscard]] Result<> set(std::string_view name, ByteView value) override;
};

class MemoryProviderKeys final : public ProviderKeysTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<ProviderKeyRow> find(std::string_view kid) override;
    [[nodiscard]] Result<std::vector<ProviderKeyRow>> list(std::string_view after,
                                                           std::size_t limit) override;
    [[nodiscard]] Result<> put(ProviderKeyRow& row) override;
};

class MemoryAudit final : public AuditTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<std::vector<AuditRow>> query(const AuditFilter& filter,
                                                      std::size_t limit) override;
    [[nodiscard]] Result<std::vector<AuditRow>> walk(std::uint64_t after_seq,
                                                     std::size_t limit) override;
    [[nodiscard]] Result<ChainEnds> ends() override;
    [[nodiscard]] Result<SeqRange> places_of(std::optional<Time> from,
                                             std::optional<Time> until) override;
    void append(AuditEvent event) override { journal.events.push_back(std::move(event)); }
    [[nodiscard]] Result<std::uint64_t> remove_up_to(std::uint64_t seq) override;
};

class MemoryAuditCheckpoints final : public AuditCheckpointsTable, private TableBase {
  public:
    using TableBase::TableBase;
    [[nodiscard]] Result<std::vector<AuditCheckpointRow>> list(std::uint64_t after_seq,
                                                               std::size_t limit) override;
    [[nodiscard]] Result<std::optional<AuditCheckpointRow>> newest_up_to(
        std::uint64_t seq) override;
    [[nodiscard]] Result<> put(const AuditCheckpointRow& row) override;
    [[nodiscard]] Result<> remove_before(std::uint64_t seq) override;
};

class MemoryTransaction final : public Transaction {
  public:
    MemoryTransaction(MemoryDatabase& database, Journal& journal)
        : agents_(database, journal),
          tombstones_(database, journal),
          enrollment_codes_(database, journal),
          api_keys_(database, journal),
          idempotent_answers_(database, journal),
          capabilities_(database, journal),
          capability_registry_(database, journal),
          rotations_(database, journal),
          recoveries_(database, journal),
          reports_(database, journal),
          settings_(database, journal),
          meta_(database, journal),
          provider_keys_(database, journal),
          audit_(database, journal),
          audit_checkpoints_(database, journal) {}

    AgentsTable& agents() override { return agents_; }
    TombstonesTable& tombstones() override { return tombstones_; }
    EnrollmentCodesTable& enrollment_codes() override { return enrollment_codes_; }
    ApiKeysTable& api_keys() override { return api_keys_; }
    IdempotentAnswersTable& idempotent_answers() override { return idempotent_answers_; }
    CapabilitiesTable& capabilities() override { return capabilities_; }
    CapabilityRegistryTable& capability_registry() override { return capability_registry_; }
    RotationsTable& rotations() override { return rotations_; }
    RecoveriesTable& recoveries() override { return recoveries_; }
    ReportsTable& reports() override { return reports_; }
    SettingsTable& settings() override { return settings_; }
    MetaTable& meta() override { return meta_; }
    ProviderKeysTable& provider_keys() override { return provider_keys_; }
    AuditTable& audit() override { return audit_; }
    AuditCheckpointsTable& audit_checkpoints() override { return audit_checkpoints_; }

  private:
    MemoryAgents agents_;
    MemoryTombstones tombstones_;
    MemoryEnrollmentCodes enrollment_codes_;
    MemoryApiKeys api_keys_;
    MemoryIdempotentAnswers idempotent_answers_;
    MemoryCapabilities capabilities_;
    MemoryCapabilityRegistry capability_registry_;
    MemoryRotations rotations_;
    MemoryRecoveries recoveries_;
    MemoryReports reports_;
    MemorySettings settings_;
    MemoryMeta meta_;
    MemoryProviderKeys provider_keys_;
    MemoryAudit audit_;
    MemoryAuditCheckpoints audit_checkpoints_;
};

}  // namespace rekey::storage::memory
