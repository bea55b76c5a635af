#pragma once

#include "base/result.hpp"
#include "protocol/vocabulary.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

// All settings, described as data: the same table serves settings.get and .set, the configuration
// file, the environment and the reference (docs/configuration.md).
namespace rekey::protocol {

enum class ExpiredTokenPolicy : std::uint8_t { recover, reject };
constexpr auto names_of(ExpiredTokenPolicy) {
    return std::to_array<std::string_view>({"recover", "reject"});
}
enum class ReusePolicy : std::uint8_t { alert, suspend };
constexpr auto names_of(ReusePolicy) {
    return std::to_array<std::string_view>({"alert", "suspend"});
}

// The values in force; initialisers are the defaults.
struct Settings {
    std::int64_t agent_token_rotation_days = 7;
    std::int64_t agent_token_grace_period_minutes = 5;
    double rotate_at_fraction_min = 0.7;
    double rotate_at_fraction_max = 0.9;
    std::int64_t rotation_timeout_seconds = 30;
    std::int64_t rotation_concurrency = 256;
    std::int64_t scheduler_interval_seconds = 60;
    std::int64_t heartbeat_seconds = 30;
    std::int64_t enrollment_code_minutes = 10;
    std::int64_t key_rotation_grace_hours = 24;
    std::int64_t jwt_minutes = 30;
    std::int64_t signing_key_rotation_days = 30;
    std::int64_t drain_seconds = 10;
    std::int64_t recovery_budget = 3;
    std::int64_t recovery_window_days = 30;
    ExpiredTokenPolicy expired_token_policy = ExpiredTokenPolicy::recover;
    ReusePolicy reuse_policy = ReusePolicy::alert;
    std::int64_t rate_limit_auth_per_minute = 20;
    std::int64_t rate_limit_api_per_minute = 600;
    std::int64_t audit_retention_days = 0;
    friend bool operator==(const Settings&, const Settings&) = default;
};

struct SettingInfo {
    using Member = std::variant<std::int64_t Settings::*, double Settings::*,
                                ExpiredTokenPolicy Settings::*, ReusePolicy Settings::*>;
    std::string_view name;
    Member member;
    double min;  // both included; not used for words
    double max;
    std::string_view unit;  // "days", "", …
    std::string_view summary;
};

[[nodiscard]] std::span<const SettingInfo> settings_table();
[[nodiscard]] const SettingInfo* find_setting(std::string_view name);

// "integer", "number" or "string".
[[nodiscard]] std::string_view setting_type(const SettingInfo& info);
// What belongs there: "integer from 5 to 600", "one of recover, reject".
[[nodiscard]] std::string setting_expected(const SettingInfo& info);
// "REKEY_HEARTBEAT_SECONDS".
[[nodiscard]] std::string environment_name(std::string_view setting);

[[nodiscard]] boost::json::value get_setting(const Settings& settings, const SettingInfo& info);
[[nodiscard]] boost::json::object settings_json(const Settings& settings);

// Sets one value. invalid_params for an unknown name, a wrong type or a value out of range, with
// details.path = name and details.expected. `settings` is unchanged then.
[[nodiscard]] Result<> set_setting(Settings& settings, std::string_view name,
                                   const boost::json::value& value);
// The same for text: an environment variable.
[[nodiscard]] Result<> set_setting_text(Settings& settings, std::string_view name,
                                        std::string_view text);
// settings.set: all or none. details.path is "settings.<name>"; values that contradict each other
// (rotate_at_fraction_min above _max) are refused too.
[[nodiscard]] Result<> set_settings(Settings& settings, const boost::json::object& values);
// After values from several sources were put together.
[[nodiscard]] Result<> check_settings(const Settings& settings);

}  // namespace rekey::protocol
