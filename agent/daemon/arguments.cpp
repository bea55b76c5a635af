#include "agent/daemon/arguments.hpp"

#include "base/option_checks.hpp"
#include "protocol/vocabulary.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <span>
#include <string_view>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

namespace rekey::agent {
namespace {

constexpr const char* kMistake =
    "rekey-agent: the arguments are not as expected. They are not repeated here, because one of "
    "them may be a secret; a join string is never an argument: give it at the prompt, on standard "
    "input, with --join-file FILE or in REKEY_JOIN. See: rekey-agent --help\n";

// Each in the order of its enumeration.
constexpr std::array<std::string_view, 2> kLogFormats{"logfmt", "json"};
constexpr auto kLogLevels = names_of(protocol::AgentLogLevel{});
constexpr std::array<std::string_view, 2> kOutputFormats{"text", "json"};

// Who writes `--log-level loud` is told which words there are. What is no short word is not
// repeated: it may be a secret.
CLI::Validator word_of(std::span<const std::string_view> choices) {
    const CLI::Validator check = choice(choices);
    return {[check](std::string& given) {
                constexpr std::size_t kLongestShown = 16;
                const bool shown = given.size() <= kLongestShown &&
                                   std::ranges::all_of(
                                       given, [](unsigned char c) { return std::isalpha(c) != 0; });
                if (!shown) given = "...";
                return check(given);
            },
            ""};
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

void add_state(CLI::App& command, std::string& path) {
    command.add_option("--state", path, "The state file (REKEY_STATE)")
        ->type_name("FILE")
        ->capture_default_str();
}

}  // namespace

std::string default_state_path() {
    if (const std::string path = variable("REKEY_STATE"); !path.empty()) return path;
    if (::geteuid() == 0) return "/var/lib/rekey-agent/state.json";
    std::string home = variable("XDG_STATE_HOME");
    if (home.empty()) home = variable("HOME") + "/.local/state";
    return home + "/rekey-agent/state.json";
}

Command parse_arguments(const std::vector<std::string>& arguments) {
    CLI::App app("Keeps this machine's agent connected to Rekey and its token fresh.",
                 "rekey-agent");
    app.require_subcommand(1);
    EnrollCommand enroll{.state_path = default_state_path()};
    RunCommand run{.state_path = default_state_path()};
    StatusCommand status{.state_path = default_state_path()};
    DetectCommand detect{.state_path = default_state_path()};
    TokenCommand token{.state_path = default_state_path()};
    bool replace = false;
    bool report_found = false;
    bool strict_times = false;

    CLI::App& enroll_app = *app.add_subcommand(
        "enroll",
        "Exchanges a join string for this agent's first token. The join string (rekeyctl "
        "enroll-code NAME) comes from a prompt, standard input, --join-file or REKEY_JOIN");
    add_state(enroll_app, enroll.state_path);
    enroll_app.add_option("--join-file", enroll.join_file, "Read the join string from this file")
        ->type_name("FILE");
    enroll_app.add_flag("--replace", replace,
                        "Give up the agent that this state file is enrolled as");

    CLI::App& run_app = *app.add_subcommand("run", "Connects and stays connected, until SIGTERM");
    add_state(run_app, run.state_path);
    run_app
        .add_option("--on-rotate", run.on_rotate,
                    "Run this shell command after each rotation, with REKEY_AGENT_ID, "
                    "REKEY_GENERATION and REKEY_ROTATION_ID")
        ->type_name("CMD");
    run_app.add_option("--log-format", run.log_format, "Form of the log lines: logfmt or json")
        ->type_name("")
        ->transform(word_of(kLogFormats));
    run_app.add_option("--log-level", run.log_level, "debug, info, warning or error")
        ->type_name("")
        ->transform(word_of(kLogLevels));
    run_app.add_flag("--strict-times", strict_times,
                     "Check the server certificate's validity times below a pinned CA, too");

    CLI::App& status_app = *app.add_subcommand("status", "Shows what the state file holds");
    add_state(status_app, status.state_path);
    status_app.add_option("-o,--output", status.output, "text or json")
        ->type_name("")
        ->transform(word_of(kOutputFormats));
    CLI::App& detect_app = *app.add_subcommand(
        "detect",
        "Finds the MCP servers that programs on this machine are configured to use. Shows names, "
        "transports and programs, never arguments, environments or addresses");
    add_state(detect_app, detect.state_path);
    detect_app.add_flag("--report", report_found,
                        "Tell the server of them, through the daemon that runs");
    detect_app
        .add_option("--project", detect.project,
                    "Read this folder's own files too; default: the working directory")
        ->type_name("DIR");
    detect_app.add_option("-o,--output", detect.output, "text or json")
        ->type_name("")
        ->transform(word_of(kOutputFormats));
    CLI::App& token_app = *app.add_subcommand(
        "token", "Prints a short-lived access token of this agent, from the daemon that runs");
    add_state(token_app, token.state_path);
    token_app
        .add_option("--audience", token.audience,
                    "Who is to believe it, for example a service's URL; default: the Rekey server")
        ->type_name("A");
    CLI::App& version_app = *app.add_subcommand("version", "Prints the version");

    if (arguments.empty())
        return PrintUsage{
            "rekey-agent: a command is missing: enroll, run, status, detect, token or version. "
            "See: rekey-agent --help\n",
            EX_USAGE};
    try {
        // CLI11 takes them from the back.
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        return PrintUsage{app.help()};
    } catch (const CLI::ValidationError& error) {
        return PrintUsage{
            "rekey-agent: " + std::string(error.what()) + ". See: rekey-agent --help\n", EX_USAGE};
    } catch (const CLI::ParseError&) {
        return PrintUsage{kMistake, EX_USAGE};
    }
    enroll.reenroll = replace ? Reenroll::replace : Reenroll::refuse;
    if (strict_times) run.certificate_times = net::CertificateTimes::always_checked;
    if (enroll_app.parsed()) return enroll;
    if (run_app.parsed()) return run;
    if (status_app.parsed()) return status;
    if (report_found) detect.send = DetectCommand::Send::report;
    if (detect_app.parsed()) return detect;
    if (token_app.parsed()) return token;
    if (version_app.parsed()) return VersionCommand{};
    return PrintUsage{kMistake, EX_USAGE};
}

}  // namespace rekey::agent
