#include "agent/daemon/commands.hpp"
#include "agent/daemon/join_input.hpp"
#include "agent/enrollment.hpp"

#include <iostream>
#include <string_view>

namespace rekey::agent {
namespace {

std::string explain_transport(const Error& error, const ServerAddress& server) {
    constexpr std::string_view kNewOne =
        "; make a new join string on the server that you mean: rekeyctl enroll-code NAME";
    const bool plain = std::holds_alternative<protocol::PlainLoopback>(server.trust);
    return error.message() +
           (plain ? ". The join string is for a server without TLS (rekey+plain://); this one "
                    "probably speaks TLS, unless it has just ended"
                  : ". The join string is for a server with TLS (rekey://); this one is another "
                    "service, or a rekeyd with --plain-http, whose join strings begin with "
                    "rekey+plain://") +
           std::string(kNewOne);
}

// The server's refusals in words that say the way out.
std::string explain(const Error& error, const ServerAddress& server) {
    const std::string where = to_string(server);
    switch (error.code()) {
        case Code::permission_denied:
            if (error.details() != nullptr && error.details()->contains("reason"))
                return where + ": " + error.message() +
                       "; nothing was sent. Check the join string's address, and get a new one "
                       "if the server's CA has changed";
            break;
        case Code::unknown_credential:
            return where +
                   " does not accept this code: it is expired, or was never made there; "
                   "get a new one with: rekeyctl enroll-code NAME";
        case Code::conflict:
            return where +
                   ": this code was used already, by another key; get a new one with: "
                   "rekeyctl enroll-code NAME";
        case Code::unavailable:
            if (other_transport(error)) return explain_transport(error, server);
            break;
        default:
            break;
    }
    return error.message();
}

}  // namespace

ExitCode report(const Error& error, ExitCode code) {
    std::cerr << "rekey-agent: " << error.message() << '\n';
    return code;
}

ExitCode exit_code_of(const Error& error) {
    switch (error.code()) {
        case Code::not_found:
        case Code::corrupt:
        case Code::permission_denied:
        case Code::invalid_params:
            return ExitCode::configuration;
        default:
            return ExitCode::failure;
    }
}

ExitCode enroll_command(const EnrollCommand& command) {
    const auto text = read_join_string(command.join_file);
    if (text.has_error()) return report(text.error(), ExitCode::usage);
    const auto join = protocol::parse_join_string(text->expose());
    if (join.has_error()) return report(join.error(), ExitCode::usage);

    const Log log(LogLevel::info, LogFormat::logfmt);
    EnrollmentOptions options;
    options.about = about_this_agent();
    options.reenroll = command.reenroll;
    const auto enrolled = enroll_files(*join, {command.state_path}, options, log);
    if (enrolled.has_error()) {
        const ServerAddress server{join->host, join->port, join->trust};
        return report(
            Error(enrolled.error().code(), explain(enrolled.error(), server)),
            enrolled.error().code() == Code::corrupt ? ExitCode::configuration : ExitCode::failure);
    }
    std::cout << "enrolled as agent " << enrolled->agent_id << " at " << to_string(enrolled->server)
              << "\nnext: rekey-agent run --state " << command.state_path << std::endl;
    return ExitCode::ok;
}

}  // namespace rekey::agent
