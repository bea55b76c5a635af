#include "server/config/command_line.hpp"

#include "base/option_value.hpp"

#include <CLI/CLI.hpp>

#include <map>
#include <memory>

namespace rekey::server::config {
namespace {

constexpr const char* kFooter =
    "Each flag is also a key of the TOML file (data_dir) and a variable (REKEY_DATA_DIR): flag "
    "over\n"
    "variable over file. Settings such as heartbeat_seconds go into the file, into REKEY_* or "
    "through\n"
    "`rekeyctl settings set`; docs/configuration.md lists them.\n\n"
    "Try:  rekeyd --data-dir ./rekey-data        then, beside it:  rekeyctl --data-dir "
    "./rekey-data "
    "agents list";

struct Given {
    std::map<std::string, std::string, std::less<>> texts;  // by key
    std::map<std::string, bool, std::less<>> toggles;
    bool reset = false;
    bool rotate = false;
};

void declare_flags(CLI::App& app, Given& given) {
    for (const FlagInfo& flag : flags_table()) {
        const std::string key(flag.key);
        if (flag.kind == FlagInfo::Kind::toggle) {
            app.add_flag(flag_name(flag), given.toggles[key], std::string(flag.summary));
        } else {
            app.add_option(flag_name(flag), given.texts[key], std::string(flag.summary))
                ->type_name(std::string(flag.placeholder))
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
        }
    }
}

FlagTexts collect(const CLI::App& app, const Given& given) {
    FlagTexts texts;
    for (const FlagInfo& flag : flags_table()) {
        const std::string name = flag_name(flag);
        if (app.count(name) == 0) continue;
        const std::string key(flag.key);
        const bool toggle = flag.kind == FlagInfo::Kind::toggle;
        const std::string text =
            toggle ? (given.toggles.at(key) ? "true" : "false") : given.texts.at(key);
        texts[key] = FlagText{text, name};
    }
    return texts;
}

}  // namespace

Result<std::variant<CommandLine, PrintAndExit>> read_command_line(int argc,
                                                                  const char* const* argv) {
    using Outcome = std::variant<CommandLine, PrintAndExit>;
    CLI::App app{
        "rekeyd: the control plane that rotates the tokens of agents without locking one out",
        "rekeyd"};
    Given given;
    declare_flags(app, given);
    app.set_version_flag("--version", "rekeyd " REKEY_VERSION);
    app.footer(kFooter);
    app.require_subcommand(0, 1);
    auto* serve =
        app.add_subcommand("serve", "run the server (what happens without a command, too)");
    auto* admin_key = app.add_subcommand("admin-key", "replace the admin's API key, offline");
    auto* master_key = app.add_subcommand("master-key", "put another master key to work, offline");
    serve->fallthrough();
    admin_key->fallthrough();
    master_key->fallthrough();
    master_key
        ->add_flag("--rotate", given.rotate,
                   "seal everything again under a new key; the old one stays in DIR/master.key.old")
        ->required();
    admin_key
        ->add_flag("--reset", given.reset, "write a new key to DIR/admin.key; the old one ends")
        ->required();
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForVersion&) {
        return Outcome(PrintAndExit{"rekeyd " REKEY_VERSION "\n"});
    } catch (const CLI::CallForHelp&) {
        return Outcome(PrintAndExit{app.help()});
    } catch (const CLI::ParseError& problem) {
        return Error(Code::invalid_params,
                     reworded(problem.what()) + "; see `rekeyd --help` for what there is");
    }
    CommandLine line;
    if (admin_key->parsed()) line.command = Command::reset_admin_key;
    if (master_key->parsed()) line.command = Command::rotate_master_key;
    line.flags = collect(app, given);
    return Outcome(std::move(line));
}

}  // namespace rekey::server::config
