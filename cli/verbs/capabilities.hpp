#pragma once

#include "cli/context.hpp"

#include <optional>
#include <string>

// `rekeyctl capabilities …`.
namespace rekey::cli {

[[nodiscard]] Result<ExitCode> list_capabilities(Context& context);

struct CreateCapabilityOptions {
    std::string name;
    std::optional<std::string> description;
};
[[nodiscard]] Result<ExitCode> create_capability(Context& context,
                                                 const CreateCapabilityOptions& options);

struct GrantOptions {
    std::string agent;
    std::string capability;
};
[[nodiscard]] Result<ExitCode> grant_capability(Context& context, const GrantOptions& options);
[[nodiscard]] Result<ExitCode> revoke_capability(Context& context, const GrantOptions& options);

}  // namespace rekey::cli
