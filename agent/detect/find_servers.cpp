#include "agent/detect/find_servers.hpp"

#include "base/limits.hpp"
#include "base/result.hpp"
#include "protocol/json_text.hpp"
#include "protocol/methods/agent_reports.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace rekey::agent::detect {
namespace {

namespace json = boost::json;

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return number_; }

  private:
    int number_;
};

// The file's text; no value if there is none. Errors are why it is passed over.
Result<std::optional<std::string>> read_config(const std::string& path) {
    using Text = std::optional<std::string>;
    // Not blocking, because a FIFO without a writer would wait for ever.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.get() < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return Text();
        if (errno == ELOOP) return Error(Code::permission_denied, "is a symbolic link");
        return Error(Code::unavailable, std::strerror(errno));
    }
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return Error(Code::unavailable, std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return Error(Code::invalid_params, "is no regular file");
    std::string text;
    std::array<char, 64UL * 1024UL> piece{};
    for (;;) {
        const ssize_t read = ::read(file.get(), piece.data(), piece.size());
        if (read < 0 && errno == EINTR) continue;
        if (read < 0) return Error(Code::unavailable, std::strerror(errno));
        if (read == 0) return Text(std::move(text));
        text.append(piece.data(), static_cast<std::size_t>(read));
        if (text.size() > limits::kClientConfigBytes)
            return Error(Code::invalid_params, "is larger than what is read");
    }
}

Result<json::value> parse_config(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    json::parse_options options;
    options.max_depth = limits::kJsonDepth;
    options.allow_comments = true;
    options.allow_trailing_commas = true;
    boost::system::error_code wrong;
    json::value value =
        json::parse(json::string_view(text.data(), text.size()), wrong, {}, options);
    // Without a word of the file: its text may be a secret.
    if (wrong) return Error(Code::parse_error, "is no JSON (" + wrong.message() + ")");
    return value;
}

// Terminals take the C1 controls, two bytes in UTF-8, for commands as well.
bool has_c1_control(std::string_view text) {
    for (std::size_t next = 1; next < text.size(); ++next)
        if (text[next - 1] == '\xC2' && static_cast<unsigned char>(text[next]) < 0xA0) return true;
    return false;
}

// A name that can be shown and reported. One that is a URL may carry a password.
bool is_fit(std::string_view name) {
    return protocol::is_report_name(name) && name.size() <= limits::kReportNameBytes &&
           !has_c1_control(name) && name.find("://") == name.npos;
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
    if (entry.contains("command")) return "stdio";
    const bool remote =
        entry.contains("url") || entry.contains("serverUrl") || entry.contains("httpUrl");
    return remote ? "http" : "unknown";
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
        if (servers == nullptr) return;
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

Result<> look_into(const ClientFile& file, Findings& findings) {
    REKEY_TRY_ASSIGN(text, read_config(file.path));
    // An editor makes an empty file before there is anything to say.
    if (!text || text->find_first_not_of(" \t\r\n") == std::string::npos) return {};
    REKEY_TRY_ASSIGN(value, parse_config(*text));
    if (!value.is_object()) return Error(Code::parse_error, "is no JSON object");
    Collector(file, findings).collect(value.get_object());
    return {};
}

}  // namespace

Findings find_servers(const Places& places) {
    Findings findings;
    for (const ClientFile& file : client_files(places)) {
        const Result<> looked = look_into(file, findings);
        if (looked.has_error())
            findings.passed_over.push_back({file.path, looked.error().message()});
    }
    return findings;
}

}  // namespace rekey::agent::detect
