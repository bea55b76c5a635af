#pragma once

#include "agent/daemon/arguments.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <sys/types.h>

// Each command prints its result to standard output, its errors as one line to standard error, and
// returns the process's exit code.
namespace rekey::agent {

enum class ExitCode : int {
    ok = 0,
    failure = 1,
    usage = 64,          // EX_USAGE
    configuration = 78,  // EX_CONFIG: revoked, not enrolled, or a state file that cannot be used;
                         // starting again changes nothing
};

[[nodiscard]] ExitCode enroll_command(const EnrollCommand& command);
[[nodiscard]] ExitCode run_command(const RunCommand& command);
[[nodiscard]] ExitCode status_command(const StatusCommand& command);
[[nodiscard]] ExitCode detect_command(const DetectCommand& command);
[[nodiscard]] ExitCode token_command(const TokenCommand& command);

// Prints "rekey-agent: <message>".
ExitCode report(const Error& error, ExitCode code);
// What a state file that cannot be used means for whoever starts the daemon again.
[[nodiscard]] ExitCode exit_code_of(const Error& error);
// The process that holds the lock of `path`, as far as /proc tells.
[[nodiscard]] std::optional<pid_t> lock_holder(const std::string& path);

}  // namespace rekey::agent
