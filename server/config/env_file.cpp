#include "server/config/env_file.hpp"

#include "base/durable_file.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace rekey::server::config {
namespace {

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

bool is_variable_name(std::string_view name) {
    return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
           std::all_of(name.begin(), name.end(),
                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// Nothing for a quote that is not closed.
std::string_view without_quotes(std::string_view value, bool& is_whole) {
    const bool quoted = value.starts_with('"') || value.starts_with('\'');
    is_whole = !quoted || (value.size() >= 2 && value.back() == value.front());
    return quoted && is_whole ? value.substr(1, value.size() - 2) : value;
}

constexpr std::array<std::string_view, 6> kAims{"DATABASE_URL",
                                                "JWT_SECRET_KEY",
                                                "JWT_EXPIRATION_MINUTES",
                                                "KEY_ROTATION_GRACE_HOURS",
                                                "RATE_LIMIT_AUTH_PER_MINUTE",
                                                "RATE_LIMIT_API_PER_MINUTE"};

}  // namespace

std::span<const std::string_view> variables_of_aims() { return kAims; }

Result<Variables> read_env_file(const std::string& path) {
    const auto content = read_file(path, limits::kConfigFileBytes);
    if (content.has_error()) {
        return Error(Code::not_found,
                     "file of variables " + path + ": " + content.error().message());
    }
    return parse_env(*content, path);
}

Result<Variables> parse_env(std::string_view text, const std::string& path) {
    constexpr std::string_view kExport = "export ";
    Variables variables;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        if (line.starts_with(kExport)) line = trimmed(line.substr(kExport.size()));
        const std::size_t equals = std::min(line.find('='), line.size());
        const std::string_view name = trimmed(line.substr(0, equals));
        bool is_whole = false;
        const std::string_view value =
            without_quotes(trimmed(line.substr(std::min(equals + 1, line.size()))), is_whole);
        if (equals == line.size() || !is_variable_name(name) || !is_whole) {
            return Error(Code::invalid_params, path + ":" + std::to_string(number) +
                                                   ": expected NAME=VALUE, the value perhaps in "
                                                   "one pair of quotes");
        }
        variables.insert_or_assign(std::string(name), std::string(value));
    }
    return variables;
}

}  // namespace rekey::server::config
