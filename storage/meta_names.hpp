#pragma once

#include <string_view>

// The facts in the meta table that more than one folder asks for.
namespace rekey::storage::meta_names {

// The agent_id of the administrator that the first start made.
inline constexpr std::string_view kAdminAgentId = "admin_agent_id";

}  // namespace rekey::storage::meta_names
