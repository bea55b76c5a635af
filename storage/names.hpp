#pragma once

#include "storage/provider_keys.hpp"
#include "storage/rows.hpp"

#include <optional>
#include <string_view>

// The enums of rows.hpp as the words that are stored, sent and shown. The schema's CHECKs list the
// same words; a test compares them.
namespace rekey::storage {

[[nodiscard]] std::string_view name_of(AgentStatus status);
[[nodiscard]] std::string_view name_of(TombstoneKind kind);
[[nodiscard]] std::string_view name_of(RotationCause cause);
[[nodiscard]] std::string_view name_of(ProviderKeyState state);
[[nodiscard]] std::string_view name_of(ReportKind kind);

// Empty for any other word.
[[nodiscard]] std::optional<AgentStatus> agent_status_of(std::string_view name);
[[nodiscard]] std::optional<TombstoneKind> tombstone_kind_of(std::string_view name);
[[nodiscard]] std::optional<RotationCause> rotation_cause_of(std::string_view name);
[[nodiscard]] std::optional<ProviderKeyState> provider_key_state_of(std::string_view name);
[[nodiscard]] std::optional<ReportKind> report_kind_of(std::string_view name);

}  // namespace rekey::storage
