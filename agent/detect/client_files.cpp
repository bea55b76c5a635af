#include "agent/detect/client_files.hpp"

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace rekey::agent::detect {
namespace {

using MemberPaths = std::vector<std::vector<std::string_view>>;

const MemberPaths kMcpServers{{"mcpServers"}};
const MemberPaths kServers{{"servers"}};
// In an editor's settings: as an object in an object, or as one member with a dot in its name.
const MemberPaths kEditorSettings{{"mcp", "servers"}, {"mcp.servers"}};
const MemberPaths kZed{{"context_servers"}};
const MemberPaths kContinue{{"mcpServers"}, {"experimental", "modelContextProtocolServers"}};
const MemberPaths kCodex{{"mcp_servers"}};
const MemberPaths kGoose{{"extensions"}};

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

// A client takes a relative path from where it is started, which is most likely here.
std::string folder_of(const char* name, std::string otherwise) {
    const std::string given = variable(name);
    if (given.empty()) return otherwise;
    std::error_code unknown;
    return std::filesystem::absolute(given, unknown).string();
}

}  // namespace

Places places_here() {
    Places places;
    places.home = variable("HOME");
    places.config_home = variable("XDG_CONFIG_HOME");
    // The XDG base directory specification: a relative path is to be ignored.
    if (!places.config_home.starts_with('/')) places.config_home = places.home + "/.config";
    places.claude_home = folder_of("CLAUDE_CONFIG_DIR", places.home);
    places.codex_home = folder_of("CODEX_HOME", places.home + "/.codex");
    std::error_code unknown;
    places.project = std::filesystem::current_path(unknown).string();
    return places;
}

std::vector<ClientFile> client_files(const Places& places) {
    std::vector<ClientFile> files;
    const auto add = [&](std::string_view client, const std::string& folder, std::string_view path,
                         const MemberPaths& servers, Format format = Format::json,
                         ClientFile::Kind kind = ClientFile::Kind::file) {
        if (!folder.empty())
            files.push_back({client, folder + std::string(path), servers, format, kind});
    };
    const std::string& home = places.home;
    const std::string& config = places.config_home;
    const std::string& project = places.project;
    add("Claude Desktop", config, "/Claude/claude_desktop_config.json", kMcpServers);
    add("Claude Code", places.claude_home, "/.claude.json", kMcpServers);
    add("Claude Code", project, "/.mcp.json", kMcpServers);
    add("Cursor", home, "/.cursor/mcp.json", kMcpServers);
    add("Cursor", project, "/.cursor/mcp.json", kMcpServers);
    for (const auto& [client, folder] : {std::pair{"VS Code", "/Code"},
                                         {"VS Code Insiders", "/Code - Insiders"},
                                         {"VSCodium", "/VSCodium"}}) {
        const std::string user = config.empty() ? config : config + folder + "/User";
        add(client, user, "/mcp.json", kServers);
        add(client, user, "/settings.json", kEditorSettings);
        add("Cline", user, "/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
            kMcpServers);
        add("Roo Code", user,
            "/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json", kMcpServers);
    }
    add("VS Code", project, "/.vscode/mcp.json", kServers);
    add("VS Code", project, "/.vscode/settings.json", kEditorSettings);
    add("Cline", home, "/.cline/data/settings/cline_mcp_settings.json", kMcpServers);
    add("Roo Code", project, "/.roo/mcp.json", kMcpServers);
    add("Windsurf", home, "/.codeium/windsurf/mcp_config.json", kMcpServers);
    add("Zed", config, "/zed/settings.json", kZed);
    add("Zed", project, "/.zed/settings.json", kZed);
    add("Continue", home, "/.continue/config.json", kContinue);
    add("Continue", home, "/.continue/config.yaml", kMcpServers, Format::yaml);
    for (const std::string& folder : {home, project})
        add("Continue", folder, "/.continue/mcpServers", kMcpServers, Format::yaml,
            ClientFile::Kind::folder);
    add("Codex", places.codex_home, "/config.toml", kCodex, Format::toml);
    add("Codex", project, "/.codex/config.toml", kCodex, Format::toml);
    add("Goose", config, "/goose/config.yaml", kGoose, Format::yaml);
    add("Gemini CLI", home, "/.gemini/settings.json", kMcpServers);
    add("GitHub Copilot CLI", home, "/.copilot/mcp-config.json", kMcpServers);
    return files;
}

}  // namespace rekey::agent::detect
