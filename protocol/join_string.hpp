#pragma once

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

// All that an agent needs to enroll, in one line:
//   rekey://HOST:PORT/?code=<enrollment code>&ca=sha256:<lower-case hex SHA-256 of the CA's DER>
//   rekey://HOST:PORT/?code=<enrollment code>&ca=system      (a public CA)
//   rekey+plain://HOST:PORT/?code=<enrollment code>          (loopback only, behind a proxy)
namespace rekey::protocol {

// How the server is authenticated.
struct PinnedCa {
    Bytes32 sha256;  // of the DER of the last certificate of the served chain
    friend bool operator==(const PinnedCa&, const PinnedCa&) = default;
};
struct SystemCa {
    friend bool operator==(const SystemCa&, const SystemCa&) = default;
};
struct PlainLoopback {
    friend bool operator==(const PlainLoopback&, const PlainLoopback&) = default;
};
using ServerTrust = std::variant<PinnedCa, SystemCa, PlainLoopback>;

struct JoinString {
    std::string host;  // an IPv6 address without its brackets
    std::uint16_t port = 0;
    Secret code;
    ServerTrust trust;
};

// Surrounding white space is ignored. invalid_params that says what is wrong and never repeats any
// part of the text. The port is mandatory, and so is the pin (or ca=system) with TLS.
[[nodiscard]] Result<JoinString> parse_join_string(std::string_view text);

[[nodiscard]] Secret format_join_string(const JoinString& join);

// "sha256:<hex>", as it is shown to people.
[[nodiscard]] std::string format_pin(const Bytes32& sha256);
[[nodiscard]] Result<Bytes32> parse_pin(std::string_view text);

// localhost, 127.0.0.0/8 or ::1, without asking any resolver.
[[nodiscard]] bool is_loopback_host(std::string_view host);

}  // namespace rekey::protocol
