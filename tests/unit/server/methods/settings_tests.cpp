#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

BOOST_FIXTURE_TEST_SUITE(settings_tests, DoorWorld)

BOOST_AUTO_TEST_CASE(get_says_where_each_comes_from) {
    facts.flags["listen"] = "127.0.0.1:7443";
    const auto view = ok(admin, "settings.get");
    const auto& sources = view.at("sources").as_object();
    BOOST_TEST(sources.at("drain_seconds").as_string() == "file");
    BOOST_TEST(sources.at("jwt_minutes").as_string() == "environment");
    BOOST_TEST(sources.at("heartbeat_seconds").as_string() == "default");
    BOOST_TEST(view.at("settings").at("drain_seconds").to_number<int>() == 1);
    BOOST_TEST(view.at("read_only").at("listen").as_string() == "127.0.0.1:7443");
}

BOOST_AUTO_TEST_CASE(set_is_stored_and_in_force_at_once) {
    const boost::json::object wanted{{"heartbeat_seconds", 5}, {"drain_seconds", 0}};
    const auto view = ok(admin, "settings.set", {{"settings", wanted}});
    BOOST_TEST(view.at("sources").at("heartbeat_seconds").as_string() == "set");
    BOOST_TEST(settings.snapshot()->heartbeat_seconds == 5);
    BOOST_TEST(settings.snapshot()->drain_seconds == 0);
    BOOST_TEST(settings.snapshot()->jwt_minutes == 2);
    BOOST_TEST(ok(admin, "settings.get").at("sources").at("drain_seconds").as_string() == "set");
    BOOST_TEST(audited("settings.changed") == 1U);
}

BOOST_AUTO_TEST_CASE(all_or_none) {
    const boost::json::object half{{"heartbeat_seconds", 10}, {"jwt_minutes", 0}};
    const auto answer = call(admin, "settings.set", {{"settings", half}});
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST((answer.error().code() == Code::invalid_params));
    BOOST_TEST(answer.error().details()->at("path").as_string() == "settings.jwt_minutes");
    BOOST_TEST(settings.snapshot()->heartbeat_seconds == 30);
    BOOST_TEST(ok(admin, "settings.get").at("settings").at("heartbeat_seconds") ==
               boost::json::value(30));
    const boost::json::object unknown{{"hartbeat_seconds", 10}};
    BOOST_TEST((refused(admin, "settings.set", {{"settings", unknown}}) == Code::invalid_params));
    const boost::json::object crossed{{"rotate_at_fraction_min", 0.95}};
    BOOST_TEST((refused(admin, "settings.set", {{"settings", crossed}}) == Code::invalid_params));
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_overtaken_changes_nothing) {
    SettingValues newer;
    newer.heartbeat_seconds = 7;
    settings.replace_unless_older(newer, 2);
    SettingValues older;
    older.heartbeat_seconds = 6;
    settings.replace_unless_older(older, 1);
    BOOST_TEST(settings.snapshot()->heartbeat_seconds == 7);
}

BOOST_AUTO_TEST_CASE(info_counts_agents_and_not_admins) {
    static_cast<void>(create_agent("a"));
    const auto info = ok(admin, "system.info");
    BOOST_TEST(info.at("agents_total").to_number<int>() == 1);
    BOOST_TEST(info.at("advertise").as_string() == "rekey.example.com:7443");
    BOOST_TEST(!info.contains("ca_pin"));
}

BOOST_AUTO_TEST_CASE(the_audit_trail_pages_and_filters) {
    for (int i = 0; i < 3; ++i) static_cast<void>(create_agent("a" + std::to_string(i)));
    const auto first = ok(admin, "audit.query", {{"action", "agent.*"}, {"limit", 2}});
    BOOST_TEST(first.at("entries").as_array().size() == 2U);
    const boost::json::object next{
        {"action", "agent.*"}, {"limit", 2}, {"cursor", first.at("next_cursor")}};
    const auto rest = ok(admin, "audit.query", next);
    BOOST_TEST(rest.at("entries").as_array().size() == 1U);
    BOOST_TEST(!rest.contains("next_cursor"));
    BOOST_TEST(rest.at("entries").at(0).at("actor").as_string() == admin.agent_id);
    BOOST_TEST((refused(admin, "audit.query", {{"cursor", "x"}}) == Code::invalid_params));
}

BOOST_AUTO_TEST_CASE(the_audit_trail_is_read_from_the_newest_back) {
    for (int i = 0; i < 3; ++i) static_cast<void>(create_agent("a" + std::to_string(i)));
    boost::json::object params{{"action", "agent.*"}, {"order", "newest_first"}, {"limit", 2}};
    const auto first = ok(admin, "audit.query", params);
    const auto& newest = first.at("entries").as_array();
    BOOST_TEST(newest.size() == 2U);
    BOOST_TEST(newest.at(0).at("seq").to_number<int>() > newest.at(1).at("seq").to_number<int>());
    params["cursor"] = first.at("next_cursor");
    const auto rest = ok(admin, "audit.query", params);
    BOOST_TEST(rest.at("entries").as_array().size() == 1U);
    BOOST_TEST(!rest.contains("next_cursor"));
    BOOST_TEST(rest.at("entries").at(0).at("seq").to_number<int>() <
               newest.at(1).at("seq").to_number<int>());
    for (const char* cursor : {"0", "-1", "99999999999999999999", "18446744073709551615"}) {
        params["cursor"] = cursor;
        BOOST_TEST((refused(admin, "audit.query", params) == Code::invalid_params));
    }
    BOOST_TEST((refused(admin, "audit.query", {{"order", "sideways"}}) == Code::invalid_params));
}

BOOST_AUTO_TEST_SUITE_END()
