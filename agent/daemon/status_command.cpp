#include "agent/daemon/commands.hpp"
#include "agent/disk.hpp"
#include "agent/state.hpp"
#include "agent/token_vault.hpp"

#include <boost/json/serialize.hpp>

#include <fstream>
#include <iostream>
#include <sstream>
#include <sys/stat.h>

namespace rekey::agent {
namespace {

std::string_view text_of(rotation::TokenState state) {
    return state == rotation::TokenState::candidate ? "candidate" : "confirmed";
}

std::string trust_of(const protocol::ServerTrust& trust) {
    if (const auto* pin = std::get_if<protocol::PinnedCa>(&trust))
        return protocol::format_pin(pin->sha256);
    return std::holds_alternative<protocol::SystemCa>(trust) ? "system" : "plain";
}

void print_json(const AgentState& state, const std::string& path, std::optional<pid_t> daemon) {
    boost::json::array tokens;
    for (const rotation::HeldToken& held : state.tokens)
        tokens.push_back({{"generation", held.generation},
                          {"rotation_id", held.rotation_id},
                          {"state", boost::json::string_view(text_of(held.state))}});
    boost::json::object result{{"agent_id", state.agent_id},
                               {"server", to_string(state.server)},
                               {"trust", trust_of(state.server.trust)},
                               {"state_file", path},
                               {"running", daemon.has_value()},
                               {"tokens", std::move(tokens)}};
    if (daemon) result["pid"] = *daemon;
    std::cout << boost::json::serialize(result) << std::endl;
}

void print_text(const AgentState& state, const std::string& path, std::optional<pid_t> daemon) {
    std::cout << "agent       " << state.agent_id << "\nserver      " << to_string(state.server)
              << "\ntrust       " << trust_of(state.server.trust) << "\nstate file  " << path
              << "\ndaemon      "
              << (daemon ? "running, pid " + std::to_string(*daemon) : "not running") << '\n';
    for (const rotation::HeldToken& held : state.tokens)
        std::cout << "token       generation " << held.generation << ", " << text_of(held.state)
                  << ", rotation " << held.rotation_id << '\n';
    std::cout << std::flush;
}

}  // namespace

// A try-lock would tell too, and could make a daemon that starts at that moment believe that
// another one runs.
std::optional<pid_t> lock_holder(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    const std::string inode = ":" + std::to_string(status.st_ino);
    std::ifstream locks("/proc/locks");
    // "3: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"; devices are not compared, because some
    // file systems show another one to stat().
    for (std::string line; std::getline(locks, line);) {
        std::istringstream words(line);
        std::string number, kind, mode, access, file;
        pid_t owner = 0;
        if (!(words >> number >> kind >> mode >> access >> owner >> file) || kind != "FLOCK")
            continue;
        std::ifstream named(path);
        pid_t written = 0;
        if (file.ends_with(inode) && named >> written && written == owner) return owner;
    }
    return std::nullopt;
}

ExitCode status_command(const StatusCommand& command) {
    FileDisk disk(command.state_path);
    const auto vault = TokenVault::open(disk);
    if (vault.has_error()) {
        if (vault.error().code() != Code::not_found)
            return report(vault.error(), exit_code_of(vault.error()));
        return report(Error(Code::not_found, "not enrolled: there is no " + command.state_path),
                      ExitCode::configuration);
    }
    const auto daemon = lock_holder(AgentPaths{command.state_path}.lock());
    if (command.output == OutputFormat::json)
        print_json(vault->state(), command.state_path, daemon);
    else
        print_text(vault->state(), command.state_path, daemon);
    return ExitCode::ok;
}

}  // namespace rekey::agent
