#include "cli/commands.hpp"

#include "base/limits.hpp"
#include "base/option_checks.hpp"
#include "cli/identity_commands.hpp"
#include "cli/key_commands.hpp"
#include "cli/signing_key_commands.hpp"
#include "cli/verbs/agents.hpp"
#include "cli/verbs/rotate.hpp"
#include "cli/verbs/rotations.hpp"
#include "cli/verbs/server.hpp"
#include "cli/verbs/why.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rekey::cli {
namespace {

// `deleted` is a word of the protocol, but no list shows such agents.
constexpr std::array<std::string_view, 3> kListedStatuses{"active", "suspended", "revoked"};
// Without `in_grace`, the last of them, which is found in the answer to a start only.
constexpr auto kStatuses = names_of(protocol::RotationStatus{});
static_assert(kStatuses.back() == name_of(protocol::RotationStatus::in_grace));
constexpr std::span<const std::string_view> kRotationStatuses(kStatuses.data(),
                                                              kStatuses.size() - 1);
constexpr std::int64_t kMostRows = 1'000'000;

// Registers verbs: `chosen` becomes what the command line asks for.
class Registry {
  public:
    Registry(CLI::App& app, Verb& chosen) : app_(app), chosen_(chosen) {}

    void add_agents();
    void add_agent_changes(CLI::App& agents);
    void add_agent_recovery(CLI::App& agents);
    void add_enroll_code();
    void add_rotate();
    void add_rotations();
    void add_settings();
    void add_server();

  private:
    // Options live as long as the verb that reads them.
    template <class Options, class Run>
    void on_chosen(CLI::App* command, const std::shared_ptr<Options>& options, Run run) {
        command->callback([&chosen = chosen_, options, run] {
            chosen = [options, run](Context& context) { return run(context, *options); };
        });
    }

    static CLI::App* group(CLI::App& parent, const std::string& name, const std::string& about) {
        CLI::App* command = parent.add_subcommand(name, about);
        command->require_subcommand(1);
        command->footer(
            fmt::format("Help on one, with examples: rekeyctl {} COMMAND --help", name));
        return command;
    }

    CLI::App& app_;
    Verb& chosen_;
};

void Registry::add_agents() {
    CLI::App* agents = group(app_, "agents", "List, show, create and change agents");

    auto list_options = std::make_shared<ListAgentsOptions>();
    CLI::App* list = agents->add_subcommand("list", "List agents");
    list->add_option("--status", list_options->status, "Only active, suspended or revoked ones")
        ->option_text("STATUS")
        ->transform(choice(kListedStatuses));
    list->add_option("--type", list_options->type, "Only agents of this type")->option_text("TYPE");
    list->add_option("--owner", list_options->owner, "Only agents of this owner")
        ->option_text("OWNER");
    list->add_option("--label", list_options->labels, "Only those with this label; again for more")
        ->option_text("NAME=VALUE ...")
        ->allow_extra_args(false);
    list->add_option("--capability", list_options->capability, "Only those who may this")
        ->option_text("CAPABILITY");
    auto* connected = list->add_flag_callback(
        "--connected",
        [list_options] { list_options->connection = ListAgentsOptions::Connection::connected; },
        "Only those with a connection");
    list->add_flag_callback(
            "--offline",
            [list_options] { list_options->connection = ListAgentsOptions::Connection::offline; },
            "Only those without one")
        ->excludes(connected);
    list->footer(
        "Examples:\n"
        "  rekeyctl agents list\n"
        "  rekeyctl agents list --offline\n"
        "  rekeyctl agents list -o json | jq -r '.agents[].name'");
    on_chosen(list, list_options, list_agents);

    auto name = std::make_shared<std::string>();
    CLI::App* get = agents->add_subcommand("get", "Show one agent: tokens, session, dates");
    get->add_option("NAME", *name, "Its name or id")->required();
    get->footer("Examples:\n  rekeyctl agents get web-1\n  rekeyctl agents get web-1 -o json");
    on_chosen(get, name, get_agent);

    auto puzzling = std::make_shared<std::string>();
    CLI::App* why = agents->add_subcommand("why", "Say what state an agent is in, and why");
    why->add_option("NAME", *puzzling, "Its name or id")->required();
    why->footer(
        "The gravest comes first: a second holder of its tokens, a suspension, a rotation that\n"
        "fails, the time since when it is offline; and what to do about each.\n\n"
        "Example:\n  rekeyctl agents why web-1");
    on_chosen(why, puzzling, explain_agent);

    auto create_options = std::make_shared<CreateAgentOptions>();
    CLI::App* create = agents->add_subcommand("create", "Create an agent; enroll-code lets it in");
    create->add_option("NAME", create_options->name, "Unique: a-z 0-9 . _ - up to 64 characters")
        ->required();
    create->add_option("--type", create_options->type, "What kind of agent it is")
        ->option_text("TYPE");
    create->add_option("--owner", create_options->owner, "Who is responsible for it")
        ->option_text("OWNER");
    create->add_option("--label", create_options->labels, "NAME=VALUE; may be given again")
        ->option_text("NAME=VALUE ...")
        ->allow_extra_args(false);
    create->add_option("--metadata", create_options->metadata, "A JSON object, free for your use")
        ->option_text("JSON");
    create->footer(
        "Examples:\n"
        "  rekeyctl agents create web-1\n"
        "  rekeyctl agents create web-1 --owner ops --label site=berlin --label tier=front");
    on_chosen(create, create_options, create_agent);

    add_agent_changes(*agents);
    add_identity_commands(app_, *agents, chosen_);
}

void Registry::add_agent_changes(CLI::App& agents) {
    const auto add = [&](const std::string& verb, const std::string& about,
                         const std::string& examples,
                         Result<ExitCode> (*run)(Context&, const ChangeAgentOptions&)) {
        auto options = std::make_shared<ChangeAgentOptions>();
        CLI::App* command = agents.add_subcommand(verb, about);
        command->add_option("NAME", options->name, "Its name or id")->required();
        command->add_option("--reason", options->reason, "Why, for the audit trail")
            ->option_text("TEXT");
        command->footer(examples);
        on_chosen(command, options, run);
    };
    add("suspend", "Refuse an agent until it is reactivated; its tokens stay",
        "Example:\n  rekeyctl agents suspend web-1 --reason 'being investigated'", suspend_agent);
    add("reactivate", "Let a suspended agent in again",
        "Example:\n  rekeyctl agents reactivate web-1", reactivate_agent);
    add("revoke", "End an agent and all of its credentials for ever: it cannot enroll again",
        "Its connection is closed and no token of it is accepted again.\n\n"
        "Example:\n  rekeyctl agents revoke web-1 --reason 'the machine was stolen'",
        revoke_agent);
    add_agent_recovery(agents);
}

void Registry::add_agent_recovery(CLI::App& agents) {
    auto options = std::make_shared<RecoverAgentOptions>();
    CLI::App* command =
        agents.add_subcommand("recover", "Grant an agent one more recovery by its identity key");
    command->add_option("NAME", options->name, "Its name or id")->required();
    command->add_flag_callback(
        "--bar-tokens", [options] { options->tokens = RecoverAgentOptions::Tokens::bar; },
        "Refuse all of its tokens now, so that its identity key alone brings it back");
    command->add_option("--reason", options->reason, "Why, for the audit trail")
        ->option_text("TEXT");
    command->footer(
        "For an agent that says recovery is rate_limited: its budget is spent.\n\n"
        "Examples:\n"
        "  rekeyctl agents recover web-1\n"
        "  rekeyctl agents recover web-1 --bar-tokens --reason 'its state file was copied'");
    on_chosen(command, options, recover_agent);
}

void Registry::add_enroll_code() {
    auto options = std::make_shared<EnrollCodeOptions>();
    CLI::App* command =
        app_.add_subcommand("enroll-code", "Make a join string, with which an agent enrolls once");
    command->add_option("NAME", options->name, "The agent's name or id")->required();
    command->add_flag_callback(
        "-q,--quiet", [options] { options->output = EnrollCodeOptions::Output::join_string; },
        "Print the join string alone");
    command->footer(
        "The join string is a secret until it is used. rekey-agent reads it from a prompt or from\n"
        "standard input, never from its arguments.\n\n"
        "Examples:\n"
        "  rekeyctl enroll-code web-1\n"
        "  rekeyctl enroll-code web-1 -q | ssh web-1 rekey-agent enroll");
    on_chosen(command, options, make_enroll_code);
}

void Registry::add_rotate() {
    auto options = std::make_shared<RotateOptions>();
    CLI::App* command =
        app_.add_subcommand("rotate", "Give agents new tokens and wait until they confirm them");
    auto* names = command->add_option("NAME", options->names, "Names or ids of agents");
    command->add_flag("--all", options->all, "Every active agent")->excludes(names);
    command->add_flag("--force", options->force,
                      "An emergency: do not wait for the grace period of the last rotation");
    command->add_flag_callback(
        "--no-wait", [options] { options->wait = RotateOptions::Wait::no; },
        "Only start; do not wait for the agents");
    auto seconds = std::make_shared<std::int64_t>(options->timeout.count());
    command->add_option("--timeout", *seconds, "Seconds to wait at most")
        ->option_text("SECONDS (60)")
        ->check(whole_number(1, 86'400));
    command->footer(
        "An agent that is offline gets its new token at its next connect; that is reported and is\n"
        "no failure. The exit code is 1 if an agent failed, or did not confirm in time; a token\n"
        "once offered is offered again by the server, whether this command still runs or not.\n\n"
        "Examples:\n"
        "  rekeyctl rotate web-1 web-2\n"
        "  rekeyctl rotate --all --timeout 300\n"
        "  rekeyctl rotate web-1 --force            a token has leaked: replace it now\n"
        "  rekeyctl rotate --all --no-wait -o json");
    command->callback([&chosen = chosen_, options, seconds] {
        if (options->names.empty() && !options->all) throw CLI::RequiredError("NAME or --all");
        options->timeout = std::chrono::seconds{*seconds};
        chosen = [options](Context& context) { return rotate(context, *options); };
    });
}

void Registry::add_rotations() {
    CLI::App* rotations = group(app_, "rotations", "See rotations, or cancel one that waits");

    auto list_options = std::make_shared<ListRotationsOptions>();
    CLI::App* list = rotations->add_subcommand("list", "List rotations, the newest first");
    list->add_option("--agent", list_options->agent, "Only those of this agent, by name or id")
        ->option_text("NAME");
    list->add_option(
            "--status", list_options->status,
            "Only queued, offered, at_next_connect, committed, activated, failing or ended ones")
        ->option_text("STATUS")
        ->transform(choice(kRotationStatuses));
    list->add_option("--limit", list_options->limit, "So many at most")
        ->option_text("N (50)")
        ->check(whole_number(1, kMostRows));
    list->footer(
        "Examples:\n"
        "  rekeyctl rotations list --status failing\n"
        "  rekeyctl rotations list --agent web-1 --limit 5");
    on_chosen(list, list_options, list_rotations);

    auto id = std::make_shared<std::string>();
    CLI::App* get = rotations->add_subcommand("get", "Show one rotation");
    get->add_option("ID", *id, "The rotation's id")->required();
    get->footer("Example:\n  rekeyctl rotations get 0194f0c2-7b1a-7c3e-9d58-2f6a1c0b7e44");
    on_chosen(get, id, get_rotation);

    auto what = std::make_shared<std::string>();
    CLI::App* cancel = rotations->add_subcommand(
        "cancel", "Cancel a rotation that waits for its agent's next connect");
    cancel->add_option("NAME", *what, "The agent's name or id, or the rotation's id")->required();
    cancel->footer(
        "A token that was offered may have been saved, so it is never withdrawn.\n\n"
        "Example:\n  rekeyctl rotations cancel web-1");
    on_chosen(cancel, what, cancel_rotation);
}

void Registry::add_settings() {
    CLI::App* settings = group(app_, "settings", "See and change the server's settings");

    CLI::App* list = settings->add_subcommand("list", "List all settings and their sources");
    list->footer("Example:\n  rekeyctl settings list");
    list->callback([&chosen = chosen_] { chosen = list_settings; });

    auto name = std::make_shared<std::string>();
    CLI::App* get = settings->add_subcommand("get", "Print the value of one setting");
    get->add_option("NAME", *name, "The setting")->required();
    get->footer("Example:\n  rekeyctl settings get agent_token_rotation_days");
    on_chosen(get, name, get_setting);

    auto assignments = std::make_shared<std::vector<std::string>>();
    CLI::App* set = settings->add_subcommand("set", "Change settings: all of them, or none");
    set->add_option("NAME=VALUE", *assignments, "What to set")->required();
    set->footer(
        "They are in force at once and outlive a restart of the server.\n\n"
        "Example:\n"
        "  rekeyctl settings set heartbeat_seconds=15 agent_token_rotation_days=3");
    on_chosen(set, assignments, set_settings);
}

void Registry::add_server() {
    CLI::App* info = app_.add_subcommand("info", "Show what this server is and how it is");
    info->footer("Example:\n  rekeyctl info");
    info->callback([&chosen = chosen_] { chosen = show_info; });

    auto call_options = std::make_shared<CallOptions>();
    CLI::App* call = app_.add_subcommand("call", "Call any method and print its result as JSON");
    call->add_option("METHOD", call_options->method, "Its name, as in docs/protocol.md")
        ->required();
    call->add_option("JSON", call_options->params, "Its params; - reads them from standard input");
    call->footer(
        "Examples:\n"
        "  rekeyctl call system.info\n"
        "  rekeyctl call agents.list '{\"status\": \"suspended\", \"limit\": 5}'\n"
        "  echo '{\"limit\": 1}' | rekeyctl call rotations.list -");
    on_chosen(call, call_options, call_method);
}

}  // namespace

void add_commands(CLI::App& app, Verb& chosen) {
    Registry registry(app, chosen);
    registry.add_agents();
    registry.add_enroll_code();
    registry.add_rotate();
    registry.add_rotations();
    registry.add_settings();
    add_key_commands(app, chosen);
    add_signing_key_commands(app, chosen);
    registry.add_server();
    add_audit_commands(app, chosen);
}

}  // namespace rekey::cli
