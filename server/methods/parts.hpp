#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "keys/master_key.hpp"
#include "server/audit/checkpoint_key.hpp"
#include "server/audit/checkpoints.hpp"
#include "server/revocation/journal.hpp"
#include "server/rotation/coordinator.hpp"
#include "server/rpc/access_tokens.hpp"
#include "server/rpc/registry.hpp"
#include "server/sessions/agent_requests.hpp"
#include "server/sessions/registry.hpp"
#include "server/setting_layers.hpp"
#include "server/settings.hpp"
#include "server/signing/signing_keys.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

// The handlers of the admin methods. Each file binds the methods of one noun.
namespace rekey::server::methods {

// What the process knows about itself once it listens.
struct ServerFacts {
    Time started_at{};
    std::string listen;     // HOST:PORT
    std::string advertise;  // HOST:PORT
    std::map<std::string, std::string> flags;
    // The pin of the served chain; empty without TLS. It follows a certificate that is replaced.
    std::function<std::string()> pin;
    // The line that carries an enrollment code to an agent.
    std::function<Secret(const Secret& code)> join_string;
    std::int64_t schema_version = 0;
};

// All outlive the registry.
struct Parts {
    storage::Store& store;
    rotation::Coordinator& coordinator;
    sessions::SessionRegistry& sessions;
    LiveSettings& settings;
    const SettingLayers& layers;
    const Clock& clock;
    Random& random;
    const Log& log;
    const ServerFacts& facts;
    revocation::RevocationJournal& revocations;
    signing::SigningKeys& signing;
    const audit::CheckpointKey& audit_key;
    // Closes the admin sockets that were opened with one API key, or with an access token made with
    // it, on all shards, soon.
    std::function<void(const std::string& key_id)> close_sockets_of_key;
    const keys::MasterKey& master_key;
    const rpc::AccessTokens& tokens;
    audit::Checkpoints& checkpoints;
};

void bind_agents(rpc::Registry& registry, const Parts& parts);
void bind_agent_recovery(rpc::Registry& registry, const Parts& parts);
void bind_agent_calls(rpc::Registry& registry, const Parts& parts);
void bind_agent_list(rpc::Registry& registry, const Parts& parts);
void bind_agent_status(rpc::Registry& registry, const Parts& parts);
void bind_agent_update(rpc::Registry& registry, const Parts& parts);
void bind_agents_why(rpc::Registry& registry, const Parts& parts);
void bind_capabilities(rpc::Registry& registry, const Parts& parts);
void bind_enrollment_code(rpc::Registry& registry, const Parts& parts);
void bind_own_key(rpc::Registry& registry, const Parts& parts);
void bind_reports(rpc::Registry& registry, const Parts& parts);
void bind_reports(sessions::AgentRequests& requests, const Parts& parts);
void bind_auth(rpc::Registry& registry, const Parts& parts);
void bind_keys(rpc::Registry& registry, const Parts& parts);
void bind_rotations(rpc::Registry& registry, const Parts& parts);
void bind_rotation_start(rpc::Registry& registry, const Parts& parts);
void bind_settings(rpc::Registry& registry, const Parts& parts);
void bind_signing_keys(rpc::Registry& registry, const Parts& parts);
void bind_system(rpc::Registry& registry, const Parts& parts);
void bind_audit(rpc::Registry& registry, const Parts& parts);
void bind_audit_chain(rpc::Registry& registry, const Parts& parts);

// All of them; throws StartupError if one of the catalog is missing. `parts` outlives the registry.
void bind_all(rpc::Registry& registry, const Parts& parts);

void bind_agent_jwt(sessions::AgentRequests& requests, const Parts& parts);
// What agents ask on their sockets, likewise.
void bind_agent_requests(sessions::AgentRequests& requests, const Parts& parts);
void bind_agent_verify(sessions::AgentRequests& requests, const Parts& parts);

}  // namespace rekey::server::methods
