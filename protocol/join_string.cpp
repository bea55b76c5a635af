#include "protocol/join_string.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"
#include "protocol/token.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
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

// Parameters that this version does not know are ignored; the two it knows may come once.
Result<Parameters> read_parameters(const boost::urls::url_view& url) {
    Parameters result;
    for (const auto& parameter : url.params()) {
        std::string value = parameter.value;
        const bool twice = (parameter.key == "code" && result.code.has_value()) ||
                           (parameter.key == "ca" && result.ca.has_value());
        if (parameter.key == "code" && !twice) result.code = Secret(value);
        if (parameter.key == "ca" && !twice) result.ca = value;
        wipe_string(value);
        if (twice) return bad("names a parameter twice");
    }
    return result;
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

// 0 if there is none; Boost.URL 1.81 wraps around at 65536.
std::uint16_t read_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failed == std::errc{} && end == text.data() + text.size() ? port : std::uint16_t{0};
}

bool is_ipv6(std::string_view host) { return host.find(':') != std::string_view::npos; }

}  // namespace

Result<JoinString> parse_join_string(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return bad("is empty");
    if (text.size() > limits::kJoinStringBytes)
        return bad("is longer than " + std::to_string(limits::kJoinStringBytes) + " bytes");
    const auto parsed = boost::urls::parse_uri(text);
    if (parsed.has_error()) return bad("is no URL of the form rekey://HOST:PORT/?code=...&ca=...");
    const boost::urls::url_view url = *parsed;
    std::string scheme(url.scheme());
    std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (scheme != kTls && scheme != kPlain)
        return bad("begins with neither rekey:// nor rekey+plain://");
    if (!url.has_authority() || url.encoded_host().empty()) return bad("names no host");
    if (url.has_userinfo()) return bad("has a user before its host");
    const std::uint16_t port = read_port(url.port());
    if (port == 0) return bad("lacks the port, 1 to 65535: rekey://HOST:PORT/");
    if (url.encoded_path() != "/" && !url.encoded_path().empty()) return bad("has a path");
    if (url.has_fragment()) return bad("has a fragment (#)");

    REKEY_TRY_ASSIGN(parameters, read_parameters(url));
    if (!parameters.code) return bad("lacks the code: /?code=rke_...");
    const auto code = parse_token(parameters.code->expose());
    if (!code || code->kind != TokenKind::enrollment_code)
        return bad("has a mistyped code: copy the whole line again");
    std::string host = url.host_address();
    REKEY_TRY_ASSIGN(trust, read_trust(scheme, host, parameters.ca));
    return JoinString{std::move(host), port, std::move(*parameters.code), trust};
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
    const Error wrong(Code::invalid_params, "a pin is sha256: and 64 lower-case hex digits");
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
    const auto address = boost::urls::parse_ipv4_address(host);
    return address.has_value() && address->is_loopback();
}

}  // namespace rekey::protocol
