#pragma once

#include "cli/context.hpp"

#include <string>

namespace rekey::cli {

// `rekeyctl agents why`: what state an agent is in, why, and what to do.
[[nodiscard]] Result<ExitCode> explain_agent(Context& context, const std::string& name);

}  // namespace rekey::cli
