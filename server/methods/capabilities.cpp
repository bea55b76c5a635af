#include "protocol/methods/capabilities.hpp"

#include "base/ids.hpp"
#include "server/methods/grant_view.hpp"
#include "server/methods/parts.hpp"
#include "server/methods/rights.hpp"
#include "server/rpc/last_admin.hpp"

#include <algorithm>
#include <utility>

// capabilities.create, .list, .grant and .revoke.
namespace rekey::server::methods {
namespace {

using protocol::CapabilitiesCreate;
using protocol::CapabilitiesGrant;
using protocol::CapabilitiesList;
using protocol::CapabilitiesRevoke;
using protocol::CapabilityView;
using rpc::Caller;
using rpc::CapabilityForm;
using rpc::Task;

constexpr std::string_view kOneCapability =
    "prefix:name, both [a-z0-9._-]{1,64}, and another prefix than admin";
constexpr std::string_view kAnyCapability = "a capability as prefix:name or prefix:*, or admin:*";

Error wrong_form(std::string_view path, std::string_view expected) {
    return protocol::bad_field({std::string(path), std::string(expected)});
}

CapabilityView show(const storage::CapabilityRow& row) {
    CapabilityView view;
    view.capability_id = row.capability_id;
    view.name = row.name;
    view.description = row.description;
    view.built_in = row.created_by.empty();
    if (view.built_in) return view;
    view.created_by = row.created_by;
    view.created_at = row.created_at;
    return view;
}

struct Creation {
    Caller caller;
    storage::CapabilityRow row;
};

Result<CapabilityView> create_in(storage::Transaction& transaction, const Creation& request) {
    const storage::CapabilityRow& row = request.row;
    REKEY_TRY_ASSIGN(caller,
                     require_now(transaction, request.caller, rpc::kEverything, row.created_at));
    const auto inserted = transaction.capability_registry().insert(row);
    if (inserted.has_error() && inserted.error().code() == Code::already_exists)
        return Error(Code::already_exists, "the capability " + row.name + " is registered already")
            .with("name", boost::json::string(row.name));
    REKEY_TRY(inserted);
    storage::AuditEvent event =
        rpc::audit_event(caller, "capability.created", row.capability_id, row.created_at);
    event.details["name"] = row.name;
    transaction.audit().append(std::move(event));
    return show(row);
}

Task<Result<CapabilityView>> create(const Parts& parts, const Caller& caller,
                                    CapabilitiesCreate::Params params) {
    if (rpc::capability_form(params.name) != CapabilityForm::one)
        co_return Result<CapabilityView>(wrong_form("name", kOneCapability));
    Creation request{caller, {}};
    request.row.capability_id = make_uuid_v7(parts.clock, parts.random);
    request.row.name = std::move(params.name);
    request.row.description = params.description.value_or("");
    request.row.created_by = caller.agent_id;
    request.row.created_at = parts.clock.now();
    auto unit = [request](storage::Transaction& transaction) {
        return create_in(transaction, request);
    };
    co_return co_await rpc::write_to<CapabilityView>(parts.store, std::move(unit));
}

Result<CapabilitiesList::Result> list_in(storage::Transaction& transaction,
                                         const CapabilitiesList::Params& params) {
    const auto wanted = static_cast<std::size_t>(params.limit);
    std::string after = params.cursor.value_or("");
    CapabilitiesList::Result page;
    for (;;) {
        REKEY_TRY_ASSIGN(rows, transaction.capability_registry().list(
                                   after, std::min(limits::kPageRows, wanted + 1)));
        for (const storage::CapabilityRow& row : rows) {
            if (page.capabilities.size() == wanted) {
                page.next_cursor = page.capabilities.back().name;
                return page;
            }
            page.capabilities.push_back(show(row));
        }
        if (rows.size() < std::min(limits::kPageRows, wanted + 1)) return page;
        after = rows.back().name;
    }
}

Task<Result<CapabilitiesList::Result>> list(const Parts& parts, CapabilitiesList::Params params) {
    if (params.cursor && !rpc::capability_form(*params.cursor))
        co_return Result<CapabilitiesList::Result>(
            wrong_form("cursor", "next_cursor of a page before"));
    auto unit = [params](storage::Transaction& transaction) {
        return list_in(transaction, params);
    };
    co_return co_await rpc::read_from<CapabilitiesList::Result>(parts.store, std::move(unit));
}

Error not_registered(std::string_view text, std::string_view path) {
    return Error(Code::not_found,
                 "the capability " + std::string(text) + " is not registered: capabilities.create")
        .with("path", boost::json::string(path));
}

// What may be granted: what is registered, and a wildcard under which something is.
Result<> require_grantable(storage::Transaction& transaction, const std::string& capability) {
    const auto form = rpc::capability_form(capability);
    if (form == CapabilityForm::wildcard) {
        const std::string prefix = capability.substr(0, capability.size() - 1);
        REKEY_TRY_ASSIGN(any, transaction.capability_registry().any_under(prefix));
        if (any) return {};
        return not_registered(capability, "capability");
    }
    const auto row = transaction.capability_registry().find_by_name(capability);
    if (row.has_value()) return {};
    if (row.error().code() != Code::not_found) return row.error();
    return not_registered(capability, "capability");
}

Result<std::string> name_of(storage::Transaction& transaction, const std::string& capability_id,
                            std::string_view path) {
    const auto row = transaction.capability_registry().find(capability_id);
    if (row.has_value()) return row->name;
    if (row.error().code() != Code::not_found) return row.error();
    return not_registered(capability_id, path);
}

struct Grant {
    Caller caller;
    CapabilitiesGrant::Params params;
    Time now;
};

Result<CapabilitiesGrant::Result> answer(storage::Transaction& transaction,
                                         const std::string& agent_id, const std::string& capability,
                                         bool already_granted) {
    REKEY_TRY_ASSIGN(row, transaction.capabilities().find(agent_id, capability));
    CapabilitiesGrant::Result result;
    result.agent_id = agent_id;
    REKEY_TRY_ASSIGN(view, view_grant(transaction, row));
    result.grant = std::move(view);
    result.already_granted = already_granted;
    return result;
}

Result<CapabilitiesGrant::Result> grant_in(storage::Transaction& transaction,
                                           const Grant& request) {
    const std::string& agent_id = request.params.agent_id;
    REKEY_TRY_ASSIGN(caller,
                     require_now(transaction, request.caller, rpc::kEverything, request.now));
    REKEY_TRY(require_another(caller, agent_id, "grants themselves a capability"));
    REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
    std::string capability = request.params.capability.value_or("");
    if (request.params.capability_id) {
        REKEY_TRY_ASSIGN(name,
                         name_of(transaction, *request.params.capability_id, "capability_id"));
        capability = std::move(name);
    }
    REKEY_TRY(require_grantable(transaction, capability));
    // Whatever the method needs: no grant is wider than what its giver may through this key.
    if (!caller.may(capability)) return permission_denied(capability);
    if (row.credentials.status == storage::AgentStatus::revoked)
        return Error(Code::wrong_state, row.name + " is revoked for good; create another agent");
    REKEY_TRY_ASSIGN(held, transaction.capabilities().list(agent_id));
    if (std::ranges::find(held, capability) != held.end())
        return answer(transaction, agent_id, capability, true);
    if (held.size() >= limits::kCapabilitiesAnAgent)
        return Error(Code::wrong_state, "an agent holds at most " +
                                            std::to_string(limits::kCapabilitiesAnAgent) +
                                            " capabilities: grant a wildcard");
    REKEY_TRY(transaction.capabilities().grant(agent_id, capability, caller.agent_id, request.now));
    storage::AuditEvent event =
        rpc::audit_event(caller, "capability.granted", agent_id, request.now);
    event.details["capability"] = capability;
    transaction.audit().append(std::move(event));
    return answer(transaction, agent_id, capability, false);
}

Task<Result<CapabilitiesGrant::Result>> grant(const Parts& parts, const Caller& caller,
                                              CapabilitiesGrant::Params params) {
    if (params.capability && !rpc::capability_form(*params.capability))
        co_return Result<CapabilitiesGrant::Result>(wrong_form("capability", kAnyCapability));
    const Grant request{caller, std::move(params), parts.clock.now()};
    auto unit = [request](storage::Transaction& transaction) {
        return grant_in(transaction, request);
    };
    auto granted = co_await rpc::write_to<CapabilitiesGrant::Result>(parts.store, std::move(unit));
    if (granted.has_value() && !granted->already_granted)
        parts.log.info("capability.granted", {{"agent_id", granted->agent_id},
                                              {"capability", granted->grant.capability},
                                              {"actor", caller.agent_id}});
    co_return granted;
}

struct Revocation {
    Caller caller;
    CapabilitiesRevoke::Params params;
    Time now;
};

Result<CapabilitiesRevoke::Result> revoke_in(storage::Transaction& transaction,
                                             const Revocation& request) {
    const std::string& agent_id = request.params.agent_id;
    REKEY_TRY_ASSIGN(caller,
                     require_now(transaction, request.caller, rpc::kEverything, request.now));
    REKEY_TRY(require_another(caller, agent_id, "changes their own capabilities"));
    REKEY_TRY(transaction.agents().find(agent_id));
    std::string capability = request.params.capability.value_or("");
    if (request.params.cap_id) {
        capability = *request.params.cap_id;
        if (!rpc::capability_form(capability)) {
            REKEY_TRY_ASSIGN(name, name_of(transaction, capability, "cap_id"));
            capability = std::move(name);
        }
    }
    const auto found = transaction.capabilities().find(agent_id, capability);
    if (found.has_error() && found.error().code() == Code::not_found)
        return Error(Code::not_found, "the agent was not granted " + capability)
            .with("path", "capability");
    REKEY_TRY(found);
    if (!caller.may(capability)) return permission_denied(capability);
    if (capability == rpc::kEverything)
        REKEY_TRY(rpc::require_other_admin_in(transaction, agent_id, "revoking it", request.now));
    REKEY_TRY(transaction.capabilities().revoke(agent_id, capability));
    storage::AuditEvent event =
        rpc::audit_event(caller, "capability.revoked", agent_id, request.now);
    event.details["capability"] = capability;
    transaction.audit().append(std::move(event));
    return CapabilitiesRevoke::Result{agent_id, capability};
}

Task<Result<CapabilitiesRevoke::Result>> revoke(const Parts& parts, const Caller& caller,
                                                CapabilitiesRevoke::Params params) {
    if (params.capability && !rpc::capability_form(*params.capability))
        co_return Result<CapabilitiesRevoke::Result>(wrong_form("capability", kAnyCapability));
    const Revocation request{caller, std::move(params), parts.clock.now()};
    auto unit = [request](storage::Transaction& transaction) {
        return revoke_in(transaction, request);
    };
    auto revoked = co_await rpc::write_to<CapabilitiesRevoke::Result>(parts.store, std::move(unit));
    if (revoked.has_value())
        parts.log.info("capability.revoked", {{"agent_id", revoked->agent_id},
                                              {"capability", revoked->capability},
                                              {"actor", caller.agent_id}});
    co_return revoked;
}

}  // namespace

Result<protocol::GrantView> view_grant(storage::Transaction& transaction,
                                       const storage::GrantRow& row) {
    protocol::GrantView view;
    view.capability = row.capability;
    view.granted_by = row.granted_by;
    view.granted_at = row.granted_at;
    const auto registered = transaction.capability_registry().find_by_name(row.capability);
    if (registered.has_value())
        view.capability_id = registered->capability_id;
    else if (registered.error().code() != Code::not_found)
        return registered.error();
    return view;
}

void bind_capabilities(rpc::Registry& registry, const Parts& parts) {
    registry.bind<CapabilitiesCreate>(
        [&parts](const Caller& caller, CapabilitiesCreate::Params params) {
            return create(parts, caller, std::move(params));
        });
    registry.bind<CapabilitiesList>([&parts](const Caller&, CapabilitiesList::Params params) {
        return list(parts, std::move(params));
    });
    registry.bind<CapabilitiesGrant>(
        [&parts](const Caller& caller, CapabilitiesGrant::Params params) {
            return grant(parts, caller, std::move(params));
        });
    registry.bind<CapabilitiesRevoke>(
        [&parts](const Caller& caller, CapabilitiesRevoke::Params params) {
            return revoke(parts, caller, std::move(params));
        });
}

}  // namespace rekey::server::methods
