#include "protocol/methods/settings.hpp"

#include "server/methods/parts.hpp"

#include <boost/json/serialize.hpp>

#include <atomic>
#include <memory>
#include <utility>

// settings.get and .set.
namespace rekey::server::methods {
namespace {

using protocol::SettingsSet;
using protocol::SettingsView;
using rpc::Caller;
using rpc::Task;

SettingsView show(const Parts& parts, const SettingValues& values, const boost::json::object& set) {
    SettingsView view;
    view.settings = protocol::settings_json(values);
    for (const auto& info : protocol::settings_table()) {
        view.sources.emplace(info.name, parts.layers.source_of(info.name, set));
    }
    boost::json::object flags;
    for (const auto& [name, value] : parts.facts.flags) flags[name] = value;
    view.read_only = std::move(flags);
    return view;
}

Task<Result<SettingsView>> get(const Parts& parts) {
    auto unit = [&parts](storage::Transaction& transaction) -> Result<SettingsView> {
        REKEY_TRY_ASSIGN(set, transaction.settings().all());
        REKEY_TRY_ASSIGN(values, parts.layers.combine(set));
        return show(parts, values, set);
    };
    co_return co_await rpc::read_from<SettingsView>(parts.store, std::move(unit));
}

struct Applied {
    SettingsView view;
    SettingValues values;
    std::uint64_t change = 0;
};

struct Request {
    Caller caller;
    boost::json::object wanted;
    Time now;
};

Result<Applied> set_in(storage::Transaction& transaction, const Parts& parts,
                       const Request& request) {
    REKEY_TRY(rpc::require_still(transaction, request.caller, "admin:*", request.now));
    REKEY_TRY_ASSIGN(set, transaction.settings().all());
    REKEY_TRY_ASSIGN(before, parts.layers.combine(set));
    protocol::Settings checked = before;
    REKEY_TRY(protocol::set_settings(checked, request.wanted));
    boost::json::object old_values;
    for (const auto& [name, value] : request.wanted) {
        REKEY_TRY(transaction.settings().set(name, value));
        old_values[name] = protocol::get_setting(before, *protocol::find_setting(name));
        set[name] = value;
    }
    storage::AuditEvent event =
        rpc::audit_event(request.caller, "settings.changed", "settings", request.now);
    event.details["before"] = std::move(old_values);
    event.details["after"] = request.wanted;
    transaction.audit().append(std::move(event));
    REKEY_TRY_ASSIGN(values, parts.layers.combine(set));
    return Applied{show(parts, values, set), values, 0};
}

Task<Result<SettingsView>> set(const Parts& parts,
                               std::shared_ptr<std::atomic<std::uint64_t>> changes,
                               const Caller& caller, boost::json::object wanted) {
    Request request{caller, std::move(wanted), parts.clock.now()};
    auto unit = [&parts, request, changes](storage::Transaction& transaction) -> Result<Applied> {
        REKEY_TRY_ASSIGN(applied, set_in(transaction, parts, request));
        // Units run one after the other, so this orders them as the database does.
        applied.change = changes->fetch_add(1) + 1;
        return std::move(applied);
    };
    auto applied = co_await rpc::write_to<Applied>(parts.store, std::move(unit));
    if (applied.has_error()) co_return Result<SettingsView>(applied.error());
    parts.settings.replace_unless_older(applied->values, applied->change);
    parts.log.info("settings.changed", {{"actor", caller.agent_id},
                                        {"settings", boost::json::serialize(request.wanted)}});
    co_return Result<SettingsView>(std::move(applied->view));
}

}  // namespace

void bind_settings(rpc::Registry& registry, const Parts& parts) {
    registry.bind<protocol::SettingsGet>(
        [&parts](const Caller&, const protocol::Nothing&) { return get(parts); });
    auto changes = std::make_shared<std::atomic<std::uint64_t>>(0);
    registry.bind<SettingsSet>([&parts, changes](const Caller& caller, SettingsSet::Params params) {
        return set(parts, changes, caller, std::move(params.settings));
    });
}

}  // namespace rekey::server::methods
