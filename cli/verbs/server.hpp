#pragma once

#include "cli/context.hpp"

#include <string>
#include <vector>

// `rekeyctl info`, `settings` and `call`.
namespace rekey::cli {

[[nodiscard]] Result<ExitCode> show_info(Context& context);

[[nodiscard]] Result<ExitCode> list_settings(Context& context);
// Prints the value alone, so that a script can use it; with -o json all settings, as the method
// answers.
[[nodiscard]] Result<ExitCode> get_setting(Context& context, const std::string& name);
// NAME=VALUE…: all are set, or none.
[[nodiscard]] Result<ExitCode> set_settings(Context& context,
                                            const std::vector<std::string>& assignments);

struct CallOptions {
    std::string method;
    std::string params;  // JSON, "-" for standard input, or empty
};
// Prints the result as JSON in either format: there is no table of what is not known.
[[nodiscard]] Result<ExitCode> call_method(Context& context, const CallOptions& options);

}  // namespace rekey::cli
