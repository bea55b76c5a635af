#include "cli/arguments.hpp"

#include "base/option_checks.hpp"
#include "cli/agent_names.hpp"
#include "cli/commands.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace rekey::cli {
namespace {

constexpr const char* kAbout =
    "rekeyctl administers a Rekey server: its agents, their tokens and its settings.\n"
    "On the server's host, as the user who runs rekeyd, it needs no configuration.";

constexpr const char* kFooter =
    "Which server and which key:\n"
    "  --server, else REKEY_SERVER, else what rekeyd wrote into DIR/listen.\n"
    "  --api-key-file, else REKEY_API_KEY, else DIR/admin.key. A key is never an argument.\n"
    "  --ca-file, else DIR/ca.pem, else the certificate authorities of the system.\n"
    "  DIR is --data-dir, else REKEY_DATA_DIR, else /var/lib/rekey as root and\n"
    "  ${XDG_STATE_HOME:-~/.local/state}/rekey otherwise; this last default is not used when a\n"
    "  server was named, so that the local admin's key is never sent elsewhere.\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 64 wrong arguments, 69 server not reached or busy,\n"
    "77 no permission (credential, file or certificate).\n"
    "\n"
    "Examples:\n"
    "  rekeyctl agents create web-1          make an agent,\n"
    "  rekeyctl enroll-code web-1            let it in with what this prints,\n"
    "  rekeyctl rotate web-1                 give it a new token now\n"
    "  rekeyctl rotate --all                 ... or every agent\n"
    "  rekeyctl agents list -o json | jq -r '.agents[] | select(.connected | not) | .name'\n"
    "\n"
    "Help on a command, with examples: rekeyctl COMMAND --help";

constexpr std::array<std::string_view, 2> kFormats{"table", "json"};  // as in Format

void add_global_options(CLI::App& app, Arguments& arguments) {
    app.add_option("--server", arguments.target.server, "The server: HOST[:PORT] or https://…")
        ->option_text("ADDRESS");
    app.add_option("--api-key-file", arguments.target.api_key_file,
                   "A file that holds the API key and is readable by its owner only")
        ->option_text("FILE");
    app.add_option("--ca-file", arguments.target.ca_file, "The server's CA certificate, in PEM")
        ->option_text("FILE");
    app.add_option("--data-dir", arguments.target.data_dir, "The data directory of a local server")
        ->option_text("DIR");
    app.add_flag("--plain-http", arguments.target.plain_http,
                 "Speak HTTP without TLS, to a server that runs with --plain-http");
    app.add_option("-o,--output", arguments.format, "table, or json: the method's result")
        ->option_text("table|json")
        ->transform(choice(kFormats));
    app.set_version_flag("--version", std::string("rekeyctl " REKEY_VERSION));
}

// The innermost command that was recognised; `path` becomes how it is called: "rekeyctl agents
// get".
const CLI::App* innermost(const CLI::App* app, std::string& path) {
    const auto chosen = app->get_subcommands();
    if (chosen.empty()) return app;
    path += " " + chosen.front()->get_name();
    return innermost(chosen.front(), path);
}

// The parser says only that a command is missing; this says which word is none.
std::string unknown_command(const CLI::App& group, const std::string& word) {
    std::vector<std::string> known;
    for (const CLI::App* command : group.get_subcommands(nullptr))
        known.push_back(command->get_name());
    const std::vector<std::string> near = nearest_names(word, known);
    return fmt::format(
        "{} is no command{}", printable(word),
        near.empty() ? std::string() : fmt::format("; did you mean {}?", fmt::join(near, " or ")));
}

ParserAnswer not_understood(const CLI::App& app, const CLI::ParseError& error) {
    std::string path = "rekeyctl";
    const CLI::App& command = *innermost(&app, path);
    std::string what = reworded(error.what());
    const std::vector<std::string> rest = app.remaining(true);
    if (!command.get_subcommands(nullptr).empty() && !rest.empty())
        what = unknown_command(command, rest.front());
    return {ExitCode::usage, fmt::format("rekeyctl: usage: {}. See: {} --help\n",
                                         without_credentials(printable(what)), path)};
}

}  // namespace

std::variant<Arguments, ParserAnswer> parse_arguments(std::vector<std::string> args) {
    Arguments arguments;
    CLI::App app(kAbout, "rekeyctl");
    app.footer(kFooter);
    app.fallthrough();
    app.require_subcommand(1);
    add_global_options(app, arguments);
    add_commands(app, arguments.verb);
    std::reverse(args.begin(), args.end());  // what CLI11 wants
    try {
        app.parse(args);
    } catch (const CLI::CallForVersion& version) {
        return ParserAnswer{ExitCode::ok, std::string(version.what()) + "\n"};
    } catch (const CLI::Success&) {
        return ParserAnswer{ExitCode::ok, app.help()};
    } catch (const CLI::ParseError& error) {
        return not_understood(app, error);
    }
    return arguments;
}

}  // namespace rekey::cli
