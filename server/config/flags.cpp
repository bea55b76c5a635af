#include "server/config/flags.hpp"

#include "base/limits.hpp"
#include "base/option_value.hpp"
#include "protocol/join_string.hpp"
#include "server/config/site_lists.hpp"

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <locale>
#include <thread>
#include <unistd.h>

namespace rekey::server::config {
namespace {

using enum FlagInfo::Kind;

constexpr std::array kFlags{
    FlagInfo{"data_dir", text, "DIR",
             "where everything lives: database, CA, master key, admin.key (default: /var/lib/rekey "
             "as root, else ~/.local/state/rekey)"},
    FlagInfo{"listen", text, "HOST:PORT",
             "address to listen on; port 0 picks one, written to DIR/listen (default: "
             "127.0.0.1:7443)"},
    FlagInfo{"advertise", text, "HOST:PORT",
             "address that agents are told; needed when listening on all addresses (default: the "
             "one it listens on)"},
    FlagInfo{"config", text, "FILE", "TOML file with flags and settings as top-level keys"},
    FlagInfo{"env_file", text, "FILE", "file of variables (NAME=VALUE), weaker than real ones"},
    FlagInfo{"cert", text, "FILE", "serve this certificate chain (PEM) instead of our own CA's"},
    FlagInfo{"key", text, "FILE", "its private key (PEM)"},
    FlagInfo{"plain_http", toggle, "", "no TLS, for a proxy in front; loopback only"},
    FlagInfo{"plain_http_anywhere", toggle, "",
             "no TLS beyond loopback: tokens cross the network in the clear"},
    FlagInfo{"trusted_proxies", text, "NETWORKS",
             "proxies in front, as addresses and networks (10.0.0.0/8,192.0.2.1), whose header "
             "names the client (default: none)"},
    FlagInfo{"proxy_header", text, "HEADER",
             "the header that they write: x-forwarded-for or forwarded (default: x-forwarded-for)"},
    FlagInfo{"log_level", text, "LEVEL", "debug, info, warning, error or off (default: info)"},
    FlagInfo{"log_format", text, "FORMAT", "logfmt or json (default: logfmt)"},
    FlagInfo{"shards", text, "N", "threads that serve connections (default: one a core)"},
    FlagInfo{"allowed_hosts", text, "HOSTS",
             "further names, with commas between, that this server may be called by (Host)"},
    FlagInfo{"cors_origins", text, "ORIGINS",
             "origins, with commas between, whose web pages may call this server (default: none)"},
};

Error wrong(const FlagText& given, std::string_view expected) {
    return Error(Code::invalid_params,
                 given.origin + ": \"" + given.text + "\" is not " + std::string(expected));
}

constexpr std::array<std::string_view, 5> kLogLevels{"debug", "info", "warning", "error", "off"};
constexpr std::array<std::string_view, 2> kLogFormats{"logfmt", "json"};
constexpr std::array<std::string_view, 2> kProxyHeaders{"x-forwarded-for", "forwarded"};

Error not_among(const FlagText& given, std::span<const std::string_view> choices) {
    return Error(Code::invalid_params, given.origin + ": " + not_one_of(given.text, choices));
}

bool read_toggle(std::string_view given, bool& value) {
    if (given == "true" || given == "1" || given == "yes" || given == "on") {
        value = true;
    } else if (given == "false" || given == "0" || given == "no" || given == "off") {
        value = false;
    } else {
        return false;
    }
    return true;
}

class Reader {
  public:
    explicit Reader(const FlagTexts& texts) : texts_(texts) {}

    [[nodiscard]] const FlagText* find(std::string_view key) const {
        const auto found = texts_.find(key);
        return found == texts_.end() ? nullptr : &found->second;
    }
    [[nodiscard]] std::string text_of(std::string_view key) const {
        const FlagText* given = find(key);
        return given == nullptr ? std::string() : given->text;
    }
    [[nodiscard]] Result<bool> toggle_of(std::string_view key) const {
        bool value = false;
        const FlagText* given = find(key);
        if (given != nullptr && !read_toggle(given->text, value)) {
            return wrong(*given, "true or false");
        }
        return value;
    }
    [[nodiscard]] Result<std::optional<HostPort>> address_of(std::string_view key) const {
        const FlagText* given = find(key);
        if (given == nullptr) return std::optional<HostPort>();
        auto address = parse_host_port(given->text);
        if (!address) return wrong(*given, "HOST:PORT, for example 127.0.0.1:7443 or [::1]:7443");
        return address;
    }

  private:
    const FlagTexts& texts_;
};

Result<> read_logging(const Reader& reader, ProcessOptions& options) {
    if (const FlagText* level = reader.find("log_level")) {
        if (!parse_log_level(level->text, options.log_level)) {
            return not_among(*level, kLogLevels);
        }
    }
    if (const FlagText* format = reader.find("log_format")) {
        if (format->text != "logfmt" && format->text != "json") {
            return not_among(*format, kLogFormats);
        }
        options.log_format = format->text == "json" ? LogFormat::json : LogFormat::logfmt;
    }
    return {};
}

Result<> read_shards(const Reader& reader, ProcessOptions& options) {
    const auto cores = static_cast<std::size_t>(std::max(1U, std::thread::hardware_concurrency()));
    options.shards = static_cast<unsigned>(std::min(cores, limits::kShards));
    const FlagText* given = reader.find("shards");
    if (given == nullptr) return {};
    const auto shards =
        read_whole_number(given->text, 1, static_cast<std::int64_t>(limits::kShards));
    if (shards.has_error())
        return Error(Code::invalid_params, given->origin + ": " + shards.error().message());
    options.shards = static_cast<unsigned>(*shards);
    return {};
}

Result<> read_sites(const Reader& reader, ProcessOptions& options) {
    const auto read = [&](std::string_view key, auto read_names,
                          std::vector<std::string>& names) -> Result<> {
        const FlagText* given = reader.find(key);
        if (given == nullptr || given->text.empty()) return {};
        auto found = read_names(given->text);
        if (found.has_error())
            return Error(Code::invalid_params, given->origin + ": " + found.error().message());
        names = *std::move(found);
        return {};
    };
    REKEY_TRY(read("cors_origins", read_origins, options.cors_origins));
    return read("allowed_hosts", read_hosts, options.allowed_hosts);
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text.append(text.empty() ? "" : ",").append(name);
    return text;
}

Result<> read_trusted_proxies(const Reader& reader, ProcessOptions& options) {
    const FlagText* given = reader.find("trusted_proxies");
    if (const FlagText* named = reader.find("proxy_header")) {
        // A header's name, which means the same in any case (RFC 9110, section 5.1).
        const auto found = std::ranges::find_if(kProxyHeaders, [&](std::string_view name) {
            return boost::algorithm::iequals(name, named->text, std::locale::classic());
        });
        if (found == kProxyHeaders.end()) return not_among(*named, kProxyHeaders);
        if (given == nullptr) {
            return Error(Code::invalid_params,
                         named->origin +
                             " says which header the trusted proxies write, and there are none: "
                             "name them with --trusted-proxies, or leave it out");
        }
        options.proxy_header = static_cast<http::ForwardingHeader>(found - kProxyHeaders.begin());
    }
    if (given == nullptr) return {};
    auto proxies = http::TrustedProxies::parse(given->text, options.proxy_header);
    if (proxies.has_error())
        return Error(Code::invalid_params, given->origin + ": " + proxies.error().message());
    options.trusted_proxies = *std::move(proxies);
    return {};
}

// The combinations that make no sense or are not safe.
Result<> check_transport(const Reader& reader, ProcessOptions& options) {
    REKEY_TRY_ASSIGN(plain, reader.toggle_of("plain_http"));
    REKEY_TRY_ASSIGN(anywhere, reader.toggle_of("plain_http_anywhere"));
    if (anywhere) {
        options.transport = Transport::plain_anywhere;
    } else if (plain) {
        options.transport = Transport::plain_on_loopback;
    }
    if (options.certificate_file.empty() != options.key_file.empty()) {
        return Error(Code::invalid_params,
                     "--cert and --key belong together: give both, or neither for a certificate "
                     "of Rekey's own CA");
    }
    if (options.transport != Transport::tls && !options.certificate_file.empty()) {
        return Error(Code::invalid_params,
                     "--plain-http serves no certificate: leave out --cert and --key, or "
                     "--plain-http");
    }
    if (options.transport == Transport::plain_on_loopback &&
        !protocol::is_loopback_host(options.listen.host)) {
        return Error(Code::invalid_params,
                     "--plain-http beyond loopback (" + options.listen.text() +
                         ") would send tokens in the clear: listen on 127.0.0.1 behind a proxy, or "
                         "force it with --plain-http-anywhere");
    }
    return {};
}

std::string default_data_dir(const std::map<std::string, std::string, std::less<>>& environment) {
    if (::geteuid() == 0) return "/var/lib/rekey";
    const auto state = environment.find("XDG_STATE_HOME");
    if (state != environment.end() && !state->second.empty()) return state->second + "/rekey";
    const auto home = environment.find("HOME");
    if (home != environment.end() && !home->second.empty()) {
        return home->second + "/.local/state/rekey";
    }
    return {};
}

}  // namespace

std::string HostPort::text() const {
    const bool brackets = host.find(':') != std::string::npos;
    return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<HostPort> parse_host_port(std::string_view given) {
    HostPort result;
    std::string_view port;
    if (given.starts_with('[')) {
        const auto end = given.find("]:");
        if (end == std::string_view::npos) return std::nullopt;
        result.host = given.substr(1, end - 1);
        port = given.substr(end + 2);
    } else {
        const auto colon = given.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        result.host = given.substr(0, colon);
        port = given.substr(colon + 1);
    }
    const bool odd = std::any_of(result.host.begin(), result.host.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) == 0 &&
               std::string_view(".:-_%").find(c) == std::string_view::npos;
    });
    if (result.host.empty() || odd || port.empty()) return std::nullopt;
    const auto [stop, problem] =
        std::from_chars(port.data(), port.data() + port.size(), result.port);
    if (problem != std::errc() || stop != port.data() + port.size()) return std::nullopt;
    return result;
}

bool is_wildcard(std::string_view host) {
    return host == "::" || host == "0" ||
           (!host.empty() && host.find_first_not_of("0.") == std::string_view::npos);
}

std::span<const FlagInfo> flags_table() { return kFlags; }

const FlagInfo* find_flag(std::string_view key) {
    const auto* found = std::find_if(kFlags.begin(), kFlags.end(),
                                     [&](const auto& flag) { return flag.key == key; });
    return found == kFlags.end() ? nullptr : found;
}

std::string flag_name(const FlagInfo& flag) {
    std::string name = "--" + std::string(flag.key);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

std::string flag_variable(const FlagInfo& flag) {
    std::string name = "REKEY_";
    for (const char c : flag.key) {
        name.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
    return name;
}

Result<ProcessOptions> read_flags(
    const FlagTexts& texts, const std::map<std::string, std::string, std::less<>>& environment) {
    const Reader reader(texts);
    ProcessOptions options;
    options.data_dir = reader.text_of("data_dir");
    if (options.data_dir.empty()) options.data_dir = default_data_dir(environment);
    if (options.data_dir.empty()) {
        return Error(Code::invalid_params,
                     "no data directory: give --data-dir DIR (HOME is not set)");
    }
    REKEY_TRY_ASSIGN(listen, reader.address_of("listen"));
    if (listen) options.listen = *listen;
    REKEY_TRY_ASSIGN(advertise, reader.address_of("advertise"));
    options.advertise = advertise;
    options.certificate_file = reader.text_of("cert");
    options.key_file = reader.text_of("key");
    REKEY_TRY(check_transport(reader, options));
    REKEY_TRY(read_logging(reader, options));
    REKEY_TRY(read_shards(reader, options));
    REKEY_TRY(read_sites(reader, options));
    REKEY_TRY(read_trusted_proxies(reader, options));
    if (is_wildcard(options.listen.host) && !options.advertise) {
        return Error(Code::invalid_params,
                     "listening on all addresses (" + options.listen.text() +
                         ") needs --advertise HOST:PORT: the address that agents connect to");
    }
    if (options.advertise && is_wildcard(options.advertise->host)) {
        return Error(Code::invalid_params, "--advertise " + options.advertise->text() +
                                               ": nobody can connect to a wildcard; name a host");
    }
    if (options.advertise && options.advertise->port == 0 && options.listen.port != 0) {
        return Error(Code::invalid_params,
                     "--advertise " + options.advertise->text() +
                         ": port 0 means the chosen one, and goes only with --listen HOST:0");
    }
    return options;
}

std::map<std::string, std::string> describe(const ProcessOptions& options) {
    std::map<std::string, std::string> shown;
    shown["data_dir"] = options.data_dir;
    shown["listen"] = options.listen.text();
    if (options.advertise) shown["advertise"] = options.advertise->text();
    if (!options.certificate_file.empty()) shown["cert"] = options.certificate_file;
    if (!options.key_file.empty()) shown["key"] = options.key_file;
    shown["plain_http"] = options.transport == Transport::tls ? "false" : "true";
    shown["plain_http_anywhere"] =
        options.transport == Transport::plain_anywhere ? "true" : "false";
    if (!options.trusted_proxies.empty()) {
        shown["trusted_proxies"] = options.trusted_proxies.text();
        shown["proxy_header"] = kProxyHeaders.at(static_cast<std::size_t>(options.proxy_header));
    }
    shown["log_level"] = kLogLevels.at(static_cast<std::size_t>(options.log_level));
    shown["log_format"] = options.log_format == LogFormat::json ? "json" : "logfmt";
    shown["shards"] = std::to_string(options.shards);
    if (!options.allowed_hosts.empty()) shown["allowed_hosts"] = joined(options.allowed_hosts);
    if (!options.cors_origins.empty()) shown["cors_origins"] = joined(options.cors_origins);
    return shown;
}

}  // namespace rekey::server::config
