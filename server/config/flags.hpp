#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "server/http/client_address.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What is fixed at start: the flags of rekeyd. Each is also a key of the TOML file and a variable
// of the environment; one table serves all three, --help and settings.get.
namespace rekey::server::config {

struct HostPort {
    std::string host;  // without brackets
    std::uint16_t port = 0;
    // "127.0.0.1:7443", "[::1]:7443"
    [[nodiscard]] std::string text() const;
    friend bool operator==(const HostPort&, const HostPort&) = default;
};
// "HOST:PORT", IPv6 in brackets; empty for anything else.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);
// All addresses of the machine: what others must be told cannot be seen from it.
[[nodiscard]] bool is_wildcard(std::string_view host);

enum class Transport : std::uint8_t { tls, plain_on_loopback, plain_anywhere };

struct ProcessOptions {
    std::string data_dir;
    HostPort listen{"127.0.0.1", 7443};
    std::optional<HostPort> advertise;  // none: the address it listens on
    std::string certificate_file;       // empty: one below our own CA
    std::string key_file;
    Transport transport = Transport::tls;
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::logfmt;
    unsigned shards = 1;
    std::vector<std::string> cors_origins;   // site_lists.hpp
    std::vector<std::string> allowed_hosts;  // site_lists.hpp
    http::TrustedProxies trusted_proxies;
    http::ForwardingHeader proxy_header = http::ForwardingHeader::x_forwarded_for;
};

struct FlagInfo {
    enum class Kind : std::uint8_t { text, toggle };
    std::string_view key;  // "data_dir": TOML; "--data-dir" and "REKEY_DATA_DIR" follow from it
    Kind kind;
    std::string_view placeholder;
    std::string_view summary;
};

[[nodiscard]] std::span<const FlagInfo> flags_table();
[[nodiscard]] const FlagInfo* find_flag(std::string_view key);
[[nodiscard]] std::string flag_name(const FlagInfo& flag);
[[nodiscard]] std::string flag_variable(const FlagInfo& flag);

// Where a text was found, so that an error names it: "--listen", "REKEY_LISTEN", "rekeyd.toml:
// listen".
struct FlagText {
    std::string text;
    std::string origin;
};
using FlagTexts = std::map<std::string, FlagText, std::less<>>;  // by key

// `texts`: the strongest source of each flag. `invalid_params` that names the origin, what was
// wrong and what belongs there. `environment` is asked for HOME and XDG_STATE_HOME only.
[[nodiscard]] Result<ProcessOptions> read_flags(
    const FlagTexts& texts, const std::map<std::string, std::string, std::less<>>& environment);

// As settings.get shows them.
[[nodiscard]] std::map<std::string, std::string> describe(const ProcessOptions& options);

}  // namespace rekey::server::config
