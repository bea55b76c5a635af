#pragma once

#include "base/clock.hpp"
#include "protocol/methods/agents_why.hpp"
#include "server/rotation/attention.hpp"
#include "server/sessions/registry.hpp"
#include "storage/rows.hpp"

#include <optional>
#include <vector>

namespace rekey::server::methods {

// All that agents.why goes by.
struct Evidence {
    const storage::AgentRow& row;
    std::optional<sessions::SessionFacts> session;
    // Newest first, of this agent; what is older than limits::kWhyAuditRows rows of the trail is
    // not looked at.
    std::vector<storage::AuditEvent> recent;
    rotation::Policy policy;
    Time now{};
};

// What there is to say about an agent, the gravest first; never empty. Pure. Each has a stable
// name, which docs/troubleshooting.md explains.
[[nodiscard]] std::vector<protocol::Finding> findings(const Evidence& evidence);

}  // namespace rekey::server::methods
