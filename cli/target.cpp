#include "cli/target.hpp"

#include "base/durable_file.hpp"
#include "base/limits.hpp"
#include "cli/exit_code.hpp"
#include "protocol/join_string.hpp"
#include "protocol/token.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <unistd.h>

namespace rekey::cli {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Whether the directory was named, or is where a server would keep its data by default.
struct DataDir {
    std::string path;
    bool named = false;
};

DataDir find_data_dir(const TargetOptions& options, const Environment& environment) {
    if (options.data_dir) return {*options.data_dir, true};
    if (const auto path = environment.variable("REKEY_DATA_DIR")) return {*path, true};
    if (environment.user == Environment::User::root) return {environment.system_data_dir, false};
    if (const auto state = environment.variable("XDG_STATE_HOME"))
        return {*state + "/rekey", false};
    return {environment.variable("HOME").value_or("") + "/.local/state/rekey", false};
}

constexpr std::string_view kOtherUser =
    "Run it as the user who runs rekeyd (sudo rekeyctl …), or give --server and --api-key-file";

// What the system refuses this user is a matter of permission; `not_found` stays, because some
// files need not be there; everything else needs a look at the path.
Error file_error(const Error& error, const std::string& path) {
    if (error.code() == Code::not_found) return error;
    if (::access(path.c_str(), R_OK) != 0 && errno == EACCES)
        return with_way_out(Error(Code::permission_denied, error.message()), kOtherUser);
    return with_way_out(error, "Is this the right file?");
}

Result<std::string> read_as_user(const std::string& path, std::size_t max_bytes) {
    auto content = read_file(path, max_bytes);
    if (content.has_error()) return file_error(content.error(), path);
    return content;
}

// A file under DIR; none if it is not there.
Result<std::optional<std::string>> read_optional(const std::string& path, std::size_t max_bytes) {
    auto content = read_as_user(path, max_bytes);
    if (content.has_value()) return std::optional(std::move(*content));
    if (content.error().code() == Code::not_found) return std::optional<std::string>();
    return std::move(content).error();
}

Error no_server_known(const DataDir& dir, const Environment& environment) {
    std::string way_out =
        "Is rekeyd running here, with this data directory? Give --data-dir DIR, "
        "or --server HOST:PORT with --api-key-file FILE";
    std::error_code ignored;
    if (!dir.named && environment.user == Environment::User::other &&
        std::filesystem::exists(environment.system_data_dir, ignored))
        way_out = fmt::format(
            "The server of this machine keeps its data in {}: run it as root "
            "(sudo rekeyctl …), or give --data-dir DIR or --server HOST:PORT",
            environment.system_data_dir);
    return with_way_out(Error(Code::unavailable,
                              fmt::format("no server is known: there is no {}/listen", dir.path)),
                        way_out);
}

// A server that listens on all addresses is reached on the loopback of its host.
void to_reachable(Address& address) {
    if (address.host == "0.0.0.0") address.host = "127.0.0.1";
    if (address.host == "::") address.host = "::1";
}

struct Server {
    Address address;
    bool plain = false;
    std::string source;
};

Result<Server> parse_server(std::string_view text, bool plain_http, std::string source) {
    Server server{{}, plain_http, std::move(source)};
    std::string_view rest = trimmed(text);
    bool plain_scheme = false;
    if (rest.starts_with("https://")) {
        if (plain_http)
            return bad_argument("--plain-http contradicts https://", "Leave one of the two out");
        rest.remove_prefix(8);
    } else if (rest.starts_with("http://")) {
        plain_scheme = true;
        rest.remove_prefix(7);
    }
    if (rest.ends_with('/')) rest.remove_suffix(1);
    auto address = parse_address(rest);
    if (address.has_error())
        return bad_argument(fmt::format("{} is no address of a server", server.source),
                            "It looks like HOST:PORT, [V6]:PORT or https://HOST:PORT");
    server.address = std::move(*address);
    if (plain_scheme && !plain_http && !protocol::is_loopback_host(server.address.host))
        return bad_argument(
            "the API key would cross the network in the clear over http://",
            "Use https://, or add --plain-http if the way there is protected otherwise");
    server.plain = plain_http || plain_scheme;
    return server;
}

Result<Server> find_server(const TargetOptions& options, const Environment& environment,
                           const DataDir& dir) {
    if (options.server) return parse_server(*options.server, options.plain_http, "--server");
    if (const auto text = environment.variable("REKEY_SERVER"))
        return parse_server(*text, options.plain_http, "REKEY_SERVER");
    const std::string file = dir.path + "/listen";
    REKEY_TRY_ASSIGN(listen, read_optional(file, limits::kKeyFileBytes));
    if (!listen) return no_server_known(dir, environment);
    REKEY_TRY_ASSIGN(server, parse_server(*listen, options.plain_http, file));
    to_reachable(server.address);
    return std::move(server);
}

// What can be sent in a header and can be meant as a credential. Never repeats the text.
Result<Secret> checked_key(std::string_view text, const std::string& source) {
    const auto refuse = [&](std::string_view why) {
        return with_way_out(Error(Code::unknown_credential, fmt::format("{} {}", source, why)),
                            "An API key begins with rkk_; the server's host has one in "
                            "DIR/admin.key");
    };
    const std::string_view key = trimmed(text);
    if (key.empty()) return refuse("holds no API key: it is empty");
    for (const char c : key)
        if (c <= ' ' || c > '~') return refuse("holds no API key: it is more than one word");
    if (key.starts_with("rka_")) return refuse("holds an agent's token, not an API key");
    if (key.starts_with("rke_")) return refuse("holds an enrollment code, not an API key");
    if (key.starts_with("rkk_") && !protocol::parse_token(key))
        return refuse("holds a damaged API key: its checksum is wrong");
    return Secret(key);
}

Result<Secret> read_key_file(const std::string& path) {
    const auto is_private = require_private(path);
    if (is_private.has_error() && is_private.error().code() == Code::permission_denied)
        return with_way_out(is_private.error(),
                            "If somebody may have read it, replace the key as well");
    if (is_private.has_error()) return file_error(is_private.error(), path);
    REKEY_TRY_ASSIGN(content, read_as_user(path, limits::kKeyFileBytes));
    auto key = checked_key(content, path);
    wipe_string(content);
    return key;
}

Result<Secret> find_key(const TargetOptions& options, const Environment& environment,
                        const std::string& data_dir) {
    if (options.api_key_file) {
        auto key = read_key_file(*options.api_key_file);
        if (key.has_error() && key.error().code() == Code::not_found)
            return with_way_out(Error(Code::unknown_credential,
                                      fmt::format("there is no {}", *options.api_key_file)),
                                "--api-key-file names a file that holds an API key");
        return key;
    }
    if (const auto text = environment.variable("REKEY_API_KEY"))
        return checked_key(*text, "REKEY_API_KEY");
    if (data_dir.empty())
        return with_way_out(Error(Code::unknown_credential, "no API key was given for this server"),
                            "Give --api-key-file FILE or set REKEY_API_KEY");
    const std::string path = data_dir + "/admin.key";
    auto key = read_key_file(path);
    if (key.has_error() && key.error().code() == Code::not_found)
        return with_way_out(Error(Code::unknown_credential, fmt::format("there is no {}", path)),
                            "Give --api-key-file FILE or REKEY_API_KEY, or make a new admin key on "
                            "the server's host with: rekeyd admin-key --reset");
    return key;
}

Result<net::Trust> find_trust(const TargetOptions& options, const std::string& data_dir) {
    if (options.ca_file) {
        REKEY_TRY_ASSIGN(pem, read_optional(*options.ca_file, limits::kCaFileBytes));
        if (!pem)
            return bad_argument(fmt::format("there is no {}", *options.ca_file),
                                "--ca-file names the server's CA certificate in PEM; rekeyd keeps "
                                "it in DIR/ca.pem");
        return net::Trust::ca(std::move(*pem));
    }
    if (!data_dir.empty()) {
        REKEY_TRY_ASSIGN(pem, read_optional(data_dir + "/ca.pem", limits::kCaFileBytes));
        if (pem) return net::Trust::ca(std::move(*pem));
    }
    return net::Trust::system();
}

}  // namespace

std::string Target::url() const {
    const bool v6 = address.host.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}", trust ? "https" : "http", v6 ? "[" : "", address.host,
                       v6 ? "]" : "", address.port);
}

Result<Address> parse_address(std::string_view text) {
    const auto bad = [] { return Error(Code::invalid_params, "not an address: HOST[:PORT]"); };
    Address address{{}, kDefaultPort};
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return bad();
        address.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else {
        const std::size_t colon = std::min(text.find(':'), text.size());
        address.host = text.substr(0, colon);
        port = text.substr(colon);
    }
    if (address.host.empty() || address.host.find_first_of("/@?# \t") != std::string::npos)
        return bad();
    if (port.empty()) return address;
    const char* end = port.data() + port.size();
    const auto [rest, error] = std::from_chars(port.data() + 1, end, address.port);
    if (port[0] != ':' || error != std::errc() || rest != end || address.port == 0) return bad();
    return address;
}

Result<Target> resolve_target(const TargetOptions& options, const Environment& environment) {
    const DataDir dir = find_data_dir(options, environment);
    REKEY_TRY_ASSIGN(server, find_server(options, environment, dir));
    const bool server_named = options.server || environment.variable("REKEY_SERVER");
    const std::string files = dir.named || !server_named ? dir.path : std::string();
    Target target{std::move(server.address), std::nullopt, {}, std::move(server.source), files};
    REKEY_TRY_ASSIGN(key, find_key(options, environment, files));
    target.api_key = std::move(key);
    if (!server.plain) {
        REKEY_TRY_ASSIGN(trust, find_trust(options, files));
        target.trust = std::move(trust);
    }
    return target;
}

}  // namespace rekey::cli
