#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "cli/environment.hpp"
#include "net/tls_context.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rekey::cli {

// Which server is meant and with what credential, as flags say it. A key is never a flag: arguments
// are seen by every user of the machine.
struct TargetOptions {
    std::optional<std::string> server;  // HOST[:PORT], https://HOST[:PORT], http://HOST[:PORT]
    std::optional<std::string> api_key_file;
    std::optional<std::string> ca_file;
    std::optional<std::string> data_dir;
    bool plain_http = false;
};

struct Address {
    std::string host;  // a name or an address, without brackets
    std::uint16_t port = 0;
    friend bool operator==(const Address&, const Address&) = default;
};

// A server, whom to believe that it is this server, and the key to show it.
struct Target {
    Address address;
    std::optional<net::Trust> trust;  // none: plain HTTP
    Secret api_key;
    std::string source;    // where the address comes from, for error messages
    std::string data_dir;  // whose files were used; empty if none were

    [[nodiscard]] std::string url() const;  // "https://127.0.0.1:7443"
};

inline constexpr std::uint16_t kDefaultPort = 7443;

// The address comes from --server, REKEY_SERVER, else DIR/listen; the key from --api-key-file,
// REKEY_API_KEY, else DIR/admin.key; the CA from --ca-file, else DIR/ca.pem, else the system's. DIR
// is --data-dir, REKEY_DATA_DIR, else the place where rekeyd keeps its data by default, but that
// one only if no server was named: the local admin's key is not sent to whatever host somebody
// names.
//
// Errors: unavailable (no server is known), permission_denied (a file is readable by others or not
// by us), unknown_credential (no key, or none that can be one), invalid_params (what a flag says);
// each with the way out.
[[nodiscard]] Result<Target> resolve_target(const TargetOptions& options,
                                            const Environment& environment);

// HOST, HOST:PORT, [V6]:PORT; the port is kDefaultPort if it is left out.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

}  // namespace rekey::cli
