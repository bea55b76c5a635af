#include "protocol/methods/system.hpp"

#include "protocol/openrpc.hpp"
#include "server/methods/parts.hpp"
#include "storage/store_async.hpp"

#include <utility>

namespace rekey::server::methods {
namespace {

using protocol::SystemInfo;
using rpc::Caller;

Result<SystemInfo::Result> info(const Parts& parts) {
    REKEY_TRY_ASSIGN(totals, storage::read_here_as<storage::AgentTotals>(
                                 parts.store, [](storage::Transaction& transaction) {
                                     return transaction.agents().totals();
                                 }));
    const ServerFacts& facts = parts.facts;
    SystemInfo::Result result;
    result.version = REKEY_VERSION;
    result.started_at = facts.started_at;
    result.server_time = parts.clock.now();
    result.uptime_seconds =
        std::chrono::duration_cast<std::chrono::seconds>(result.server_time - facts.started_at)
            .count();
    // Admin identities are rows of the same table and are no agents to the one who asks.
    result.agents_total = static_cast<std::int64_t>(totals.agents - totals.admins);
    result.agents_connected = static_cast<std::int64_t>(parts.sessions.count());
    result.schema_version = facts.schema_version;
    result.listen = facts.listen;
    result.advertise = facts.advertise;
    if (std::string pin = facts.pin(); !pin.empty()) result.ca_pin = std::move(pin);
    return result;
}

Result<protocol::RpcDiscover::Result> discover() {
    boost::json::object document = protocol::openrpc_document(REKEY_VERSION);
    protocol::RpcDiscover::Result result;
    result.openrpc = document.at("openrpc").as_string();
    result.info = std::move(document.at("info").as_object());
    result.methods = std::move(document.at("methods"));
    result.components = std::move(document.at("components").as_object());
    return result;
}

}  // namespace

void bind_system(rpc::Registry& registry, const Parts& parts) {
    registry.bind<SystemInfo>(
        [&parts](const Caller&, const protocol::Nothing&) { return info(parts); });
    registry.bind<protocol::RpcDiscover>(
        [](const Caller&, const protocol::Nothing&) { return discover(); });
}

}  // namespace rekey::server::methods
