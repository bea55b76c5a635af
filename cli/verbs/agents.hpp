#pragma once

#include "cli/context.hpp"
#include "protocol/vocabulary.hpp"

#include <optional>
#include <string>
#include <vector>

// `rekeyctl agents …` and `rekeyctl enroll-code`.
namespace rekey::cli {

struct ListAgentsOptions {
    std::optional<protocol::AgentStatus> status;
    std::optional<std::string> type;
    std::optional<std::string> owner;
    std::optional<std::string> capability;
    std::vector<std::string> labels;  // NAME=VALUE
    enum class Connection : std::uint8_t { any, connected, offline } connection = Connection::any;
};
[[nodiscard]] Result<ExitCode> list_agents(Context& context, const ListAgentsOptions& options);

[[nodiscard]] Result<ExitCode> get_agent(Context& context, const std::string& name);

struct CreateAgentOptions {
    std::string name;
    std::optional<std::string> type;
    std::optional<std::string> owner;
    std::vector<std::string> labels;      // NAME=VALUE
    std::optional<std::string> metadata;  // a JSON object
};
[[nodiscard]] Result<ExitCode> create_agent(Context& context, const CreateAgentOptions& options);

struct ChangeAgentOptions {
    std::string name;
    std::optional<std::string> reason;
};
[[nodiscard]] Result<ExitCode> suspend_agent(Context& context, const ChangeAgentOptions& options);
[[nodiscard]] Result<ExitCode> reactivate_agent(Context& context,
                                                const ChangeAgentOptions& options);
[[nodiscard]] Result<ExitCode> revoke_agent(Context& context, const ChangeAgentOptions& options);

struct RecoverAgentOptions {
    std::string name;
    std::optional<std::string> reason;
    enum class Tokens : std::uint8_t { keep, bar } tokens = Tokens::keep;
};
[[nodiscard]] Result<ExitCode> recover_agent(Context& context, const RecoverAgentOptions& options);

struct EnrollCodeOptions {
    std::string name;
    enum class Output : std::uint8_t { full, join_string } output = Output::full;
};
[[nodiscard]] Result<ExitCode> make_enroll_code(Context& context, const EnrollCodeOptions& options);

}  // namespace rekey::cli
