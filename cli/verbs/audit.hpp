#pragma once

#include "cli/context.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

// `rekeyctl audit`: reads the trail, exports it, verifies it there and here.
namespace rekey::cli {

struct AuditOptions {
    std::optional<std::string> agent;  // did it, or had it done to
    std::optional<std::string> actor;
    std::optional<std::string> action;
    std::optional<std::string> outcome;
    std::optional<std::string> from;  // RFC 3339
    std::optional<std::string> until;
    // A seq. `after`: from there on; else the newest, or the newest before `before`.
    std::optional<std::uint64_t> after;
    std::optional<std::uint64_t> before;
    std::size_t limit = 100;
};
// In time order, from whichever end it was read.
[[nodiscard]] Result<ExitCode> show_audit(Context& context, const AuditOptions& options);

struct AuditExportOptions {
    std::optional<std::string> from;
    std::optional<std::string> until;
};
// To standard output, as it comes.
[[nodiscard]] Result<ExitCode> export_audit(Context& context, const AuditExportOptions& options);

struct AuditVerifyOptions {
    std::optional<std::string> file;  // none: the server verifies its own; "-": standard input
    std::optional<std::string> jwks_file;
    std::optional<std::string> head;  // SEQ:HASH
};
// `failure` if something is wrong.
[[nodiscard]] Result<ExitCode> verify_audit(Context& context, const AuditVerifyOptions& options);

}  // namespace rekey::cli
