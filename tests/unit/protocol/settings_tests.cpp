#include "protocol/settings.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

using namespace rekey;
using namespace rekey::protocol;
namespace json = boost::json;

namespace {

struct Expected {
    std::string_view name;
    std::string_view preset;  // as JSON
    double min;
    double max;
};

// docs/protocol.md, "Settings".
constexpr Expected kContract[] = {
    {"agent_token_rotation_days", "7", 1, 365},
    {"agent_token_grace_period_minutes", "5", 1, 60},
    {"rotate_at_fraction_min", "0.7", 0.1, 0.95},
    {"rotate_at_fraction_max", "0.9", 0.1, 0.95},
    {"rotation_timeout_seconds", "30", 1, 600},
    {"rotation_concurrency", "256", 1, 10000},
    {"scheduler_interval_seconds", "60", 1, 3600},
    {"heartbeat_seconds", "30", 5, 600},
    {"enrollment_code_minutes", "10", 1, 1440},
    {"key_rotation_grace_hours", "24", 0, 720},
    {"jwt_minutes", "30", 1, 1440},
    {"signing_key_rotation_days", "30", 1, 365},
    {"drain_seconds", "10", 0, 600},
    {"recovery_budget", "3", 0, 100},
    {"recovery_window_days", "30", 1, 365},
    {"expired_token_policy", "\"recover\"", 0, 0},
    {"reuse_policy", "\"alert\"", 0, 0},
    {"rate_limit_auth_per_minute", "20", 0, 100000},
    {"rate_limit_api_per_minute", "600", 0, 100000},
    {"audit_retention_days", "0", 0, 3650},
};

void refused(std::string_view name, const json::value& value) {
    Settings settings;
    const auto result = set_setting(settings, name, value);
    BOOST_TEST_CONTEXT(name << " = " << value) {
        BOOST_REQUIRE(result.has_error());
        BOOST_TEST((result.error().code() == Code::invalid_params));
        BOOST_TEST(result.error().details()->at("path").as_string() == name);
        BOOST_TEST((settings == Settings{}));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(settings_tests)

BOOST_AUTO_TEST_CASE(the_table_is_the_contracts) {
    BOOST_TEST(settings_table().size() == std::size(kContract));
    for (const Expected& expected : kContract) {
        BOOST_TEST_CONTEXT(expected.name) {
            const SettingInfo* info = find_setting(expected.name);
            BOOST_REQUIRE(info != nullptr);
            BOOST_TEST(get_setting(Settings{}, *info) == json::parse(expected.preset));
            BOOST_TEST(info->min == expected.min);
            BOOST_TEST(info->max == expected.max);
            BOOST_TEST(!info->summary.empty());
        }
    }
    BOOST_TEST(find_setting("nothing") == nullptr);
    BOOST_TEST(settings_json(Settings{}).size() == std::size(kContract));
}

BOOST_AUTO_TEST_CASE(each_range_holds_at_both_ends) {
    for (const SettingInfo& info : settings_table()) {
        if (setting_type(info) == "string") continue;
        Settings settings;
        for (const double edge : {info.min, info.max}) {
            BOOST_TEST(set_setting(settings, info.name, json::value(edge)).has_value(), info.name);
            BOOST_TEST(get_setting(settings, info).to_number<double>() == edge);
        }
        const double step = setting_type(info) == "integer" ? 1 : 0.001;
        refused(info.name, info.min - step);
        refused(info.name, info.max + step);
        refused(info.name, "7");
        refused(info.name, nullptr);
        refused(info.name, true);
        refused(info.name, json::array{});
        refused(info.name, 1e300);
    }
}

BOOST_AUTO_TEST_CASE(types_are_strict) {
    refused("heartbeat_seconds", 30.5);
    Settings settings;
    BOOST_TEST(set_setting(settings, "heartbeat_seconds", json::value(60.0)).has_value());
    BOOST_TEST(settings.heartbeat_seconds == 60);
    refused("reuse_policy", "Suspend");
    refused("reuse_policy", 1);
    BOOST_TEST(set_setting(settings, "reuse_policy", json::value("suspend")).has_value());
    BOOST_TEST((settings.reuse_policy == ReusePolicy::suspend));
    refused("hartbeat_seconds", 30);
    BOOST_TEST(setting_expected(*find_setting("heartbeat_seconds")) == "integer from 5 to 600");
    BOOST_TEST(setting_expected(*find_setting("rotate_at_fraction_min")) ==
               "number from 0.1 to 0.95");
    BOOST_TEST(setting_expected(*find_setting("reuse_policy")) == "one of alert, suspend");
}

BOOST_AUTO_TEST_CASE(the_environment_gives_text) {
    BOOST_TEST(environment_name("heartbeat_seconds") == "REKEY_HEARTBEAT_SECONDS");
    Settings settings;
    BOOST_TEST(set_setting_text(settings, "heartbeat_seconds", "45").has_value());
    BOOST_TEST(settings.heartbeat_seconds == 45);
    BOOST_TEST(set_setting_text(settings, "rotate_at_fraction_min", "0.5").has_value());
    BOOST_TEST(settings.rotate_at_fraction_min == 0.5);
    BOOST_TEST(set_setting_text(settings, "expired_token_policy", "reject").has_value());
    BOOST_TEST((settings.expired_token_policy == ExpiredTokenPolicy::reject));
    for (const std::string_view text : {"", " 45", "45 ", "45s", "abc", "nan", "inf", "0x2d", "4"})
        BOOST_TEST(set_setting_text(settings, "heartbeat_seconds", text).has_error(), text);
    BOOST_TEST(set_setting_text(settings, "nothing", "1").has_error());
    BOOST_TEST(settings.heartbeat_seconds == 45);
}

BOOST_AUTO_TEST_CASE(a_set_is_all_or_none) {
    Settings settings;
    const auto bad = set_settings(
        settings, json::parse(R"({"jwt_minutes":5,"heartbeat_seconds":4})").as_object());
    BOOST_REQUIRE(bad.has_error());
    BOOST_TEST(bad.error().details()->at("path").as_string() == "settings.heartbeat_seconds");
    BOOST_TEST(bad.error().details()->at("expected").as_string() == "integer from 5 to 600");
    BOOST_TEST(bad.error().message() ==
               "settings.heartbeat_seconds: expected integer from 5 to 600");
    BOOST_TEST((settings == Settings{}));
    const auto unknown = set_settings(settings, json::parse(R"({"nothing":5})").as_object());
    BOOST_REQUIRE(unknown.has_error());
    BOOST_TEST(unknown.error().details()->at("path").as_string() == "settings.nothing");
    BOOST_TEST(set_settings(settings,
                            json::parse(R"({"jwt_minutes":5,"heartbeat_seconds":6})").as_object())
                   .has_value());
    BOOST_TEST(settings.jwt_minutes == 5);
    BOOST_TEST(settings.heartbeat_seconds == 6);
    BOOST_TEST(set_settings(settings, {}).has_value());
}

BOOST_AUTO_TEST_CASE(values_that_contradict_each_other_are_refused_together) {
    Settings settings;
    const auto bad =
        set_settings(settings, json::parse(R"({"rotate_at_fraction_max":0.5})").as_object());
    BOOST_REQUIRE(bad.has_error());
    BOOST_TEST((bad.error().code() == Code::invalid_params));
    BOOST_TEST((settings == Settings{}));
    // Whatever the order in which they stand.
    BOOST_TEST(
        set_settings(settings,
                     json::parse(R"({"rotate_at_fraction_max":0.5,"rotate_at_fraction_min":0.4})")
                         .as_object())
            .has_value());
    settings.rotate_at_fraction_min = 0.6;
    BOOST_TEST(check_settings(settings).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
