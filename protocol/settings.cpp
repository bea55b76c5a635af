#include "protocol/settings.hpp"

#include "protocol/fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace rekey::protocol {
namespace {

namespace json = boost::json;
using S = Settings;

constexpr std::array kTable{
    SettingInfo{"agent_token_rotation_days", &S::agent_token_rotation_days, 1, 365, "days",
                "The life of an agent's token."},
    SettingInfo{"agent_token_grace_period_minutes", &S::agent_token_grace_period_minutes, 1, 60,
                "minutes", "How long the old token works after the new one is activated."},
    SettingInfo{"rotate_at_fraction_min", &S::rotate_at_fraction_min, 0.1, 0.95, "",
                "The earliest part of a token's life at which it is rotated."},
    SettingInfo{"rotate_at_fraction_max", &S::rotate_at_fraction_max, 0.1, 0.95, "",
                "The latest; the moment between is drawn once a token."},
    SettingInfo{"rotation_timeout_seconds", &S::rotation_timeout_seconds, 1, 600, "seconds",
                "How long an agent may take to answer an offer or a commit."},
    SettingInfo{"rotation_concurrency", &S::rotation_concurrency, 1, 10000, "",
                "Rotations under way at the same time."},
    SettingInfo{"scheduler_interval_seconds", &S::scheduler_interval_seconds, 1, 3600, "seconds",
                "How often due rotations are looked for, and the unit of the retries' back-off."},
    SettingInfo{"heartbeat_seconds", &S::heartbeat_seconds, 5, 600, "seconds",
                "Between two heartbeats; after 2.5 of them in silence a session is closed."},
    SettingInfo{"enrollment_code_minutes", &S::enrollment_code_minutes, 1, 1440, "minutes",
                "The life of an enrollment code."},
    SettingInfo{"key_rotation_grace_hours", &S::key_rotation_grace_hours, 0, 720, "hours",
                "How long an API key works after its rotation."},
    SettingInfo{"jwt_minutes", &S::jwt_minutes, 1, 1440, "minutes", "The life of an access token."},
    SettingInfo{"signing_key_rotation_days", &S::signing_key_rotation_days, 1, 365, "days",
                "How long one key signs access tokens."},
    SettingInfo{"drain_seconds", &S::drain_seconds, 0, 600, "seconds",
                "Over which agents are sent away at a shutdown."},
    SettingInfo{"recovery_budget", &S::recovery_budget, 0, 100, "",
                "Tokens that an agent may be minted by recovery, a window."},
    SettingInfo{"recovery_window_days", &S::recovery_window_days, 1, 365, "days",
                "The window of recovery_budget."},
    SettingInfo{"expired_token_policy", &S::expired_token_policy, 0, 0, "",
                "Whether an expired token opens recovery."},
    SettingInfo{"reuse_policy", &S::reuse_policy, 0, 0, "",
                "What follows when a retired token is used again."},
    SettingInfo{"rate_limit_auth_per_minute", &S::rate_limit_auth_per_minute, 0, 100000, "a minute",
                "Failed attempts to authenticate, an address; 0 = off."},
    SettingInfo{"rate_limit_api_per_minute", &S::rate_limit_api_per_minute, 0, 100000, "a minute",
                "Calls, an identity; 0 = off."},
    SettingInfo{"audit_retention_days", &S::audit_retention_days, 0, 3650, "days",
                "How long audit rows are kept; 0 = for ever."},
};
static_assert(kTable.size() <= limits::kSettings);

template <class V>
using ValueOf = std::remove_cvref_t<decltype(std::declval<Settings>().*std::declval<V>())>;

std::string number_text(double number) {
    std::string text;
    append_json_number(text, number);
    return text;
}

template <NamedEnum E>
std::string words_text() {
    std::string text;
    for (const std::string_view word : names_of(E{}))
        text.append(text.empty() ? "one of " : ", ").append(word);
    return text;
}

// Each reads one kind of value; false if it is another, or out of range.
bool read_member(std::int64_t& to, const json::value& from, const SettingInfo& info) {
    if (!from.is_number()) return false;
    const auto number = from.to_number<double>();
    if (std::trunc(number) != number || number < info.min || number > info.max) return false;
    to = static_cast<std::int64_t>(number);
    return true;
}
bool read_member(double& to, const json::value& from, const SettingInfo& info) {
    if (!from.is_number()) return false;
    const auto number = from.to_number<double>();
    if (!(number >= info.min && number <= info.max)) return false;
    to = number;
    return true;
}
template <NamedEnum E>
bool read_member(E& to, const json::value& from, const SettingInfo& /*info*/) {
    if (!from.is_string()) return false;
    const auto word = enum_from<E>(from.get_string());
    if (word) to = *word;
    return word.has_value();
}

Error refused(const SettingInfo& info) {
    return bad_field({std::string(info.name), setting_expected(info)});
}

}  // namespace

std::span<const SettingInfo> settings_table() { return kTable; }

const SettingInfo* find_setting(std::string_view name) {
    const auto* const found = std::find_if(
        kTable.begin(), kTable.end(), [&](const SettingInfo& info) { return info.name == name; });
    return found == kTable.end() ? nullptr : found;
}

std::string_view setting_type(const SettingInfo& info) {
    return std::visit(
        [](auto member) -> std::string_view {
            return detail::json_type<ValueOf<decltype(member)>>();
        },
        info.member);
}

std::string setting_expected(const SettingInfo& info) {
    return std::visit(
        [&](auto member) {
            using T = ValueOf<decltype(member)>;
            if constexpr (NamedEnum<T>)
                return words_text<T>();
            else
                return std::string(detail::json_type<T>()) + " from " + number_text(info.min) +
                       " to " + number_text(info.max);
        },
        info.member);
}

std::string environment_name(std::string_view setting) {
    std::string text = "REKEY_";
    for (const char c : setting)
        text.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    return text;
}

json::value get_setting(const Settings& settings, const SettingInfo& info) {
    return std::visit(
        [&](auto member) -> json::value {
            const auto& value = settings.*member;
            if constexpr (NamedEnum<ValueOf<decltype(member)>>)
                return json::value(json::string(name_of(value)));
            else
                return json::value(value);
        },
        info.member);
}

json::object settings_json(const Settings& settings) {
    json::object values;
    for (const SettingInfo& info : kTable) values[info.name] = get_setting(settings, info);
    return values;
}

Result<> set_setting(Settings& settings, std::string_view name, const json::value& value) {
    const SettingInfo* info = find_setting(name);
    if (info == nullptr) {
        const std::string path(cut_utf8(name, 64));
        return Error(Code::invalid_params, path + " is no setting")
            .with("path", json::string(path))
            .with("expected", "the name of a setting");
    }
    const bool ok = std::visit(
        [&](auto member) { return read_member(settings.*member, value, *info); }, info->member);
    if (!ok) return refused(*info);
    return {};
}

Result<> set_setting_text(Settings& settings, std::string_view name, std::string_view text) {
    const SettingInfo* info = find_setting(name);
    if (info == nullptr || setting_type(*info) == "string")
        return set_setting(settings, name, json::value(json::string(text)));
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
        return refused(*info);
    return set_setting(settings, name, json::value(number));
}

Result<> set_settings(Settings& settings, const json::object& values) {
    Settings changed = settings;
    for (const auto& [name, value] : values) {
        const auto result = set_setting(changed, name, value);
        if (result.has_error()) {
            const Error error = result.error();
            const json::object& details = *error.details();
            return Error(error.code(), "settings." + error.message())
                .with("path",
                      json::string("settings." + std::string(details.at("path").get_string())))
                .with("expected", details.at("expected"));
        }
    }
    const auto together = check_settings(changed);
    if (together.has_error()) {
        const Error error = together.error();
        return bad_field({"settings.rotate_at_fraction_min",
                          std::string(error.details()->at("expected").get_string())});
    }
    settings = changed;
    return {};
}

Result<> check_settings(const Settings& settings) {
    if (settings.rotate_at_fraction_min <= settings.rotate_at_fraction_max) return {};
    return bad_field({"rotate_at_fraction_min", "number not above rotate_at_fraction_max"});
}

}  // namespace rekey::protocol
