#include "server/methods/parts.hpp"

namespace rekey::server::methods {

void bind_all(rpc::Registry& registry, const Parts& parts) {
    bind_agents(registry, parts);
    bind_agent_recovery(registry, parts);
    bind_agent_calls(registry, parts);
    bind_agent_list(registry, parts);
    bind_agent_status(registry, parts);
    bind_agent_update(registry, parts);
    bind_capabilities(registry, parts);
    bind_agents_why(registry, parts);
    bind_enrollment_code(registry, parts);
    bind_own_key(registry, parts);
    bind_reports(registry, parts);
    bind_auth(registry, parts);
    bind_keys(registry, parts);
    bind_rotations(registry, parts);
    bind_rotation_start(registry, parts);
    bind_settings(registry, parts);
    bind_signing_keys(registry, parts);
    bind_system(registry, parts);
    bind_audit(registry, parts);
    bind_audit_chain(registry, parts);
    registry.require_complete();
}

void bind_agent_requests(sessions::AgentRequests& requests, const Parts& parts) {
    bind_agent_verify(requests, parts);
    bind_reports(requests, parts);
    bind_agent_jwt(requests, parts);
    requests.require_complete();
}

}  // namespace rekey::server::methods
