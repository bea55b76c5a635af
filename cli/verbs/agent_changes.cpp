#include "cli/verbs/agent_changes.hpp"

#include "cli/agent_names.hpp"
#include "cli/verbs/print.hpp"
#include "cli/views.hpp"
#include "protocol/json_text.hpp"
#include "protocol/methods/agent_calls.hpp"
#include "protocol/methods/agent_changes.hpp"

#include <utility>

namespace rekey::cli {
namespace {

// The server replaces all labels; a change of one is made on those that were read, and is refused
// if the agent was changed in between.
Result<> change_labels(Context& context, protocol::AgentsUpdate::Params& params,
                       const UpdateAgentOptions& options) {
    if (options.labels.empty() && options.taken_labels.empty()) return {};
    REKEY_TRY_ASSIGN(added, parse_labels(options.labels));
    REKEY_TRY_ASSIGN(now, call<protocol::AgentsGet>(context.api, {params.agent_id}));
    auto labels = now.value.summary.labels;
    for (const std::string& name : options.taken_labels) labels.erase(name);
    for (auto& [name, value] : added) labels[name] = std::move(value);
    params.labels = std::move(labels);
    params.row_version = now.value.summary.row_version;
    return {};
}

}  // namespace

Result<std::map<std::string, std::string>> parse_labels(const std::vector<std::string>& texts) {
    std::map<std::string, std::string> labels;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == 0 || equals == std::string::npos)
            return bad_argument(fmt::format("{} is no label", printable(text)),
                                "A label is NAME=VALUE, as in --label site=berlin");
        labels[text.substr(0, equals)] = text.substr(equals + 1);
    }
    return labels;
}

Result<boost::json::object> parse_metadata(const std::string& text) {
    auto metadata = protocol::parse_json(text);
    if (metadata.has_error() || !metadata->is_object())
        return bad_argument("the metadata is no JSON object", R"(As in --metadata '{"rack": 7}')");
    return std::move(metadata->get_object());
}

Result<ExitCode> update_agent(Context& context, const UpdateAgentOptions& options) {
    protocol::AgentsUpdate::Params params;
    params.name = options.new_name;
    params.type = options.type;
    params.owner = options.owner;
    if (options.metadata) {
        REKEY_TRY_ASSIGN(metadata, parse_metadata(*options.metadata));
        params.metadata = std::move(metadata);
    }
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.name));
    params.agent_id = agent.agent_id;
    REKEY_TRY(change_labels(context, params, options));
    REKEY_TRY_ASSIGN(answer, call<protocol::AgentsUpdate>(context.api, params));
    print(context, answer.json, [&] { return agent_record(answer.value, context.clock.now()); });
    return ExitCode::ok;
}

Result<ExitCode> delete_agent(Context& context, const DeleteAgentOptions& options) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.name));
    REKEY_TRY_ASSIGN(answer,
                     call<protocol::AgentsDelete>(context.api, {agent.agent_id, options.reason}));
    print(context, answer.json, [&] {
        return fmt::format("{} is deleted: {} is refused for ever, and its name is free.\n",
                           printable(answer.value.name), answer.value.agent_id);
    });
    return ExitCode::ok;
}

Result<ExitCode> call_agent(Context& context, const CallAgentOptions& options) {
    protocol::AgentsCall::Params params;
    if (!options.params.empty()) {
        auto value = protocol::parse_json(options.params);
        if (value.has_error() || (!value->is_object() && !value->is_array()))
            return bad_argument("the params are no JSON object or array",
                                R"(Quote them for the shell, as in '{"path": "/tmp"}')");
        params.params = std::move(*value);
    }
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.name));
    params.agent_id = agent.agent_id;
    params.method = options.method;
    params.timeout_seconds = options.timeout_seconds;
    auto answered = call<protocol::AgentsCall>(context.api, params);
    // The server has the method that was called; the agent has not.
    if (answered.has_error() && answered.error().code() == Code::method_not_found)
        return with_way_out(answered.error(),
                            "The agent has no such method; those that it has stand in: rekeyctl "
                            "agents get NAME");
    REKEY_TRY_ASSIGN(answer, std::move(answered));
    // The agent's own answer, for people and programs alike.
    context.console.out.stream << pretty_json(context.format == Format::json ? answer.json
                                                                             : answer.value.result);
    return ExitCode::ok;
}

Result<ExitCode> ping_agent(Context& context, const PingAgentOptions& options) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.name));
    REKEY_TRY_ASSIGN(
        answer, call<protocol::AgentsPing>(context.api, {agent.agent_id, options.timeout_seconds}));
    print(context, answer.json, [&] {
        return fmt::format("{} answered in {} ms; it has been up for {} s.\n",
                           printable(agent.name), answer.value.round_trip_ms,
                           answer.value.uptime_seconds);
    });
    return ExitCode::ok;
}

Result<ExitCode> configure_agent(Context& context, const ConfigureAgentOptions& options) {
    protocol::AgentsConfigure::Params params;
    params.settings.heartbeat_seconds = options.heartbeat_seconds;
    params.settings.log_level = options.log_level;
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.name));
    params.agent_id = agent.agent_id;
    REKEY_TRY_ASSIGN(answer, call<protocol::AgentsConfigure>(context.api, params));
    print(context, answer.json,
          [&] { return fmt::format("{} has applied it.\n", printable(agent.name)); });
    return ExitCode::ok;
}

}  // namespace rekey::cli
