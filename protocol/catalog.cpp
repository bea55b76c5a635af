#include "protocol/catalog.hpp"

#include "protocol/methods/agent_calls.hpp"
#include "protocol/methods/agent_changes.hpp"
#include "protocol/methods/agent_recovery.hpp"
#include "protocol/methods/agent_reports.hpp"
#include "protocol/methods/agent_requests.hpp"
#include "protocol/methods/agent_verify.hpp"
#include "protocol/methods/agents.hpp"
#include "protocol/methods/agents_why.hpp"
#include "protocol/methods/audit.hpp"
#include "protocol/methods/audit_chain.hpp"
#include "protocol/methods/auth.hpp"
#include "protocol/methods/capabilities.hpp"
#include "protocol/methods/keys.hpp"
#include "protocol/methods/own_key.hpp"
#include "protocol/methods/rotations.hpp"
#include "protocol/methods/settings.hpp"
#include "protocol/methods/signing_keys.hpp"
#include "protocol/methods/system.hpp"

#include <algorithm>
#include <array>

namespace rekey::protocol {
namespace {

template <Method... M>
constexpr auto sorted_catalog() {
    std::array<MethodInfo, sizeof...(M)> methods{method_info<M>()...};
    std::sort(methods.begin(), methods.end(), [](const MethodInfo& left, const MethodInfo& right) {
        return std::tuple(left.access.caller, left.name) <
               std::tuple(right.access.caller, right.name);
    });
    return methods;
}

constexpr auto kCatalog = sorted_catalog<
    AgentHello, AgentHeartbeat, AgentRotationComplete, AgentRotationFailed, AgentKeyStatus,
    AgentRotateKey, AgentShutdown, AgentReportCapabilities, AgentReportIntegration,
    AgentRegisterMcpServer, AgentWelcome, AgentRotate, AgentCommit, AgentPing, AgentConfigure,
    AgentReconnect, AgentsCreate, AgentsList, AgentsGet, AgentsUpdate, AgentsDelete, AgentsWhy,
    AgentsSuspend, AgentsReactivate, AgentsRevoke, AgentsRecover, AgentsEnrollmentCode,
    RotationsStart, RotationsList, RotationsGet, RotationsCancel, SettingsGet, SettingsSet,
    SystemInfo, RpcDiscover, AuditQuery, CapabilitiesCreate, CapabilitiesList, CapabilitiesGrant,
    CapabilitiesRevoke, AgentsCall, AgentsPing, AgentsConfigure, AgentVerify, SigningKeysList,
    SigningKeysGet, SigningKeysCreate, SigningKeysImport, SigningKeysRotate, SigningKeysDestroy,
    SigningKeysCancelDestruction, AuditVerify, AuditExport, SelfReportCapabilities,
    SelfReportDetections, SelfRegisterMcpServers, AgentJwt, AuthToken, KeysCreate, KeysList,
    KeysRotate, KeysRevoke, SelfKeyStatus, SelfRotateKey>();

constexpr bool same_method(const MethodInfo& left, const MethodInfo& right) {
    return left.access.caller == right.access.caller && left.name == right.name;
}
static_assert(std::adjacent_find(kCatalog.begin(), kCatalog.end(), same_method) == kCatalog.end(),
              "a method is declared once");

}  // namespace

std::span<const MethodInfo> catalog() { return kCatalog; }

const MethodInfo* find_method(std::string_view name, Caller caller) {
    const auto found = std::lower_bound(kCatalog.begin(), kCatalog.end(), std::tuple(caller, name),
                                        [](const MethodInfo& info, const auto& key) {
                                            return std::tuple(info.access.caller, info.name) < key;
                                        });
    const bool there =
        found != kCatalog.end() && found->access.caller == caller && found->name == name;
    return there ? found : nullptr;
}

bool is_reserved_name(std::string_view method) {
    return method.starts_with("agent.") || method.starts_with("rpc.");
}

}  // namespace rekey::protocol
