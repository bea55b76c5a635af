#include "agent/detect/find_servers.hpp"

#include "agent/detect/config_file.hpp"
#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "protocol/methods/agent_reports.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace rekey::agent::detect {
namespace {

namespace json = boost::json;

// Terminals take the C1 controls, two bytes in UTF-8, for commands as well.
bool has_c1_control(std::string_view text) {
    for (std::size_t next = 1; next < text.size(); ++next)
        if (text[next - 1] == '\xC2' && static_cast<unsigned char>(text[next]) < 0xA0) return true;
    return false;
}

// A name that can be shown and reported. One that is a URL may carry a password.
bool is_fit(std::string_view name) {
    return protocol::is_report_name(name) && name.size() <= limits::kReportNameBytes &&
           is_utf8(name) && !has_c1_control(name) && name.find("://") == name.npos;
}

const json::object* member_object(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr ? value->if_object() : nullptr;
}

std::string_view text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                  : std::string_view();
}

bool is_true(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

// "/opt/my tools/run" -> "run"; "npx -y server --key=…" -> "npx"; "KEY=… npx" -> "".
std::string last_part(std::string_view command) {
    const bool is_path = command.starts_with('/') && command.find(" -") == command.npos;
    if (!is_path) command = command.substr(0, command.find_first_of(" \t"));
    const auto slash = command.find_last_of("/\\");
    if (slash != command.npos) command.remove_prefix(slash + 1);
    const bool plain = std::ranges::all_of(command, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '+';
    });
    constexpr std::size_t kLongest = 64;
    return plain && command.size() <= kLongest ? std::string(command) : std::string();
}

// The program of a server: a text, an array that begins with it, or an object with its path.
std::string command_of(const json::object& entry) {
    const auto* command = entry.if_contains("command");
    if (command == nullptr) command = entry.if_contains("cmd");  // Goose
    if (command == nullptr) return {};
    if (const auto* array = command->if_array())
        return !array->empty() && array->front().is_string()
                   ? last_part(array->front().get_string())
                   : std::string();
    if (const auto* object = command->if_object()) return last_part(text_of(*object, "path"));
    return command->is_string() ? last_part(command->get_string()) : std::string();
}

std::string transport_of(const json::object& entry) {
    std::string type;
    for (const char* name : {"type", "transportType", "transport"})
        if (type.empty()) type = text_of(entry, name);
    std::ranges::transform(type, type.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (type == "sse" || type == "stdio") return type;
    if (type.find("http") != type.npos) return "http";
    if (entry.contains("command") || entry.contains("cmd")) return "stdio";
    const bool remote = entry.contains("url") || entry.contains("serverUrl") ||
                        entry.contains("httpUrl") || entry.contains("uri");
    return remote ? "http" : "unknown";
}

// Most of Goose's extensions are part of itself.
bool is_part_of_goose(const json::object& entry) {
    const std::string_view type = text_of(entry, "type");
    return type != "stdio" && type != "sse" && type != "streamable_http";
}

// Collects what stands in one file.
class Collector {
  public:
    Collector(const ClientFile& file, Findings& findings) : file_(file), findings_(findings) {}

    void collect(const json::object& root) {
        for (const auto& path : file_.servers) add_at(root, path);
        // Claude Code keeps those of each project beside its own.
        const json::object* projects = member_object(root, "projects");
        if (file_.client != "Claude Code" || projects == nullptr) return;
        std::size_t left = limits::kDetectedProjects;
        for (const auto& [name, project] : *projects) {
            if (left-- == 0) return pass_over("has more projects than are looked at");
            if (const json::object* object = project.if_object())
                for (const auto& path : file_.servers) add_at(*object, path);
        }
    }

  private:
    void pass_over(std::string why) {
        findings_.passed_over.push_back({file_.path, std::move(why)});
    }

    void add_at(const json::object& from, const std::vector<std::string_view>& path) {
        const json::object* object = &from;
        for (std::size_t at = 0; at + 1 < path.size() && object != nullptr; ++at)
            object = member_object(*object, path[at]);
        const json::value* servers = object == nullptr ? nullptr : object->if_contains(path.back());
        // A line without anything behind it is null in YAML.
        if (servers == nullptr || servers->is_null()) return;
        if (const auto* by_name = servers->if_object()) {
            for (const auto& [name, entry] : *by_name) add(name, entry);
        } else if (const auto* list = servers->if_array()) {
            for (const json::value& entry : *list) add_from_list(entry);
        } else {
            pass_over("has servers in a form that is not known");
        }
    }

    void add_from_list(const json::value& entry) {
        const json::object* object = entry.if_object();
        if (object == nullptr) return pass_over("has a server in a form that is not known");
        const json::object* transport = member_object(*object, "transport");
        std::string name(text_of(*object, "name"));
        if (name.empty() && transport != nullptr) name = command_of(*transport);
        add(name, transport != nullptr ? json::value(*transport) : entry);
    }

    void add(std::string_view name, const json::value& entry) {
        const json::object* object = entry.if_object();
        if (object == nullptr) return pass_over("has a server in a form that is not known");
        if (file_.client == "Goose" && is_part_of_goose(*object)) return;
        if (!is_fit(name)) return pass_over("has a server whose name cannot be shown");
        if (findings_.servers.size() >= limits::kDetectedServers) {
            if (!std::exchange(full_, true)) pass_over("has more servers than are kept");
            return;
        }
        const auto* enabled = object->if_contains("enabled");
        FoundServer found;
        found.client = file_.client;
        found.name = name;
        found.transport = transport_of(*object);
        found.command = command_of(*object);
        found.disabled = is_true(*object, "disabled") ||
                         (enabled != nullptr && enabled->is_bool() && !enabled->get_bool());
        found.file = file_.path;
        findings_.servers.push_back(std::move(found));
    }

    const ClientFile& file_;
    Findings& findings_;
    bool full_ = false;
};

// Far more than anybody keeps in one folder.
constexpr std::size_t kFilesOfAFolder = 64;

std::optional<Format> format_of(const std::filesystem::path& name) {
    if (name.extension() == ".json") return Format::json;
    if (name.extension() == ".yaml" || name.extension() == ".yml") return Format::yaml;
    return std::nullopt;
}

// The files of a folder, by name.
std::vector<ClientFile> files_in(const ClientFile& folder, Findings& findings) {
    const auto pass_over = [&](std::string why) {
        findings.passed_over.push_back({folder.path, std::move(why)});
    };
    std::vector<ClientFile> files;
    std::error_code wrong;
    if (std::filesystem::is_symlink(std::filesystem::symlink_status(folder.path, wrong))) {
        pass_over("is a symbolic link");
        return files;
    }
    std::filesystem::directory_iterator entries(folder.path, wrong);
    if (wrong == std::errc::no_such_file_or_directory || wrong == std::errc::not_a_directory)
        return files;
    std::set<std::string> names;
    bool all_fit = true;
    for (; !wrong && entries != std::filesystem::directory_iterator(); entries.increment(wrong)) {
        const std::string name = entries->path().filename().native();
        if (!format_of(name)) continue;
        if (is_fit(name))
            names.insert(name);
        else
            all_fit = false;
        if (names.size() > kFilesOfAFolder) break;
    }
    if (wrong) pass_over(wrong.message());
    if (!all_fit) pass_over("has a file whose name cannot be shown");
    if (names.size() > kFilesOfAFolder) {
        pass_over("has more files than are read");
        return files;
    }
    for (const std::string& name : names)
        files.push_back({folder.client, folder.path + "/" + name, folder.servers,
                         format_of(name).value_or(folder.format), ClientFile::Kind::file});
    return files;
}

Result<> look_into(const ClientFile& file, Findings& findings) {
    REKEY_TRY_ASSIGN(text, read_config(file.path));
    return text ? find_in_text(file, *text, findings) : Result<>();
}

void look_at(const ClientFile& file, Findings& findings) {
    const Result<> looked = look_into(file, findings);
    if (looked.has_error()) findings.passed_over.push_back({file.path, looked.error().message()});
}

}  // namespace

Result<> find_in_text(const ClientFile& file, std::string_view text, Findings& findings) {
    REKEY_TRY_ASSIGN(root, parse_config(file.format, text));
    Collector(file, findings).collect(root);
    return {};
}

Findings find_servers(const Places& places) {
    Findings findings;
    for (const ClientFile& place : client_files(places)) {
        if (place.kind == ClientFile::Kind::file) {
            look_at(place, findings);
            continue;
        }
        for (const ClientFile& file : files_in(place, findings)) look_at(file, findings);
    }
    return findings;
}

}  // namespace rekey::agent::detect
