#include "server/bootstrap/admin_identity.hpp"

#include "base/durable_file.hpp"
#include "base/ids.hpp"
#include "protocol/token.hpp"
#include "server/bootstrap/blocking.hpp"
#include "server/rotation/apply.hpp"
#include "storage/meta_names.hpp"

#include <optional>
#include <sysexits.h>
#include <utility>

namespace rekey::server::bootstrap {
namespace {

constexpr const char* kEverything = "admin:*";

struct FreshKey {
    Secret text;
    storage::ApiKeyRow row;
};

FreshKey make_key(const AdminParts& parts, const std::string& agent_id) {
    FreshKey key;
    key.row.key_id = make_uuid_v7(parts.clock, parts.random);
    key.row.agent_id = agent_id;
    key.row.name = "admin.key";
    key.row.created_at = parts.clock.now();
    key.text = protocol::mint_token(protocol::TokenKind::api_key, key.row.key_id, parts.random);
    key.row.key_hash = protocol::token_hash(key.text);
    return key;
}

// Before the hash is committed: a key that is in force and in nobody's hands would need a reset.
void write_key_file(const AdminParts& parts, const FreshKey& key) {
    std::string line(key.text.expose());
    line.push_back('\n');
    const auto failure = write_durably(parts.key_file, line);
    wipe_string(line);
    if (failure)
        throw StartupError("cannot write the admin's API key: " + failure->what, EX_CANTCREAT);
}

storage::AgentRow make_admin(const AdminParts& parts, std::string agent_id, std::string name) {
    storage::AgentRow row;
    row.agent_id = std::move(agent_id);
    row.name = std::move(name);
    row.type = storage::kAdminType;
    row.created_at = row.updated_at = parts.clock.now();
    return row;
}

void audit(storage::Transaction& transaction, const storage::ApiKeyRow& key,
           std::string_view action) {
    storage::AuditEvent event;
    event.time = key.created_at;
    event.actor = "system";
    event.action = std::string(action);
    event.subject = key.agent_id;
    event.outcome = "ok";
    event.details["api_key_id"] = key.key_id;
    transaction.audit().append(std::move(event));
}

Result<bool> insert_admin(storage::Transaction& transaction, const storage::AgentRow& row,
                          const storage::ApiKeyRow& key) {
    REKEY_TRY(transaction.agents().insert(row));
    REKEY_TRY(
        transaction.capabilities().grant(row.agent_id, kEverything, "system", row.created_at));
    REKEY_TRY(transaction.api_keys().insert(key));
    REKEY_TRY(transaction.meta().set(storage::meta_names::kAdminAgentId, as_bytes(row.agent_id)));
    audit(transaction, key, "admin.created");
    return true;
}

struct BuiltInAdmin {
    enum class Kind : std::uint8_t { not_yet_made, there, deleted } kind = Kind::not_yet_made;
    storage::AgentRow row;  // of one that is there
};

Result<BuiltInAdmin> find_admin(storage::Transaction& transaction) {
    REKEY_TRY_ASSIGN(stored, transaction.meta().get(storage::meta_names::kAdminAgentId));
    if (!stored) return BuiltInAdmin{};
    const std::string agent_id(stored->begin(), stored->end());
    auto row = transaction.agents().find(agent_id);
    if (row.has_value()) return BuiltInAdmin{BuiltInAdmin::Kind::there, *std::move(row)};
    if (row.error().code() == Code::not_found) return BuiltInAdmin{BuiltInAdmin::Kind::deleted, {}};
    return row.error();
}

Result<bool> replace_keys(storage::Transaction& transaction, storage::AgentRow& row,
                          const storage::ApiKeyRow& key) {
    REKEY_TRY(transaction.api_keys().revoke_all(row.agent_id, key.created_at));
    REKEY_TRY(transaction.api_keys().insert(key));
    if (row.credentials.status == storage::AgentStatus::suspended) {
        REKEY_TRY_ASSIGN(transition, rotation::reactivate(row.credentials));
        REKEY_TRY(
            rotation::apply(transaction, row, transition, {.actor = "system"}, key.created_at));
    }
    audit(transaction, key, "admin.key_reset");
    return true;
}

void create(const AdminParts& parts, const std::string& agent_id, const std::string& name) {
    const FreshKey key = make_key(parts, agent_id);
    write_key_file(parts, key);
    const auto row = make_admin(parts, agent_id, name);
    const auto inserted =
        write_now<bool>(parts.store, [row, api_key = key.row](storage::Transaction& transaction) {
            return insert_admin(transaction, row, api_key);
        });
    static_cast<void>(inserted.value());
    parts.log.info("admin.created", {{"agent_id", agent_id}, {"key_file", parts.key_file}});
}

}  // namespace

void ensure_admin_identity(const AdminParts& parts) {
    const auto admin = read_now<BuiltInAdmin>(parts.store, find_admin);
    if (admin.value().kind == BuiltInAdmin::Kind::not_yet_made) {
        create(parts, make_uuid_v7(parts.clock, parts.random), "admin");
        return;
    }
    // Another admin meant it, and its name may be somebody else's by now.
    if (admin->kind == BuiltInAdmin::Kind::deleted) return;
    const auto hidden = require_private(parts.key_file);
    // Somebody who took it away to a safer place did well.
    if (hidden.has_error() && hidden.error().code() != Code::not_found) {
        throw StartupError("the admin's API key: " + hidden.error().message() +
                               ", and replace it with: rekeyd admin-key --reset",
                           EX_NOPERM);
    }
}

void reset_admin_key(const AdminParts& parts) {
    const auto admin = read_now<BuiltInAdmin>(parts.store, find_admin);
    const auto& [kind, row] = admin.value();
    if (kind != BuiltInAdmin::Kind::there ||
        row.credentials.status == storage::AgentStatus::revoked) {
        const std::string agent_id = make_uuid_v7(parts.clock, parts.random);
        const bool first = kind == BuiltInAdmin::Kind::not_yet_made;
        create(parts, agent_id, first ? "admin" : "admin-" + agent_id.substr(agent_id.size() - 12));
        return;
    }
    const FreshKey key = make_key(parts, row.agent_id);
    write_key_file(parts, key);
    const auto replaced = write_now<bool>(
        parts.store, [found = row, api_key = key.row](storage::Transaction& transaction) mutable {
            return replace_keys(transaction, found, api_key);
        });
    static_cast<void>(replaced.value());
    parts.log.info("admin.key_reset", {{"agent_id", row.agent_id}, {"key_file", parts.key_file}});
}

}  // namespace rekey::server::bootstrap
