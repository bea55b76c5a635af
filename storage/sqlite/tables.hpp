#pragma once

#include "storage/sqlite/audit_tables.hpp"
#include "storage/sqlite/statement.hpp"
#include "storage/store.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The tables over one connection, with their prepared statements. One thread, inside a transaction.
namespace rekey::storage::sqlite {

class SqliteAgents final : public AgentsTable {
  public:
    explicit SqliteAgents(Connection& connection);
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

  private:
    Statement find_, standing_, find_by_name_, list_, totals_, due_, sealed_, insert_, update_,
        rename_, remove_, touch_, exists_;
};

class SqliteTombstones final : public TombstonesTable {
  public:
    explicit SqliteTombstones(Connection& connection);
    [[nodiscard]] Result<bool> contains(std::string_view agent_id, const Bytes32& hash) override;
    [[nodiscard]] Result<Tombstone> find(std::string_view agent_id, const Bytes32& hash) override;
    [[nodiscard]] Result<> insert(const Tombstone& tombstone) override;
    [[nodiscard]] Result<std::uint64_t> remove_older_than(Time time) override;

  private:
    Statement contains_, find_, insert_, count_, trim_, remove_;
};

class SqliteEnrollmentCodes final : public EnrollmentCodesTable {
  public:
    explicit SqliteEnrollmentCodes(Connection& connection);
    [[nodiscard]] Result<EnrollmentCodeRow> find(std::string_view code_id) override;
    [[nodiscard]] Result<> insert(const EnrollmentCodeRow& row) override;
    [[nodiscard]] Result<> bind(std::string_view code_id, const Bytes32& public_key, Time used_at,
                                std::string_view rotation_id) override;
    [[nodiscard]] Result<> expire_unused(std::string_view agent_id, Time now) override;

  private:
    Statement find_, insert_, bind_, expire_;
};

class SqliteApiKeys final : public ApiKeysTable {
  public:
    explicit SqliteApiKeys(Connection& connection);
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

  private:
    Statement find_, list_, insert_, succeed_, first_used_, last_used_, revoke_, revoke_all_, trim_;
};

class SqliteIdempotentAnswers final : public IdempotentAnswersTable {
  public:
    explicit SqliteIdempotentAnswers(Connection& connection);
    [[nodiscard]] Result<IdempotentAnswerRow> find(std::string_view caller_id,
                                                   const Bytes32& key_hash) override;
    [[nodiscard]] Result<std::uint64_t> count(std::string_view caller_id) override;
    [[nodiscard]] Result<std::vector<IdempotentAnswerRow>> all() override;
    [[nodiscard]] Result<> put(const IdempotentAnswerRow& row) override;
    [[nodiscard]] Result<std::uint64_t> remove_of_key(std::string_view key_id) override;
    [[nodiscard]] Result<std::uint64_t> remove_expired(Time now) override;

  private:
    Statement find_, count_, all_, put_, remove_of_key_, remove_expired_;
};

class SqliteCapabilities final : public CapabilitiesTable {
  public:
    explicit SqliteCapabilities(Connection& connection);
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

  private:
    Statement list_, grant_, find_, revoke_, grants_, holders_;
};

class SqliteCapabilityRegistry final : public CapabilityRegistryTable {
  public:
    explicit SqliteCapabilityRegistry(Connection& connection);
    [[nodiscard]] Result<CapabilityRow> find(std::string_view capability_id) override;
    [[nodiscard]] Result<CapabilityRow> find_by_name(std::string_view name) override;
    [[nodiscard]] Result<std::vector<CapabilityRow>> list(std::string_view after,
                                                          std::size_t limit) override;
    [[nodiscard]] Result<bool> any_under(std::string_view prefix) override;
    [[nodiscard]] Result<> insert(const CapabilityRow& row) override;

  private:
    Statement find_, find_by_name_, list_, any_, insert_;
};

class SqliteRotations final : public RotationsTable {
  public:
    explicit SqliteRotations(Connection& connection);
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
    Statement find_, list_, list_of_agent_, insert_, link_, commit_, activate_, end_;
};

class SqliteRecoveries final : public RecoveriesTable {
  public:
    explicit SqliteRecoveries(Connection& connection);
    [[nodiscard]] Result<std::vector<Time>> charged_since(std::string_view agent_id, Time since,
                                                          std::size_t limit) override;
    [[nodiscard]] Result<> charge(std::string_view agent_id, Time now,
                                  std::string_view rotation_id) override;
    [[nodiscard]] Result<std::uint64_t> grants(std::string_view agent_id) override;
    [[nodiscard]] Result<> grant(std::string_view agent_id) override;
    [[nodiscard]] Result<> spend_grant(std::string_view agent_id) override;

  private:
    Statement since_, forget_, charge_, grants_, grant_, spend_;
};

class SqliteReports final : public ReportsTable {
  public:
    explicit SqliteReports(Connection& connection);
    [[nodiscard]] Result<std::vector<ReportRow>> list(std::string_view agent_id) override;
    [[nodiscard]] Result<Noted> note(const Report& report, Time now) override;

  private:
    Statement list_, repeat_, count_, insert_;
};

class SqliteSettings final : public SettingsTable {
  public:
    explicit SqliteSettings(Connection& connection);
    [[nodiscard]] Result<boost::json::object> all() override;
    [[nodiscard]] Result<> set(std::string_view name, const boost::json::value& value) override;

  private:
    Statement all_, set_;
};

class SqliteMeta final : public MetaTable {
  public:
    explicit SqliteMeta(Connection& connection);
    [[nodiscard]] Result<std::optional<Bytes>> get(std::string_view name) override;
    [[nodiscard]] Result<> set(std::string_view name, ByteView value) override;

  private:
    Statement get_, set_;
};

class SqliteProviderKeys final : public ProviderKeysTable {
  public:
    explicit SqliteProviderKeys(Connection& connection);
    [[nodiscard]] Result<ProviderKeyRow> find(std::string_view kid) override;
    [[nodiscard]] Result<std::vector<ProviderKeyRow>> list(std::string_view after,
                                                           std::size_t limit) override;
    [[nodiscard]] Result<> put(ProviderKeyRow& row) override;

  private:
    [[nodiscard]] Result<> add_versions(ProviderKeyRow& row);
    Statement find_, list_, versions_, insert_, update_, put_version_;
};

// All tables of one connection.
class SqliteTransaction final : public Transaction {
  public:
    explicit SqliteTransaction(Connection& connection)
        : agents_(connection),
          tombstones_(connection),
          enrollment_codes_(connection),
          api_keys_(connection),
          idempotent_answers_(connection),
          capabilities_(connection),
          capability_registry_(connection),
          rotations_(connection),
          recoveries_(connection),
          reports_(connection),
          settings_(connection),
          meta_(connection),
          provider_keys_(connection),
          audit_(connection),
          audit_checkpoints_(connection) {}

    SqliteAgents& agents() override { return agents_; }
    SqliteTombstones& tombstones() override { return tombstones_; }
    SqliteEnrollmentCodes& enrollment_codes() override { return enrollment_codes_; }
    SqliteApiKeys& api_keys() override { return api_keys_; }
    SqliteIdempotentAnswers& idempotent_answers() override { return idempotent_answers_; }
    SqliteCapabilities& capabilities() override { return capabilities_; }
    SqliteCapabilityRegistry& capability_registry() override { return capability_registry_; }
    SqliteRotations& rotations() override { return rotations_; }
    SqliteRecoveries& recoveries() override { return recoveries_; }
    SqliteReports& reports() override { return reports_; }
    SqliteSettings& settings() override { return settings_; }
    SqliteMeta& meta() override { return meta_; }
    SqliteProviderKeys& provider_keys() override { return provider_keys_; }
    SqliteAudit& audit() override { return audit_; }
    SqliteAuditCheckpoints& audit_checkpoints() override { return audit_checkpoints_; }

  private:
    SqliteAgents agents_;
    SqliteTombstones tombstones_;
    SqliteEnrollmentCodes enrollment_codes_;
    SqliteApiKeys api_keys_;
    SqliteIdempotentAnswers idempotent_answers_;
    SqliteCapabilities capabilities_;
    SqliteCapabilityRegistry capability_registry_;
    SqliteRotations rotations_;
    SqliteRecoveries recoveries_;
    SqliteReports reports_;
    SqliteSettings settings_;
    SqliteMeta meta_;
    SqliteProviderKeys provider_keys_;
    SqliteAudit audit_;
    SqliteAuditCheckpoints audit_checkpoints_;
};

}  // namespace rekey::storage::sqlite
