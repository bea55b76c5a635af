#pragma once

#include <array>
#include <string_view>

namespace rekey::storage {

struct OwnCapability {
    std::string_view capability_id;
    std::string_view name;
    std::string_view description;
};

// What the registry holds from the first start on, under the same ids in every database. The
// migration inserts the same; a conformance test compares the two.
inline constexpr auto kOwnCapabilities = std::to_array<OwnCapability>({
    {"00000000-0000-7000-8000-000000000001", "admin:*", "Everything."},
    {"00000000-0000-7000-8000-000000000002", "agents:read", "See agents and what they report."},
    {"00000000-0000-7000-8000-000000000003", "agents:write",
     "Create and change agents, and enroll new ones."},
    {"00000000-0000-7000-8000-000000000004", "agents:call", "Call and configure connected agents."},
    {"00000000-0000-7000-8000-000000000005", "keys:manage", "Make, rotate and revoke API keys."},
    {"00000000-0000-7000-8000-000000000006", "rotations:write", "Start and steer rotations."},
    {"00000000-0000-7000-8000-000000000007", "audit:read", "Read and verify the audit."},
});

}  // namespace rekey::storage
