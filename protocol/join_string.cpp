#include "protocol/join_string.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"
#include "protocol/token.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <optional>

namespace rekey::protocol {
namespace {

constexpr std::string_view kTls = "rekey";
constexpr std::string_view kPlain = "rekey+plain";
constexpr std::string_view kPinPrefix = "sha256:";

// Never with any part of the text: it holds a secret, and a mistyped one is nearly that secret.
Error bad(std::string_view why) {
    return Error(Code::invalid_params, "the join string " + std::string(why));
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

struct Parameters {
    std::optional<Secret> code;
    std::optional<std::string> ca;
};

// Percent-decoding (RFC 3986, section 2.1); empty if malformed.
std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] <= ' ' || text[i] >= 0x7f) return std::nullopt;
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const auto byte = from_hex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1) return std::nullopt;
        out.push_back(static_cast<char>(byte->front()));
        i += 2;
    }
    return out;
}

// Parameters that this version does not know are ignored; the two it knows may come once.
Result<Parameters> read_parameters(std::string_view query) {
    Parameters result;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view parameter = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = std::min(parameter.find('='), parameter.size());
        const std::string_view key = parameter.substr(0, equals);
        auto value = decoded(parameter.substr(std::min(equals + 1, parameter.size())));
        if (!value) return bad("has a malformed query");
        const bool twice = (key == "code" && result.code) || (key == "ca" && result.ca);
        if (key == "code" && !twice) result.code = Secret(*value);
        if (key == "ca" && !twice) result.ca = *value;
        wipe_string(*value);
        if (twice) return bad("names a parameter twice");
    }
    return result;
}

struct Address {
    std::string host;
    std::uint16_t port = 0;
};

bool is_host_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_base62(std::string_view(&c, 1)) || c == '.' || c == '-' || c == '_';
    });
}

// By hand, because Boost.URL 1.81 reads 127.0.0.1.example.com as the host 127.0.0.1, wraps a port
// around at 65536 and gives a query's last value beyond its end.
Result<Address> read_address(std::string_view authority) {
    if (authority.find('@') != std::string_view::npos) return bad("has a user before its host");
    const std::size_t colon = authority.rfind(':');
    const bool has_port =
        colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
    std::string_view host = authority.substr(0, has_port ? colon : authority.size());
    if (host.empty()) return bad("names no host");
    if (host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
        in6_addr ignored{};
        if (host.find('\0') != std::string_view::npos ||
            ::inet_pton(AF_INET6, std::string(host).c_str(), &ignored) != 1)
            return bad("has a malformed host");
    } else if (!is_host_name(host)) {
        return bad("has a malformed host");
    }
    const std::string_view digits = has_port ? authority.substr(colon + 1) : std::string_view();
    Address address{std::string(host)};
    const char* const first = digits.data();
    const char* const last = first + digits.size();
    const auto [end, failed] = std::from_chars(first, last, address.port);
    if (failed != std::errc{} || end != last || address.port == 0)
        return bad("lacks the port, 1 to 65535: rekey://HOST:PORT/");
    return address;
}

Result<ServerTrust> read_trust(std::string_view scheme, std::string_view host,
                               const std::optional<std::string>& ca) {
    if (scheme == kPlain) {
        if (!is_loopback_host(host))
            return bad(
                "is without TLS (rekey+plain) for a host that is not loopback; use rekey://");
        if (ca) return bad("is without TLS (rekey+plain) and names a CA all the same");
        return ServerTrust(PlainLoopback{});
    }
    if (!ca) return bad("lacks the pin: &ca=sha256:<hex>, or &ca=system for a public CA");
    if (*ca == "system") return ServerTrust(SystemCa{});
    const auto pin = parse_pin(*ca);
    if (pin.has_error())
        return bad("has a pin that is neither sha256: with 64 lower-case hex digits nor system");
    return ServerTrust(PinnedCa{*pin});
}

bool is_ipv6(std::string_view host) { return host.find(':') != std::string_view::npos; }

}  // namespace

Result<JoinString> parse_join_string(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return bad("is empty");
    if (text.size() > limits::kJoinStringBytes)
        return bad("is longer than " + std::to_string(limits::kJoinStringBytes) + " bytes");
    const std::size_t colon = text.find("://");
    if (colon == std::string_view::npos)
        return bad("is not of the form rekey://HOST:PORT/?code=...&ca=...");
    std::string scheme(text.substr(0, colon));
    std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (scheme != kTls && scheme != kPlain)
        return bad("begins with neither rekey:// nor rekey+plain://");
    text.remove_prefix(colon + 3);
    if (text.find('#') != std::string_view::npos) return bad("has a fragment (#)");
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    REKEY_TRY_ASSIGN(address, read_address(text.substr(0, end)));
    text.remove_prefix(end);
    if (text.starts_with('/')) text.remove_prefix(1);
    if (!text.empty() && !text.starts_with('?')) return bad("has a path");
    if (!text.empty()) text.remove_prefix(1);

    REKEY_TRY_ASSIGN(parameters, read_parameters(text));
    if (!parameters.code) return bad("lacks the code: /?code=rke_...");
    const auto code = parse_token(parameters.code->expose());
    if (!code || code->kind != TokenKind::enrollment_code)
        return bad("has a mistyped code: copy the whole line again");
    REKEY_TRY_ASSIGN(trust, read_trust(scheme, address.host, parameters.ca));
    return JoinString{std::move(address.host), address.port, std::move(*parameters.code), trust};
}

Secret format_join_string(const JoinString& join) {
    const bool plain = std::holds_alternative<PlainLoopback>(join.trust);
    std::string text;
    text.reserve(limits::kJoinStringBytes);
    text.append(plain ? kPlain : kTls).append("://");
    text.append(is_ipv6(join.host) ? "[" + join.host + "]" : join.host);
    text.append(":" + std::to_string(join.port) + "/?code=").append(join.code.expose());
    if (const auto* pinned = std::get_if<PinnedCa>(&join.trust))
        text.append("&ca=").append(format_pin(pinned->sha256));
    else if (!plain)
        text.append("&ca=system");
    REKEY_ASSERT(text.size() <= limits::kJoinStringBytes);
    Secret result(text);
    wipe_string(text);
    return result;
}

std::string format_pin(const Bytes32& sha256) { return std::string(kPinPrefix) + to_hex(sha256); }

Result<Bytes32> parse_pin(std::string_view text) {
    Error wrong(Code::invalid_params, "a pin is sha256: and 64 lower-case hex digits");
    if (!text.starts_with(kPinPrefix)) return wrong;
    text.remove_prefix(kPinPrefix.size());
    const auto upper = [](char c) { return c >= 'A' && c <= 'F'; };
    const auto bytes = from_hex(text);
    Bytes32 pin{};
    if (!bytes || bytes->size() != pin.size() || std::any_of(text.begin(), text.end(), upper))
        return wrong;
    std::copy(bytes->begin(), bytes->end(), pin.begin());
    return pin;
}

bool is_loopback_host(std::string_view host) {
    if (host == "localhost" || host == "::1") return true;
    in_addr address{};
    return ::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 &&
           ntohl(address.s_addr) >> 24U == 127;
}

}  // namespace rekey::protocol
