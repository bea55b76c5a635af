#include "server/http/client_address.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
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

// What a value without quotes ends at. Looser than a token (RFC 9110, section 5.6.2): proxies write
// "192.0.2.1:80" without quotes as well.
constexpr std::string_view kNotPlain = "\",;=\\ \t";

struct ForwardedPair {
    std::string_view name;
    std::string value;  // without its quotes
};

// Takes the one that `text` begins with; empty if there is none.
std::optional<ForwardedPair> take_pair(std::string_view& text) {
    const auto equals = text.find_first_of(kNotPlain);
    if (equals == 0 || equals == text.npos || text[equals] != '=') return std::nullopt;
    ForwardedPair pair{text.substr(0, equals), {}};
    text.remove_prefix(equals + 1);
    if (!text.starts_with('"')) {
        pair.value = text.substr(0, text.find_first_of(kNotPlain));
        text.remove_prefix(pair.value.size());
        return pair;
    }
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return pair;
        }
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        pair.value.push_back(text[i]);
    }
    return std::nullopt;  // the quotation does not end
}

// The `for` of a forwarded-element (RFC 7239, section 4), "" if it has none, or two; empty if
// `text` is no such element as a whole.
std::optional<std::string> for_of(std::string_view text) {
    std::string found;
    std::size_t count = 0;
    for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
        if (text.front() != ';') {
            auto pair = take_pair(text);
            if (!pair) return std::nullopt;
            if (same_word(pair->name, "for") && ++count == 1) found = std::move(pair->value);
            text = trimmed(text);
            if (!text.empty() && text.front() != ';') return std::nullopt;
        }
        text.remove_prefix(std::min<std::size_t>(1, text.size()));
    }
    return count == 1 ? found : std::string();
}

// Takes the last element off the line: the shortest text behind a comma that is an element as a
// whole. It cannot begin inside of another element's quotation, since that text would end in a
// quotation that is open; and it does not depend on what stands to the left of it, which a client
// may have made up. What cannot be read is "", and so is all to the left of it.
std::string take_last_for(std::optional<std::string_view>& line) {
    const std::string_view all = *line;
    std::size_t begin = all.size() + 1;
    for (std::size_t commas = 0; begin > 0 && commas <= limits::kForwardedHops; ++commas) {
        const auto comma = begin < 2 ? all.npos : all.rfind(',', begin - 2);
        begin = comma + 1;  // npos: the line's begin
        if (auto hop = for_of(all.substr(begin))) {
            line.reset();
            if (begin > 0) line = all.substr(0, comma);
            return *std::move(hop);
        }
    }
    line.reset();
    return {};
}

void add_forwarded(std::string_view value, std::vector<std::string>& hops) {
    const auto before = static_cast<std::ptrdiff_t>(hops.size());
    std::optional<std::string_view> line = value;
    while (line) hops.push_back(take_last_for(line));
    std::reverse(hops.begin() + before, hops.end());
}

// It knows no quotation: a '"' is a client's, and means nothing.
void add_x_forwarded_for(std::string_view value, std::vector<std::string>& hops) {
    for (std::size_t begin = 0; begin <= value.size();) {
        const std::size_t end = std::min(value.find(',', begin), value.size());
        hops.emplace_back(trimmed(value.substr(begin, end - begin)));
        begin = end + 1;
    }
}

// All of that name, in the order in which proxies wrote them; a hop that cannot be read is "" or
// no address.
std::vector<std::string> hops_of(const net::HttpHeaders& headers, ForwardingHeader header) {
    const bool standard = header == ForwardingHeader::forwarded;
    const std::string_view wanted = standard ? "Forwarded" : "X-Forwarded-For";
    std::vector<std::string> hops;
    for (const auto& [name, value] : headers.all()) {
        if (!same_word(name, wanted)) continue;
        if (standard)
            add_forwarded(value, hops);
        else
            add_x_forwarded_for(value, hops);
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
