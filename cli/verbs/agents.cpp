#include "cli/verbs/agents.hpp"

#include "cli/agent_names.hpp"
#include "cli/report_views.hpp"
#include "cli/time_text.hpp"
#include "cli/verbs/agent_changes.hpp"
#include "cli/verbs/print.hpp"
#include "cli/views.hpp"
#include "protocol/methods/agent_recovery.hpp"

namespace rekey::cli {
namespace {

template <protocol::Method M>
Result<ExitCode> change_agent(Context& context, const ChangeAgentOptions& options) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.name));
    REKEY_TRY_ASSIGN(answer, call<M>(context.api, {agent.agent_id, options.reason}));
    print(context, answer.json, [&] { return agent_record(answer.value, context.clock.now()); });
    return ExitCode::ok;
}

}  // namespace

Result<ExitCode> list_agents(Context& context, const ListAgentsOptions& options) {
    protocol::AgentsList::Params params;
    params.status = options.status;
    params.type = options.type;
    params.owner = options.owner;
    params.capability = options.capability;
    if (!options.labels.empty()) {
        REKEY_TRY_ASSIGN(labels, parse_labels(options.labels));
        params.labels = std::move(labels);
    }
    if (options.connection != ListAgentsOptions::Connection::any)
        params.connected = options.connection == ListAgentsOptions::Connection::connected;
    REKEY_TRY_ASSIGN(
        answer, read_pages<protocol::AgentsList>(
                    context, params, &protocol::AgentsList::Result::agents, "agents", kNoLimit));
    print(context, answer.json,
          [&] { return agents_table(answer.value.agents, context.clock.now()); });
    if (answer.value.agents.empty())
        hint(context, "No such agents. To make one: rekeyctl agents create NAME");
    return ExitCode::ok;
}

Result<ExitCode> get_agent(Context& context, const std::string& name) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, name));
    REKEY_TRY_ASSIGN(answer, call<protocol::AgentsGet>(context.api, {agent.agent_id}));
    print(context, answer.json, [&] {
        const Time now = context.clock.now();
        const Screen& screen = context.console.out;
        return render(agent_record(answer.value, now), screen) +
               reports_text(answer.value.reports, screen, now);
    });
    return ExitCode::ok;
}

Result<ExitCode> create_agent(Context& context, const CreateAgentOptions& options) {
    protocol::AgentsCreate::Params params;
    params.name = options.name;
    if (options.type) params.type = *options.type;
    params.owner = options.owner;
    REKEY_TRY_ASSIGN(labels, parse_labels(options.labels));
    params.labels = std::move(labels);
    if (options.metadata) {
        REKEY_TRY_ASSIGN(metadata, parse_metadata(*options.metadata));
        params.metadata = std::move(metadata);
    }
    REKEY_TRY_ASSIGN(answer, call<protocol::AgentsCreate>(context.api, params));
    print(context, answer.json, [&] { return agent_record(answer.value, context.clock.now()); });
    hint(context, fmt::format("\nTo let it in: rekeyctl enroll-code {}", options.name));
    return ExitCode::ok;
}

Result<ExitCode> suspend_agent(Context& context, const ChangeAgentOptions& options) {
    return change_agent<protocol::AgentsSuspend>(context, options);
}

Result<ExitCode> reactivate_agent(Context& context, const ChangeAgentOptions& options) {
    return change_agent<protocol::AgentsReactivate>(context, options);
}

Result<ExitCode> revoke_agent(Context& context, const ChangeAgentOptions& options) {
    return change_agent<protocol::AgentsRevoke>(context, options);
}

Result<ExitCode> recover_agent(Context& context, const RecoverAgentOptions& options) {
    const bool bar = options.tokens == RecoverAgentOptions::Tokens::bar;
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.name));
    REKEY_TRY_ASSIGN(
        answer, call<protocol::AgentsRecover>(context.api, {agent.agent_id, bar, options.reason}));
    print(context, answer.json, [&] {
        Record record = agent_record(answer.value.summary, context.clock.now());
        record.emplace_back("recoveries left", Cell{std::to_string(answer.value.recoveries_left)});
        record.emplace_back("granted beyond it",
                            Cell{std::to_string(answer.value.recoveries_granted)});
        return record;
    });
    hint(context, bar ? "\nIts tokens are refused. It comes back by itself, with its identity key."
                      : "\nThe agent recovers by itself when it tries the next time.");
    return ExitCode::ok;
}

Result<ExitCode> make_enroll_code(Context& context, const EnrollCodeOptions& options) {
    REKEY_TRY_ASSIGN(agent, find_agent(context.api, options.name));
    REKEY_TRY_ASSIGN(answer, call<protocol::AgentsEnrollmentCode>(context.api, {agent.agent_id}));
    // Both are printed because that is what was asked for: they are shown only this once.
    if (options.output == EnrollCodeOptions::Output::join_string) {
        context.console.out.stream << answer.value.join_string.expose() << '\n';
        return ExitCode::ok;
    }
    print(context, answer.json, [&] {
        return Record{
            {"join string", {printable(answer.value.join_string.expose())}},
            {"expires", {time_text(answer.value.expires_at, context.clock.now())}},
        };
    });
    hint(context,
         "\nOn the agent's machine run `rekey-agent enroll` and paste the join string at its "
         "prompt.\nIt works once and is not shown again.");
    return ExitCode::ok;
}

}  // namespace rekey::cli
