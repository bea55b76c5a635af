#include "cli/identity_commands.hpp"

#include "base/limits.hpp"
#include "base/option_checks.hpp"
#include "cli/on_chosen.hpp"
#include "cli/verbs/agent_changes.hpp"
#include "cli/verbs/capabilities.hpp"
#include "protocol/vocabulary.hpp"

#include <memory>
#include <string>

namespace rekey::cli {
namespace {

constexpr auto kLogLevels = names_of(protocol::AgentLogLevel{});

void add_name(CLI::App* command, std::string& name) {
    command->add_option("NAME", name, "Its name or id")->required();
}

void add_seconds(CLI::App* command, std::int64_t& seconds) {
    command->add_option("--timeout", seconds, "Seconds to wait for the agent at most")
        ->option_text("SECONDS (30)")
        ->check(whole_number(1, limits::kAgentCallSeconds));
}

void add_update(CLI::App& agents, Verb& chosen) {
    auto options = std::make_shared<UpdateAgentOptions>();
    CLI::App* command =
        agents.add_subcommand("update", "Change an agent's name, type, owner, labels or metadata");
    add_name(command, options->name);
    command->add_option("--name", options->new_name, "What it is called from now on")
        ->option_text("NAME");
    command->add_option("--type", options->type, "What kind of agent it is")->option_text("TYPE");
    command->add_option("--owner", options->owner, "Who is responsible for it; '' for nobody")
        ->option_text("OWNER");
    command->add_option("--label", options->labels, "NAME=VALUE to set; may be given again")
        ->option_text("NAME=VALUE ...")
        ->allow_extra_args(false);
    command->add_option("--remove-label", options->taken_labels, "A label's name; again for more")
        ->option_text("NAME ...")
        ->allow_extra_args(false);
    command->add_option("--metadata", options->metadata, "A JSON object, in place of the old one")
        ->option_text("JSON");
    command->footer(
        "What is not given stays as it is.\n\n"
        "Examples:\n"
        "  rekeyctl agents update web-1 --owner ops --label site=berlin\n"
        "  rekeyctl agents update web-1 --name web-01 --remove-label tier");
    on_chosen(command, chosen, options, update_agent);
}

void add_delete(CLI::App& agents, Verb& chosen) {
    auto options = std::make_shared<DeleteAgentOptions>();
    CLI::App* command =
        agents.add_subcommand("delete", "Revoke an agent and remove it; its audit trail stays");
    add_name(command, options->name);
    command->add_option("--reason", options->reason, "Why, for the audit trail")
        ->option_text("TEXT");
    command->footer(
        "All of its credentials end, as by revoke, and its name is free for another agent.\n\n"
        "Example:\n  rekeyctl agents delete web-1 --reason 'the machine is scrap'");
    on_chosen(command, chosen, options, delete_agent);
}

void add_calls(CLI::App& agents, Verb& chosen) {
    auto call_options = std::make_shared<CallAgentOptions>();
    CLI::App* call =
        agents.add_subcommand("call", "Call a method that a connected agent itself serves");
    add_name(call, call_options->name);
    call->add_option("METHOD", call_options->method, "As rekeyctl agents get shows it")->required();
    call->add_option("JSON", call_options->params, "Its params, an object or an array");
    add_seconds(call, call_options->timeout_seconds);
    call->footer(
        "Prints what the agent answered. Its own error is the error of this command.\n\n"
        "Example:\n  rekeyctl agents call web-1 cache.drop '{\"older_than_days\": 3}'");
    on_chosen(call, chosen, call_options, call_agent);

    auto ping_options = std::make_shared<PingAgentOptions>();
    CLI::App* ping = agents.add_subcommand("ping", "Ask a connected agent for a sign of life");
    add_name(ping, ping_options->name);
    add_seconds(ping, ping_options->timeout_seconds);
    ping->footer("Example:\n  rekeyctl agents ping web-1");
    on_chosen(ping, chosen, ping_options, ping_agent);

    auto options = std::make_shared<ConfigureAgentOptions>();
    CLI::App* configure = agents.add_subcommand(
        "configure", "Change settings of a connected agent, until its next connect");
    add_name(configure, options->name);
    configure
        ->add_option("--heartbeat-seconds", options->heartbeat_seconds,
                     "Seconds between heartbeats; at most the server's setting")
        ->option_text("SECONDS")
        ->check(whole_number(5, 600));
    configure->add_option("--log-level", options->log_level, "How much it logs")
        ->option_text("LEVEL")
        ->transform(choice(kLogLevels));
    configure->footer("Example:\n  rekeyctl agents configure web-1 --log-level debug");
    on_chosen(configure, chosen, options, configure_agent);
}

void add_grants(CLI::App& capabilities, Verb& chosen) {
    const auto add = [&](const std::string& verb, const std::string& about,
                         const std::string& footer,
                         Result<ExitCode> (*run)(Context&, const GrantOptions&)) {
        auto options = std::make_shared<GrantOptions>();
        CLI::App* command = capabilities.add_subcommand(verb, about);
        command->add_option("AGENT", options->agent, "Its name or id")->required();
        command->add_option("CAPABILITY", options->capability, "prefix:name, prefix:* or admin:*")
            ->required();
        command->footer(footer);
        on_chosen(command, chosen, options, run);
    };
    add("grant", "Let an agent do something",
        "Nobody grants themselves anything, nor more than they may.\n\n"
        "Examples:\n"
        "  rekeyctl capabilities grant web-1 files:read\n"
        "  rekeyctl capabilities grant web-1 'files:*'",
        grant_capability);
    add("revoke", "Take a capability from an agent, at once",
        "Example:\n  rekeyctl capabilities revoke web-1 files:read", revoke_capability);
}

void add_capabilities(CLI::App& app, Verb& chosen) {
    CLI::App* capabilities =
        app.add_subcommand("capabilities", "See what can be granted; grant and revoke it");
    capabilities->require_subcommand(1);
    capabilities->footer("Help on one, with examples: rekeyctl capabilities COMMAND --help");

    CLI::App* list = capabilities->add_subcommand("list", "List what can be granted");
    list->footer("Example:\n  rekeyctl capabilities list");
    list->callback([&chosen] { chosen = list_capabilities; });

    auto options = std::make_shared<CreateCapabilityOptions>();
    CLI::App* create =
        capabilities->add_subcommand("create", "Register a capability, so that it can be granted");
    create->add_option("NAME", options->name, "prefix:name, each a-z 0-9 . _ -")->required();
    create->add_option("--description", options->description, "What it lets somebody do")
        ->option_text("TEXT");
    create->footer(
        "Example:\n  rekeyctl capabilities create files:read --description 'Read the archive.'");
    on_chosen(create, chosen, options, create_capability);
    add_grants(*capabilities, chosen);
}

}  // namespace

void add_identity_commands(CLI::App& app, CLI::App& agents, Verb& chosen) {
    add_update(agents, chosen);
    add_delete(agents, chosen);
    add_calls(agents, chosen);
    add_capabilities(app, chosen);
}

}  // namespace rekey::cli
