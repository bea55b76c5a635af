#include "server/config/site_lists.hpp"

#include "base/limits.hpp"
#include "server/config/flags.hpp"

#include <algorithm>
#include <cctype>

namespace rekey::server::config {
namespace {

using Names = std::vector<std::string>;

Error wrong(std::string_view given, std::string_view expected) {
    return Error(Code::invalid_params,
                 "\"" + std::string(given) + "\" is not " + std::string(expected));
}

std::string trimmed_lower(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

// Each piece between commas, as `read` takes it.
template <class Read>
Result<Names> read_each(std::string_view text, Read read) {
    Names names;
    while (true) {
        const std::size_t comma = text.find(',');
        REKEY_TRY_ASSIGN(name, read(trimmed_lower(text.substr(0, comma))));
        names.push_back(std::move(name));
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    if (names.size() <= limits::kOrigins) return names;
    return Error(Code::invalid_params,
                 "there are more than " + std::to_string(limits::kOrigins) + " of them");
}

bool is_host(std::string_view host) {
    return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view(".:-_").find(static_cast<char>(c)) != std::string_view::npos;
    });
}

Result<std::string> read_origin(std::string origin) {
    constexpr std::string_view kExpected =
        "an origin as browsers write it, for example https://console.example.com; no path, no *";
    const bool is_https = origin.starts_with("https://");
    if (!is_https && !origin.starts_with("http://")) return wrong(origin, kExpected);
    const std::string_view default_port = is_https ? ":443" : ":80";
    if (origin.ends_with(default_port)) origin.resize(origin.size() - default_port.size());
    const std::string authority = origin.substr(origin.find("//") + 2);
    const bool has_port =
        authority.find(':', authority.find(']') == std::string::npos ? 0 : authority.find(']')) !=
        std::string::npos;
    const auto address = parse_host_port(has_port ? authority : authority + ":1");
    if (!address || !is_host(address->host) || address->port == 0) return wrong(origin, kExpected);
    return origin;
}

Result<std::string> read_host(std::string host) {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    // A single colon can only be that of a port.
    const bool is_fine = is_host(host) && std::count(host.begin(), host.end(), ':') != 1;
    if (!is_fine) return wrong(host, "a host name or an IP address, without a port");
    return host;
}

}  // namespace

Result<Names> read_origins(std::string_view text) { return read_each(text, read_origin); }

Result<Names> read_hosts(std::string_view text) { return read_each(text, read_host); }

}  // namespace rekey::server::config
