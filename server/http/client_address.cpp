#include "server/http/client_address.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace rekey::server::http {
namespace {

namespace ip = boost::asio::ip;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool same_word(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    });
}

std::optional<ip::address_v6> parse_address(std::string_view text) {
    // A zone ("%eth0") means nothing on another machine.
    if (text.empty() || text.find('%') != std::string_view::npos) return std::nullopt;
    boost::system::error_code problem;
    const auto address = ip::make_address(std::string(text), problem);
    if (problem) return std::nullopt;
    return address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()) : address.to_v6();
}

std::string show(const ip::address_v6& address) {
    if (address.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address).to_string();
    return address.to_string();
}

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(),
                       [](unsigned char c) { return std::isdigit(c) != 0; });
}

// An address with or without a port: "192.0.2.1", "192.0.2.1:4711", "2001:db8::1",
// "[2001:db8::1]", "[2001:db8::1]:4711".
std::optional<ip::address_v6> parse_hop(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view rest = text.substr(end + 1);
        if (!rest.empty() && (!rest.starts_with(':') || !is_port(rest.substr(1))))
            return std::nullopt;
        const auto address = parse_address(text.substr(1, end - 1));
        return address && text.substr(0, end).find(':') != std::string_view::npos ? address
                                                                                  : std::nullopt;
    }
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        if (!is_port(text.substr(colon + 1))) return std::nullopt;
        text = text.substr(0, colon);
    }
    return parse_address(text);
}

// Cuts `text` at `separator` outside of quoted strings (RFC 9110, section 5.6.4); empty if a
// quotation does not end.
std::optional<std::vector<std::string_view>> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && text[i] == separator) {
            parts.push_back(trimmed(text.substr(begin, i - begin)));
            begin = i + 1;
        }
    }
    if (quoted) return std::nullopt;
    parts.push_back(trimmed(text.substr(begin)));
    return parts;
}

// Without its quotes; empty if it is quoted in part only.
std::string unquoted(std::string_view value) {
    if (!value.starts_with('"')) return std::string(value.find('"') == value.npos ? value : "");
    if (value.size() < 2 || !value.ends_with('"')) return {};
    std::string plain;
    for (std::size_t i = 1; i + 1 < value.size(); ++i) {
        if (value[i] == '\\' && i + 2 < value.size()) ++i;
        plain.push_back(value[i]);
    }
    return plain;
}

// The `for` of one forwarded-element; empty if it has none, or two.
std::string for_of(std::string_view element) {
    const auto pairs = split(element, ';');
    if (!pairs) return {};
    std::string found;
    for (const std::string_view pair : *pairs) {
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos || !same_word(pair.substr(0, equals), "for")) continue;
        if (!found.empty()) return {};
        found = unquoted(pair.substr(equals + 1));
    }
    return found;
}

// All of that name, in the order in which proxies wrote them; a hop that cannot be read is "".
std::vector<std::string> hops_of(const net::HttpHeaders& headers, ForwardingHeader header) {
    const bool standard = header == ForwardingHeader::forwarded;
    const std::string_view wanted = standard ? "Forwarded" : "X-Forwarded-For";
    std::vector<std::string> hops;
    for (const auto& [name, value] : headers.all()) {
        if (!same_word(name, wanted)) continue;
        const auto elements = split(value, ',');
        if (!elements) {
            hops.emplace_back();
            continue;
        }
        for (const std::string_view element : *elements)
            hops.push_back(standard ? for_of(element) : std::string(element));
    }
    return hops;
}

}  // namespace

Result<TrustedProxies::Network> TrustedProxies::parse_network(std::string_view text) {
    Error wrong(Code::invalid_params, "\"" + std::string(text) +
                                          "\" is no address or network, such as 192.0.2.1, "
                                          "10.0.0.0/8 or 2001:db8::/32");
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return wrong;
    const bool v4 = text.find(':') == std::string_view::npos;
    Network network{*address, 128};
    if (slash == std::string_view::npos) return network;
    const std::string_view digits = text.substr(slash + 1);
    const char* const begin = digits.data();
    const char* const end = begin + digits.size();
    const auto [stop, problem] = std::from_chars(begin, end, network.prefix);
    if (problem != std::errc() || stop != end || network.prefix > (v4 ? 32U : 128U)) return wrong;
    if (v4) network.prefix += 96;
    const auto bytes = network.first.to_bytes();
    for (unsigned bit = network.prefix; bit < 128; ++bit) {
        if ((bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0)
            return Error(Code::invalid_params,
                         "\"" + std::string(text) + "\" has bits beyond its prefix");
    }
    return network;
}

Result<TrustedProxies> TrustedProxies::parse(std::string_view text, ForwardingHeader header) {
    TrustedProxies proxies;
    proxies.header_ = header;
    proxies.text_ = trimmed(text);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find_first_of(", \t", begin), text.size());
        if (end > begin) {
            REKEY_TRY_ASSIGN(network, parse_network(text.substr(begin, end - begin)));
            proxies.networks_.push_back(network);
        }
        begin = end + 1;
    }
    if (proxies.networks_.size() > limits::kTrustedProxies)
        return Error(Code::invalid_params, "more than " + std::to_string(limits::kTrustedProxies) +
                                               " trusted proxies: name networks");
    return proxies;
}

bool TrustedProxies::contains(const ip::address_v6& address) const {
    const auto bytes = address.to_bytes();
    return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
        const auto first = network.first.to_bytes();
        const unsigned whole = network.prefix / 8;
        if (!std::equal(first.begin(), first.begin() + whole, bytes.begin())) return false;
        if (network.prefix % 8 == 0) return true;
        const auto mask = static_cast<unsigned char>(0xFFU << (8 - network.prefix % 8));
        return (first[whole] & mask) == (bytes[whole] & mask);
    });
}

bool TrustedProxies::contains(std::string_view address) const {
    if (empty()) return false;
    const auto parsed = parse_address(address);
    return parsed && contains(*parsed);
}

std::string TrustedProxies::rightmost_untrusted(const std::vector<std::string>& hops) const {
    std::string farthest;
    std::size_t looked_at = 0;
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        if (++looked_at > limits::kForwardedHops) return {};
        const auto address = parse_hop(*hop);
        if (!address) return {};
        farthest = show(*address);
        if (!contains(*address)) return farthest;
    }
    return farthest;
}

std::string TrustedProxies::client_of(const std::string& peer,
                                      const net::HttpHeaders& headers) const {
    if (!contains(peer)) return peer;
    std::string client = rightmost_untrusted(hops_of(headers, header_));
    return client.empty() ? peer : client;
}

}  // namespace rekey::server::http
