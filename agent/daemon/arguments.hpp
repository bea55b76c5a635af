#pragma once

#include "agent/enrollment.hpp"
#include "base/log.hpp"
#include "net/tls_context.hpp"

#include <string>
#include <variant>
#include <vector>

namespace rekey::agent {

enum class OutputFormat : std::uint8_t { text, json };

struct EnrollCommand {
    std::string state_path;
    std::string join_file;  // empty: REKEY_JOIN, a prompt, or standard input
    Reenroll reenroll = Reenroll::refuse;
};
struct RunCommand {
    std::string state_path;
    std::string on_rotate;  // a shell command; empty: none
    LogFormat log_format = LogFormat::logfmt;
    LogLevel log_level = LogLevel::info;
    net::CertificateTimes certificate_times = net::CertificateTimes::checked_unless_pinned;
};
struct StatusCommand {
    std::string state_path;
    OutputFormat output = OutputFormat::text;
};
struct DetectCommand {
    std::string state_path;
    std::string project;  // whose own files are read too; empty: the working directory
    OutputFormat output = OutputFormat::text;
    enum class Send : std::uint8_t { nothing, report } send = Send::nothing;
};
struct TokenCommand {
    std::string state_path;
    std::string audience;  // empty: the server's own
};
struct VersionCommand {};
// To be printed, to standard output for help and to standard error for a mistake.
struct PrintUsage {
    std::string text;
    int exit_code = 0;
};

using Command = std::variant<EnrollCommand, RunCommand, StatusCommand, DetectCommand, TokenCommand,
                             VersionCommand, PrintUsage>;

// `arguments` without the program's name. A mistake gives exit code 64 (EX_USAGE) and a text that
// repeats none of the arguments: one of them may be a join string.
[[nodiscard]] Command parse_arguments(const std::vector<std::string>& arguments);

// REKEY_STATE, else /var/lib/rekey-agent/state.json for root,
// ${XDG_STATE_HOME:-~/.local/state}/rekey-agent/state.json for others.
[[nodiscard]] std::string default_state_path();

}  // namespace rekey::agent
