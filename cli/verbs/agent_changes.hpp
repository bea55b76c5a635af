#pragma once

#include "cli/context.hpp"
#include "protocol/vocabulary.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

// `rekeyctl agents update|delete|call|ping|configure`.
namespace rekey::cli {

struct UpdateAgentOptions {
    std::string name;
    std::optional<std::string> new_name;
    std::optional<std::string> type;
    std::optional<std::string> owner;       // empty: nobody
    std::vector<std::string> labels;        // NAME=VALUE, beside those that it has
    std::vector<std::string> taken_labels;  // names
    std::optional<std::string> metadata;    // a JSON object, in place of what was before
};
[[nodiscard]] Result<ExitCode> update_agent(Context& context, const UpdateAgentOptions& options);

struct DeleteAgentOptions {
    std::string name;
    std::optional<std::string> reason;
};
[[nodiscard]] Result<ExitCode> delete_agent(Context& context, const DeleteAgentOptions& options);

struct CallAgentOptions {
    std::string name;
    std::string method;
    std::string params;  // JSON; empty: none
    std::int64_t timeout_seconds = 30;
};
[[nodiscard]] Result<ExitCode> call_agent(Context& context, const CallAgentOptions& options);

struct PingAgentOptions {
    std::string name;
    std::int64_t timeout_seconds = 30;
};
[[nodiscard]] Result<ExitCode> ping_agent(Context& context, const PingAgentOptions& options);

struct ConfigureAgentOptions {
    std::string name;
    std::optional<std::int64_t> heartbeat_seconds;
    std::optional<protocol::AgentLogLevel> log_level;
};
[[nodiscard]] Result<ExitCode> configure_agent(Context& context,
                                               const ConfigureAgentOptions& options);

// The object that --metadata is given.
[[nodiscard]] Result<boost::json::object> parse_metadata(const std::string& text);
// NAME=VALUE each; an error names the first that is none.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_labels(
    const std::vector<std::string>& texts);

}  // namespace rekey::cli
