#include "agent/daemon/commands.hpp"
#include "agent/daemon/control_peer.hpp"
#include "agent/detect/find_servers.hpp"
#include "protocol/methods/agent_reports.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rekey::agent {
namespace {

using detect::Findings;
using detect::FoundServer;
using Row = std::vector<std::string>;

// AIM's word for what was found in a configuration file; nobody looked whether it runs.
constexpr std::string_view kMethod = "auto_config";
constexpr double kConfidence = 90;

struct Reported {
    std::uint64_t added = 0;
    std::uint64_t already_registered = 0;
};

// One call a name: two clients that use the same server say so once.
Result<Reported> report_over(const std::string& state_path, const Findings& findings) {
    using Method = protocol::AgentRegisterMcpServer;
    std::set<std::string> names;
    for (const FoundServer& server : findings.servers) names.insert(server.name);
    Reported reported;
    for (const std::string& name : names) {
        const Method::Params params{name, std::string(kMethod), kConfidence};
        REKEY_TRY_ASSIGN(answer, ask_daemon(state_path, Method::name, protocol::encode(params)));
        REKEY_TRY_ASSIGN(result, protocol::decode_result<Method>(answer));
        reported.added += result.added;
        reported.already_registered += result.already_registered;
    }
    return reported;
}

// File names are not ours: what could steer a terminal is not printed.
std::string printable(std::string text) {
    std::ranges::replace_if(
        text, [](unsigned char c) { return c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0); },
        '?');
    return text;
}

void print_rows(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const Row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::cout << row[i];
            if (i + 1 < row.size()) std::cout << std::string(widths[i] - row[i].size() + 2, ' ');
        }
        std::cout << '\n';
    }
}

void print_text(const Findings& findings, const std::optional<Reported>& reported) {
    std::vector<Row> rows{{"SERVER", "CLIENT", "TRANSPORT", "COMMAND", "FILE"}};
    for (const FoundServer& server : findings.servers)
        rows.push_back({server.disabled ? server.name + " (disabled)" : server.name, server.client,
                        server.transport, server.command.empty() ? "-" : server.command,
                        printable(server.file)});
    if (findings.servers.empty())
        std::cout << "No MCP servers were found.\n";
    else
        print_rows(rows);
    for (const auto& one : findings.passed_over)
        std::cerr << "passed over: " << printable(one.file) << " " << printable(one.why) << '\n';
    if (reported)
        std::cout << "\nReported: " << reported->added << " new, " << reported->already_registered
                  << " known already.\n";
    std::cout << std::flush;
}

void print_json(const Findings& findings, const std::optional<Reported>& reported) {
    boost::json::array servers;
    for (const FoundServer& server : findings.servers) {
        boost::json::object one{{"name", server.name},
                                {"client", server.client},
                                {"transport", server.transport},
                                {"disabled", server.disabled},
                                {"file", server.file}};
        if (!server.command.empty()) one["command"] = server.command;
        servers.push_back(std::move(one));
    }
    boost::json::array passed_over;
    for (const auto& one : findings.passed_over)
        passed_over.push_back(boost::json::object{{"file", one.file}, {"why", one.why}});
    boost::json::object result{{"servers", std::move(servers)},
                               {"passed_over", std::move(passed_over)}};
    if (reported)
        result["reported"] = boost::json::object{
            {"added", reported->added}, {"already_registered", reported->already_registered}};
    std::cout << boost::json::serialize(result) << std::endl;
}

}  // namespace

ExitCode detect_command(const DetectCommand& command) {
    detect::Places places = detect::places_here();
    if (!command.project.empty()) places.project = command.project;
    const Findings findings = detect::find_servers(places);
    std::optional<Reported> reported;
    std::optional<Error> failure;
    if (command.send == DetectCommand::Send::report) {
        auto outcome = report_over(command.state_path, findings);
        if (outcome.has_error())
            failure = outcome.error();
        else
            reported = *outcome;
    }
    // What was found is shown whether it could be sent or not.
    if (command.output == OutputFormat::json)
        print_json(findings, reported);
    else
        print_text(findings, reported);
    return failure ? report(*failure, ExitCode::failure) : ExitCode::ok;
}

}  // namespace rekey::agent
