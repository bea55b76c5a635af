#include "server/rpc/capabilities.hpp"

#include <algorithm>

namespace rekey::server::rpc {
namespace {

constexpr std::size_t kPartBytes = 64;

bool is_part(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= kPartBytes && std::ranges::all_of(text, allowed);
}

}  // namespace

std::optional<CapabilityForm> capability_form(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || !is_part(text.substr(0, colon))) return std::nullopt;
    const std::string_view name = text.substr(colon + 1);
    if (name == "*") return CapabilityForm::wildcard;
    if (!is_part(name) || text.substr(0, colon) == "admin") return std::nullopt;
    return CapabilityForm::one;
}

bool covers(std::string_view granted, std::string_view wanted) {
    if (granted == wanted || granted == kEverything) return true;
    if (!granted.ends_with(":*")) return false;
    const auto prefix = granted.substr(0, granted.size() - 1);
    return prefix.size() > 1 && wanted.size() > prefix.size() && wanted.starts_with(prefix);
}

bool covers(std::span<const std::string> granted, std::string_view wanted) {
    return std::any_of(granted.begin(), granted.end(),
                       [&](const std::string& one) { return covers(one, wanted); });
}

std::vector<std::string> covering(std::string_view wanted) {
    std::vector<std::string> texts{std::string(wanted)};
    const std::string wildcard = std::string(wanted.substr(0, wanted.find(':'))) + ":*";
    if (wildcard != wanted) texts.push_back(wildcard);
    if (wanted != kEverything && wildcard != kEverything) texts.emplace_back(kEverything);
    return texts;
}

std::vector<std::string> narrowed(std::span<const std::string> of,
                                  std::span<const std::string> to) {
    std::vector<std::string> both;
    for (const std::string& left : of)
        if (covers(to, left)) both.push_back(left);
    for (const std::string& right : to)
        if (covers(of, right) && !covers(both, right)) both.push_back(right);
    return both;
}

}  // namespace rekey::server::rpc
