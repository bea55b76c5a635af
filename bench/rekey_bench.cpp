// rekey-bench: prints the figures that Rekey claims, measured on a private rekeyd. See
// bench/README.md.
#include "bench/benches.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>
#include <string>

using namespace rekey::bench;

int main(int argc, char** argv) {
    std::string which = "all";
    bool quick = false;
    CLI::App app{
        "Measures a private rekeyd: heartbeats, rotation, memory or jwt_calls; all of them without "
        "an argument."};
    app.add_option("bench", which, "all, heartbeats, rotation, memory or jwt_calls")
        ->check(CLI::IsMember({"all", "heartbeats", "rotation", "memory", "jwt_calls"}));
    app.add_flag("--quick", quick, "Small numbers, to see that it runs");
    CLI11_PARSE(app, argc, argv);
    const auto wanted = [&](const char* name) { return which == "all" || which == name; };
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    try {
        // Memory first: it reads this machine's state before the others warm it.
        if (wanted("memory")) {
            idle_memory(Transport::plain, quick ? 50 : 1000, quick ? 200 : 8000);
            idle_memory(Transport::tls, quick ? 50 : 1000, quick ? 200 : 8000);
        }
        if (wanted("rotation")) {
            fleet_rotation(Transport::plain, AgentState::memory, quick ? 50 : 1000, quick ? 2 : 9);
            fleet_rotation(Transport::tls, AgentState::memory, quick ? 50 : 1000, quick ? 2 : 9);
            fleet_rotation(Transport::tls, AgentState::files, quick ? 50 : 1000, quick ? 2 : 5);
        }
        if (wanted("heartbeats")) {
            heartbeats(Transport::plain, 100, quick ? 1 : 7);
            heartbeats(Transport::tls, 100, quick ? 1 : 7);
        }
        if (wanted("jwt_calls")) {
            const std::size_t seconds = quick ? 1 : 7;
            for (const Transport transport : {Transport::plain, Transport::tls})
                for (const char* method : {"system.info", "agents.get"})
                    jwt_calls(transport, Credential::access_token, method, 32, seconds);
            jwt_calls(Transport::plain, Credential::api_key, "agents.get", 32, seconds);
        }
    } catch (const std::exception& error) {
        std::cerr << "rekey-bench: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
