#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rekey::agent::detect {

// Where to look: all absolute, given from outside so that tests have a home of their own.
struct Places {
    std::string home;
    std::string config_home;  // $XDG_CONFIG_HOME, else ~/.config
    std::string project;      // whose own files are read too; empty: none
};
// Of the environment and the working directory.
[[nodiscard]] Places places_here();

// One file that a client reads its MCP servers from.
struct ClientFile {
    std::string_view client;
    std::string path;
    // The members that lead to the servers, from the outermost: {"mcp", "servers"}. Where a file
    // may have them in several places, there are several.
    std::vector<std::vector<std::string_view>> servers;
};

// The files of all known clients, whether they are there or not, in a fixed order.
[[nodiscard]] std::vector<ClientFile> client_files(const Places& places);

}  // namespace rekey::agent::detect
