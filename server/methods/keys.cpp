#include "protocol/methods/keys.hpp"

#include "base/limits.hpp"
#include "protocol/token.hpp"
#include "server/methods/key_rotation.hpp"
#include "server/methods/parts.hpp"
#include "server/rpc/capabilities.hpp"
#include "server/rpc/last_admin.hpp"

#include <algorithm>
#include <utility>

// keys.create, .list, .rotate and .revoke.
namespace rekey::server::methods {
namespace {

using protocol::ApiKeyView;
using protocol::KeysCreate;
using protocol::KeysList;
using protocol::KeysRevoke;
using protocol::KeysRotate;
using protocol::RotatedKey;
using rpc::Caller;
using rpc::Task;
using storage::ApiKeyRow;

constexpr std::string_view kManage = "keys:manage";

using Capabilities = std::vector<std::string>;

struct Rights {
    Capabilities held;  // what the agent was granted
    // What a key may at most that the caller makes for the agent, because the agent's rights can
    // grow and whoever made the key has its text. None: all that the agent may, also later; for an
    // admin, and for the agent itself.
    std::optional<Capabilities> ceiling;
};

// Whoever has a key of an agent is that agent: so nobody touches the keys of one who may more than
// he himself (failure 28).
Result<Rights> require_rights_over(storage::Transaction& transaction, const Caller& caller,
                                   std::string_view agent_id, Time now) {
    REKEY_TRY_ASSIGN(again, rpc::read_again(transaction, caller, now));
    if (!again.may(kManage)) return rpc::permission_denied(kManage);
    REKEY_TRY(transaction.agents().find(agent_id));
    REKEY_TRY_ASSIGN(held, transaction.capabilities().list(agent_id));
    for (const std::string& capability : held) {
        if (!again.may(capability)) return rpc::permission_denied(capability);
    }
    Rights rights{.held = held};
    const bool is_itself = again.agent_id == agent_id && !again.key_capabilities;
    if (!is_itself && !again.may(rpc::kEverything)) rights.ceiling = std::move(held);
    return rights;
}

Result<> require_active(storage::Transaction& transaction, std::string_view agent_id) {
    REKEY_TRY_ASSIGN(agent, transaction.agents().find(agent_id));
    if (agent.credentials.status == storage::AgentStatus::active) return {};
    return Error(Code::wrong_state, agent.credentials.status == storage::AgentStatus::revoked
                                        ? "the agent is revoked for good; create another agent"
                                        : "the agent is suspended; reactivate it first");
}

ApiKeyView show(const ApiKeyRow& row, Time now) {
    ApiKeyView view;
    view.key_id = row.key_id;
    view.name = row.name;
    view.capabilities = row.capabilities;
    view.created_at = row.created_at;
    if (!row.created_by.empty()) view.created_by = row.created_by;
    view.expires_at = row.expires_at;
    view.first_used_at = row.first_used_at;
    view.last_used_at = row.last_used_at;
    view.valid_until = row.valid_until;
    view.revoked_at = row.revoked_at;
    if (!row.successor_key_id.empty()) view.successor_key_id = row.successor_key_id;
    if (!row.predecessor_key_id.empty()) view.predecessor_key_id = row.predecessor_key_id;
    view.works = row.works(now);
    return view;
}

struct Creation {
    Caller caller;
    ApiKeyRow row;
    Secret text;
};

Result<> require_subset(const ApiKeyRow& row, const std::vector<std::string>& held) {
    if (!row.capabilities) return {};
    for (std::size_t i = 0; i < row.capabilities->size(); ++i) {
        if (rpc::covers(held, (*row.capabilities)[i])) continue;
        return protocol::bad_field(
            {"capabilities[" + std::to_string(i) + "]", "a capability that the agent holds"});
    }
    return {};
}

Result<KeysCreate::Result> insert_key(storage::Transaction& transaction, const Creation& creation) {
    const ApiKeyRow& row = creation.row;
    REKEY_TRY(require_room_for_key(transaction, row.agent_id, row.created_at));
    REKEY_TRY(transaction.api_keys().insert(row));
    auto event = rpc::audit_event(creation.caller, "api_key.created", row.agent_id, row.created_at);
    event.details["key_id"] = row.key_id;
    event.details["name"] = row.name;
    if (row.capabilities)
        event.details["capabilities"] = boost::json::value_from(*row.capabilities);
    transaction.audit().append(std::move(event));
    KeysCreate::Result answer;
    answer.key_id = row.key_id;
    answer.key = creation.text;
    answer.agent_id = row.agent_id;
    answer.name = row.name;
    answer.capabilities = row.capabilities;
    answer.created_at = row.created_at;
    answer.expires_at = row.expires_at;
    return answer;
}

Task<Result<KeysCreate::Result>> create(const Parts& parts, const Caller& caller,
                                        KeysCreate::Params params) {
    const Time now = parts.clock.now();
    if (params.expires_at && *params.expires_at <= now) {
        co_return Result<KeysCreate::Result>(
            protocol::bad_field({"expires_at", "an instant in the future"}));
    }
    const auto call = idempotent_call<KeysCreate>(caller.agent_id, params, now);
    FreshKey fresh = mint_key(parts.clock, parts.random);
    Creation creation;
    creation.caller = caller;
    creation.row.key_id = std::move(fresh.key_id);
    creation.row.agent_id = std::move(params.agent_id);
    creation.row.name = std::move(params.name);
    creation.row.key_hash = protocol::token_hash(fresh.text);
    creation.row.capabilities = std::move(params.capabilities);
    creation.row.created_at = now;
    creation.row.expires_at = params.expires_at;
    creation.row.created_by = caller.agent_id;
    creation.text = std::move(fresh.text);
    auto unit = [&parts, creation,
                 call](storage::Transaction& transaction) -> Result<KeysCreate::Result> {
        Creation bounded = creation;
        ApiKeyRow& row = bounded.row;
        REKEY_TRY_ASSIGN(rights, require_rights_over(transaction, creation.caller, row.agent_id,
                                                     row.created_at));
        REKEY_TRY(require_active(transaction, row.agent_id));
        REKEY_TRY(require_subset(row, rights.held));
        if (!row.capabilities) row.capabilities = rights.ceiling;
        return once<KeysCreate>(transaction, {parts.master_key, parts.random},
                                bounded_by(call, rights.ceiling),
                                [&] { return insert_key(transaction, bounded); });
    };
    co_return co_await rpc::write_to<KeysCreate::Result>(parts.store, std::move(unit));
}

Task<Result<KeysList::Result>> list(const Parts& parts, std::string agent_id) {
    const Time now = parts.clock.now();
    auto unit = [agent_id, now](storage::Transaction& transaction) -> Result<KeysList::Result> {
        REKEY_TRY(transaction.agents().find(agent_id));
        REKEY_TRY_ASSIGN(rows, transaction.api_keys().list(agent_id));
        KeysList::Result page;
        for (const ApiKeyRow& row : rows) page.keys.push_back(show(row, now));
        return page;
    };
    co_return co_await rpc::read_from<KeysList::Result>(parts.store, std::move(unit));
}

Task<Result<RotatedKey>> rotate(const Parts& parts, const Caller& caller,
                                KeysRotate::Params params) {
    KeyRotation rotation;
    rotation.agent_id = params.key.agent_id;
    rotation.key_id = params.key.key_id;
    rotation.grace = std::chrono::hours(
        params.grace_period_hours.value_or(parts.settings.snapshot()->key_rotation_grace_hours));
    rotation.fresh = mint_key(parts.clock, parts.random);
    rotation.now = parts.clock.now();
    const auto call = idempotent_call<KeysRotate>(caller.agent_id, std::move(params), rotation.now);
    auto unit = [&parts, caller, rotation,
                 call](storage::Transaction& transaction) -> Result<RotatedKey> {
        REKEY_TRY_ASSIGN(rights,
                         require_rights_over(transaction, caller, rotation.agent_id, rotation.now));
        REKEY_TRY(require_active(transaction, rotation.agent_id));
        KeyRotation bounded = rotation;
        bounded.ceiling = rights.ceiling;
        return once<KeysRotate>(transaction, {parts.master_key, parts.random},
                                bounded_by(call, rights.ceiling),
                                [&] { return rotate_key_in(transaction, caller, bounded); });
    };
    co_return co_await rpc::write_to<RotatedKey>(parts.store, std::move(unit));
}

Result<ApiKeyView> revoke_in(storage::Transaction& transaction, const Caller& caller,
                             const KeysRevoke::Params& params, Time now) {
    REKEY_TRY(require_rights_over(transaction, caller, params.agent_id, now));
    auto row = transaction.api_keys().find(params.key_id);
    if (row.has_value() && row->agent_id != params.agent_id) {
        return Error(Code::not_found, "no such API key");
    }
    if (row.has_error()) return row.error();
    if (row->revoked_at) return show(*row, now);
    REKEY_TRY_ASSIGN(last, rpc::is_last_admin_key_in(transaction, row->agent_id, row->key_id, now));
    if (last) {
        return Error(Code::wrong_state,
                     "without this key nobody would administer this server: rotate it, or make "
                     "another first");
    }
    REKEY_TRY(transaction.api_keys().revoke(row->key_id, now));
    REKEY_TRY(transaction.idempotent_answers().remove_of_key(row->key_id));
    auto event = rpc::audit_event(caller, "api_key.revoked", row->agent_id, now);
    event.details["key_id"] = row->key_id;
    event.details["name"] = row->name;
    transaction.audit().append(std::move(event));
    row->revoked_at = now;
    return show(*row, now);
}

Task<Result<ApiKeyView>> revoke(const Parts& parts, const Caller& caller,
                                KeysRevoke::Params params) {
    auto unit = [caller, params, now = parts.clock.now()](storage::Transaction& transaction) {
        return revoke_in(transaction, caller, params, now);
    };
    auto revoked = co_await rpc::write_to<ApiKeyView>(parts.store, std::move(unit));
    if (revoked.has_value()) parts.close_sockets_of_key(revoked->key_id);
    co_return revoked;
}

}  // namespace

void bind_keys(rpc::Registry& registry, const Parts& parts) {
    registry.bind<KeysCreate>([&parts](const Caller& caller, KeysCreate::Params params) {
        return create(parts, caller, std::move(params));
    });
    registry.bind<KeysList>([&parts](const Caller&, KeysList::Params params) {
        return list(parts, std::move(params.agent_id));
    });
    registry.bind<KeysRotate>([&parts](const Caller& caller, KeysRotate::Params params) {
        return rotate(parts, caller, std::move(params));
    });
    registry.bind<KeysRevoke>([&parts](const Caller& caller, KeysRevoke::Params params) {
        return revoke(parts, caller, std::move(params));
    });
}

}  // namespace rekey::server::methods
