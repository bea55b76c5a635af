#pragma once

#include "cli/context.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// `rekeyctl info`, `settings`, `audit` and `call`.
namespace rekey::cli {

[[nodiscard]] Result<ExitCode> show_info(Context& context);

[[nodiscard]] Result<ExitCode> list_settings(Context& context);
// Prints the value alone, so that a script can use it; with -o json all settings, as the method
// answers.
[[nodiscard]] Result<ExitCode> get_setting(Context& context, const std::string& name);
// NAME=VALUE…: all are set, or none.
[[nodiscard]] Result<ExitCode> set_settings(Context& context,
                                            const std::vector<std::string>& assignments);

struct AuditOptions {
    std::optional<std::string> agent;
    std::optional<std::string> actor;
    std::optional<std::string> action;
    // A seq. `after`: from there on; else the newest, or the newest before `before`.
    std::optional<std::uint64_t> after;
    std::optional<std::uint64_t> before;
    std::size_t limit = 100;
};
// In time order, from whichever end it was read.
[[nodiscard]] Result<ExitCode> show_audit(Context& context, const AuditOptions& options);

struct CallOptions {
    std::string method;
    std::string params;  // JSON, "-" for standard input, or empty
};
// Prints the result as JSON in either format: there is no table of what is not known.
[[nodiscard]] Result<ExitCode> call_method(Context& context, const CallOptions& options);

}  // namespace rekey::cli
