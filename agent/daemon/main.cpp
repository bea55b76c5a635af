#include "agent/daemon/commands.hpp"
#include "base/secret.hpp"

#include <csignal>
#include <exception>
#include <iostream>

namespace {

using namespace rekey::agent;

struct Execute {
    ExitCode operator()(const EnrollCommand& command) const { return enroll_command(command); }
    ExitCode operator()(const RunCommand& command) const { return run_command(command); }
    ExitCode operator()(const StatusCommand& command) const { return status_command(command); }
    ExitCode operator()(const DetectCommand& command) const { return detect_command(command); }
    ExitCode operator()(const TokenCommand& command) const { return token_command(command); }
    ExitCode operator()(const VersionCommand& /*command*/) const {
        std::cout << "rekey-agent " << REKEY_VERSION << std::endl;
        return ExitCode::ok;
    }
    ExitCode operator()(const PrintUsage& usage) const {
        (usage.exit_code == 0 ? std::cout : std::cerr) << usage.text << std::flush;
        return static_cast<ExitCode>(usage.exit_code);
    }
};

}  // namespace

int main(int argc, char** argv) {
    rekey::forbid_core_dumps();
    // A log pipe that nobody reads any more must not end a daemon that keeps a token alive.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return static_cast<int>(std::visit(Execute{}, parse_arguments({argv + 1, argv + argc})));
    } catch (const std::exception& error) {
        std::cerr << "rekey-agent: " << error.what() << '\n';
        return static_cast<int>(ExitCode::failure);
    }
}
