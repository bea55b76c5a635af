#include "cli/key_commands.hpp"

#include "base/limits.hpp"
#include "base/option_checks.hpp"
#include "cli/on_chosen.hpp"
#include "cli/verbs/keys.hpp"

#include <memory>
#include <string>

namespace rekey::cli {
namespace {

constexpr std::int64_t kMostDays = 36'500;

void add_quiet(CLI::App* command, ShowKey& show) {
    command->add_flag_callback(
        "-q,--quiet", [&show] { show = ShowKey::alone; }, "Print the key alone");
}

void add_key_name(CLI::App* command, KeyName& key) {
    command->add_option("NAME", key.agent, "The agent's name or id")->required();
    command->add_option("KEY", key.key, "The key's id, or its name if no other has it")->required();
}

void add_create(CLI::App* keys, Verb& chosen) {
    auto options = std::make_shared<CreateKeyOptions>();
    CLI::App* create = keys->add_subcommand("create", "Make an API key of an agent; shown once");
    create->add_option("NAME", options->agent, "The agent's name or id")->required();
    create->add_option("KEY", options->name, "What the key is for")->required();
    create
        ->add_option("--capability", options->capabilities,
                     "Only this one of the agent's; may be given again")
        ->option_text("CAPABILITY ...")
        ->allow_extra_args(false);
    create->add_option("--days", options->days, "How long it lives; for ever if left out")
        ->option_text("DAYS")
        ->check(whole_number(1, kMostDays));
    add_quiet(create, options->show);
    create->footer(
        "Examples:\n"
        "  rekeyctl keys create ci deploys --capability agents:read --days 90\n"
        "  rekeyctl keys create ci deploys -q > ci.key");
    on_chosen(create, chosen, options, create_key);
}

void add_rotate(CLI::App* keys, Verb& chosen) {
    auto options = std::make_shared<RotateKeyOptions>();
    CLI::App* rotate =
        keys->add_subcommand("rotate", "Make a key's successor; the old key works on for a while");
    add_key_name(rotate, options->key);
    rotate
        ->add_option("--grace-hours", options->grace_hours,
                     "How long the old key works on, in place of key_rotation_grace_hours")
        ->option_text("HOURS")
        ->check(whole_number(0, limits::kKeyGraceHours));
    add_quiet(rotate, options->show);
    rotate->footer(
        "When the answer was lost, rotate again: a successor that nobody used is replaced.\n\n"
        "Examples:\n"
        "  rekeyctl keys rotate ci deploys\n"
        "  rekeyctl keys rotate ci deploys --grace-hours 0    it has leaked: end it now");
    on_chosen(rotate, chosen, options, rotate_key);
}

}  // namespace

void add_key_commands(CLI::App& app, Verb& chosen) {
    CLI::App* keys = app.add_subcommand("keys", "Make, list, rotate and revoke agents' API keys");
    keys->require_subcommand(1);
    keys->footer("Help on one, with examples: rekeyctl keys COMMAND --help");
    add_create(keys, chosen);

    auto name = std::make_shared<std::string>();
    CLI::App* list = keys->add_subcommand("list", "List an agent's API keys, never their secrets");
    list->add_option("NAME", *name, "The agent's name or id")->required();
    list->footer("Example:\n  rekeyctl keys list ci");
    on_chosen(list, chosen, name, list_keys);

    add_rotate(keys, chosen);

    auto revoked = std::make_shared<KeyName>();
    CLI::App* revoke =
        keys->add_subcommand("revoke", "End a key, and the access tokens made with it, now");
    add_key_name(revoke, *revoked);
    revoke->footer("Example:\n  rekeyctl keys revoke ci deploys");
    on_chosen(revoke, chosen, revoked, revoke_key);

    CLI::App* token =
        app.add_subcommand("token", "Print an access token: a JWT made with your API key");
    token->footer(
        "It lives for jwt_minutes. It is a secret.\n\n"
        "Example:\n  curl -H \"Authorization: Bearer $(rekeyctl token)\" "
        "https://rekey:7443/agents");
    token->callback([&chosen] { chosen = print_token; });
}

}  // namespace rekey::cli
