#pragma once

#include "agent/detect/config_text.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::agent::detect {

// Where to look: all absolute, given from outside so that tests have a home of their own.
struct Places {
    std::string home;
    std::string config_home;  // $XDG_CONFIG_HOME, else ~/.config
    std::string project;      // whose own files are read too; empty: none
    std::string claude_home;  // $CLAUDE_CONFIG_DIR, where Claude Code keeps .claude.json, else home
    std::string codex_home;   // $CODEX_HOME, else ~/.codex
};
// Of the environment and the working directory.
[[nodiscard]] Places places_here();

// One file that a client reads its MCP servers from, or a folder of such files.
struct ClientFile {
    std::string_view client;
    std::string path;
    // The members that lead to the servers, from the outermost: {"mcp", "servers"}. Where a file
    // may have them in several places, there are several.
    std::vector<std::vector<std::string_view>> servers;
    Format format = Format::json;
    // Of a folder: all that end in .json, .yaml or .yml, each in the format of its name.
    enum class Kind : std::uint8_t { file, folder } kind = Kind::file;
};

// The files of all known clients, whether they are there or not, in a fixed order.
[[nodiscard]] std::vector<ClientFile> client_files(const Places& places);

}  // namespace rekey::agent::detect
