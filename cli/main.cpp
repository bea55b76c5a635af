#include "base/clock.hpp"
#include "base/secret.hpp"
#include "cli/http_api.hpp"
#include "cli/program.hpp"

#include <csignal>
#include <exception>
#include <iostream>
#include <thread>

int main(int argc, char** argv) {
    using namespace rekey;
    forbid_core_dumps();
    // A server that goes away while it is written to is an error to report, not a signal to die of.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        cli::Console console = cli::standard_console();
        const cli::Environment environment = cli::process_environment();
        const SystemClock clock;
        const cli::World world{console, environment, clock,
                               [](Milliseconds time) { std::this_thread::sleep_for(time); },
                               cli::HttpApi::connect};
        const cli::ExitCode code = cli::run({argv + 1, argv + argc}, world);
        std::cout.flush();
        if (!std::cout && code == cli::ExitCode::ok) {
            std::cerr << "rekeyctl: the result could not be written to standard output\n";
            return static_cast<int>(cli::ExitCode::failure);
        }
        return static_cast<int>(code);
    } catch (const std::exception& error) {
        std::cerr << "rekeyctl: internal: " << error.what() << '\n';
        return static_cast<int>(cli::ExitCode::failure);
    }
}
