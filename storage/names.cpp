#include "storage/names.hpp"

#include "base/contract.hpp"

#include <array>
#include <cstddef>

namespace rekey::storage {
namespace {

constexpr std::array<std::string_view, 3> kAgentStatuses{"active", "suspended", "revoked"};
constexpr std::array<std::string_view, 2> kTombstoneKinds{"token", "identity_key"};
constexpr std::array<std::string_view, 6> kRotationCauses{"schedule", "admin",      "emergency",
                                                          "agent",    "enrollment", "recovery"};
constexpr std::array<std::string_view, 3> kReportKinds{"capability", "integration", "mcp_server"};

constexpr std::array<std::string_view, 4> kProviderKeyStates{"pre_published", "active", "retiring",
                                                             "destroyed"};

template <class Enum, std::size_t N>
std::string_view name_in(const std::array<std::string_view, N>& names, Enum value) {
    const auto index = static_cast<std::size_t>(value);
    REKEY_ASSERT(index < N);
    return names[index];
}

template <class Enum, std::size_t N>
std::optional<Enum> value_in(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i)
        if (names[i] == name) return static_cast<Enum>(i);
    return std::nullopt;
}

}  // namespace

std::string_view name_of(AgentStatus status) { return name_in(kAgentStatuses, status); }
std::string_view name_of(TombstoneKind kind) { return name_in(kTombstoneKinds, kind); }
std::string_view name_of(RotationCause cause) { return name_in(kRotationCauses, cause); }
std::string_view name_of(ReportKind kind) { return name_in(kReportKinds, kind); }

std::string_view name_of(ProviderKeyState state) { return name_in(kProviderKeyStates, state); }

std::optional<AgentStatus> agent_status_of(std::string_view name) {
    return value_in<AgentStatus>(kAgentStatuses, name);
}
std::optional<TombstoneKind> tombstone_kind_of(std::string_view name) {
    return value_in<TombstoneKind>(kTombstoneKinds, name);
}
std::optional<RotationCause> rotation_cause_of(std::string_view name) {
    return value_in<RotationCause>(kRotationCauses, name);
}
std::optional<ProviderKeyState> provider_key_state_of(std::string_view name) {
    return value_in<ProviderKeyState>(kProviderKeyStates, name);
}
std::optional<ReportKind> report_kind_of(std::string_view name) {
    return value_in<ReportKind>(kReportKinds, name);
}

}  // namespace rekey::storage
