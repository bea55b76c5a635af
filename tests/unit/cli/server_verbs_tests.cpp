#include "fake_server.hpp"
#include "protocol/methods/audit.hpp"
#include "protocol/methods/settings.hpp"
#include "protocol/methods/system.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;

namespace {

struct Fixture : Rekeyctl {
    protocol::SettingsView settings() const {
        protocol::SettingsView view;
        view.settings = {
            {"heartbeat_seconds", 30}, {"reuse_policy", "alert"}, {"rotate_at_fraction_min", 0.7}};
        view.sources = {{"heartbeat_seconds", protocol::SettingSource::file},
                        {"reuse_policy", protocol::SettingSource::preset},
                        {"rotate_at_fraction_min", protocol::SettingSource::preset}};
        view.read_only = boost::json::object{{"listen", "127.0.0.1:7443"}};
        return view;
    }
    void serve_settings() {
        server.on<protocol::SettingsGet>([this](const protocol::Nothing&) { return settings(); });
    }
    // Entries 1 to `last`, about agent 1.
    void serve_audit(std::uint64_t last) {
        server.on<protocol::AuditQuery>([this, last](const protocol::AuditQuery::Params& params) {
            protocol::AuditQuery::Result page;
            const bool newest = params.order == protocol::AuditOrder::newest_first;
            const std::uint64_t end = newest ? 1 : last;
            std::uint64_t seq = params.cursor ? std::stoull(*params.cursor) : newest ? last + 1 : 0;
            while (seq != end && last != 0 &&
                   page.entries.size() < static_cast<std::size_t>(params.limit)) {
                seq = newest ? seq - 1 : seq + 1;
                page.entries.push_back(entry(seq));
            }
            if (seq != end && last != 0) page.next_cursor = std::to_string(seq);
            return page;
        });
    }
    [[nodiscard]] protocol::AuditEntry entry(std::uint64_t seq) const {
        protocol::AuditEntry entry;
        entry.seq = seq;
        entry.stream_id = "main";
        entry.time = clock.now() - std::chrono::hours{2};
        entry.actor = "system";
        entry.action = "rotation.promoted";
        entry.subject = id_of(1);
        entry.outcome = "ok";
        entry.details = {{"generation", 2}};
        entry.previous_hash = entry.hash = std::string(64, 'a');
        return entry;
    }
    ExitCode run_anew(std::vector<std::string> args) {
        out.str({});
        err.str({});
        return run(std::move(args));
    }
    [[nodiscard]] bool printed(std::string_view words) const {
        return out.str().find(words) != std::string::npos;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_verbs_tests, Fixture)

BOOST_AUTO_TEST_CASE(settings_are_listed_with_value_source_and_meaning) {
    serve_settings();
    BOOST_TEST((run({"settings", "list"}) == ExitCode::ok));
    BOOST_TEST(printed("heartbeat_seconds       30              file"));
    BOOST_TEST(printed("rotate_at_fraction_min  0.7             default"));
    BOOST_TEST(printed("listen                  127.0.0.1:7443  start"));
}

BOOST_AUTO_TEST_CASE(one_setting_is_printed_as_its_value_alone) {
    serve_settings();
    BOOST_TEST((run({"settings", "get", "reuse_policy"}) == ExitCode::ok));
    BOOST_TEST(out.str() == "alert\n");
    BOOST_TEST((run({"settings", "get", "hartbeat_seconds"}) == ExitCode::failure));
    BOOST_TEST(err.str() ==
               "rekeyctl: not_found: no setting is called hartbeat_seconds. Did you mean "
               "heartbeat_seconds?\n");
}

BOOST_AUTO_TEST_CASE(set_sends_numbers_as_numbers_and_words_as_words) {
    boost::json::object sent;
    server.on<protocol::SettingsSet>([&](const protocol::SettingsSet::Params& params) {
        sent = params.settings;
        protocol::SettingsView view = settings();
        view.settings["heartbeat_seconds"] = 15;
        return view;
    });
    BOOST_TEST((run({"settings", "set", "heartbeat_seconds=15", "reuse_policy=suspend",
                     "rotate_at_fraction_min=0.5"}) == ExitCode::ok));
    BOOST_TEST(boost::json::serialize(sent.at("heartbeat_seconds")) == "15");
    BOOST_TEST(sent.at("reuse_policy").as_string() == "suspend");
    BOOST_TEST(sent.at("rotate_at_fraction_min").is_double());
    BOOST_TEST(printed("heartbeat_seconds = 15\n"));
    BOOST_TEST((run({"settings", "set", "heartbeat_seconds"}) == ExitCode::usage));
}

BOOST_AUTO_TEST_CASE(a_value_out_of_range_is_usage_and_names_the_field) {
    server.on<protocol::SettingsSet>(
        [](const protocol::SettingsSet::Params&) -> Result<protocol::SettingsView> {
            return protocol::bad_field({"settings.heartbeat_seconds", "integer from 5 to 600"});
        });
    BOOST_TEST((run({"settings", "set", "heartbeat_seconds=1"}) == ExitCode::usage));
    BOOST_TEST(err.str().find("settings.heartbeat_seconds") != std::string::npos);
    BOOST_TEST(err.str().find("integer from 5 to 600") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_name_that_cannot_be_set_is_told_from_one_that_is_mistyped) {
    serve_settings();
    server.on<protocol::SettingsSet>(
        [](const protocol::SettingsSet::Params&) -> Result<protocol::SettingsView> {
            return protocol::bad_field({"settings.x", "the name of a setting"});
        });
    BOOST_TEST((run_anew({"settings", "set", "hartbeat_seconds=10"}) == ExitCode::usage));
    BOOST_TEST(err.str() ==
               "rekeyctl: invalid_params: no setting is called hartbeat_seconds. Did you mean "
               "heartbeat_seconds?\n");
    BOOST_TEST((run_anew({"settings", "set", "listen=1.2.3.4:5"}) == ExitCode::usage));
    BOOST_TEST(err.str().find("listen is fixed while the server runs") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(audit_shows_the_newest_in_time_order_and_says_how_to_see_more) {
    server.hold({agent(1, "web-1")});
    serve_audit(1300);
    BOOST_TEST((run_anew({"audit", "--limit", "2"}) == ExitCode::ok));
    BOOST_TEST(printed("1299  "));
    BOOST_TEST(printed("1300  "));
    BOOST_TEST(out.str().find("1299  ") < out.str().find("1300  "));
    BOOST_TEST(!printed("1298  "));
    BOOST_TEST(printed("(2h ago)"));
    BOOST_TEST(printed("web-1"));
    BOOST_TEST(printed(R"({"generation":2})"));
    BOOST_TEST(err.str() ==
               "rekeyctl: these are the newest 2; there are older ones: add --before 1299, or a "
               "higher --limit\n");
    BOOST_TEST((run_anew({"audit", "--limit", "2", "--before", "1299"}) == ExitCode::ok));
    BOOST_TEST(printed("1297  "));
    BOOST_TEST(printed("1298  "));
    BOOST_TEST(!printed("1299  "));
    BOOST_TEST((run_anew({"audit", "--before", "3"}) == ExitCode::ok));
    BOOST_TEST(err.str().empty());
}

BOOST_AUTO_TEST_CASE(audit_goes_on_from_a_seq) {
    server.hold({agent(1, "web-1")});
    serve_audit(1300);
    BOOST_TEST((run_anew({"audit", "--after", "1290", "--limit", "5"}) == ExitCode::ok));
    BOOST_TEST(printed("1291  "));
    BOOST_TEST(!printed("1296  "));
    BOOST_TEST(err.str() ==
               "rekeyctl: there are newer ones: go on with --after 1295, or a higher --limit\n");
    BOOST_TEST((run_anew({"audit", "--after", "1298"}) == ExitCode::ok));
    BOOST_TEST(printed("1300  "));
    BOOST_TEST(err.str().empty());
}

BOOST_AUTO_TEST_CASE(the_audit_trail_is_read_up_to_its_limit) {
    serve_audit(1300);
    BOOST_TEST((run({"audit", "--limit", "1200", "-o", "json"}) == ExitCode::ok));
    BOOST_TEST(server.count("audit.query") == 3U);
    const auto json = boost::json::parse(out.str());
    const auto& entries = json.at("entries").as_array();
    BOOST_TEST(entries.size() == 1200U);
    BOOST_TEST(entries.front().at("seq").as_int64() == 101);
    BOOST_TEST(entries.back().at("seq").as_int64() == 1300);
    BOOST_TEST(json.at("next_cursor").as_string() == "101");
    BOOST_TEST(err.str().empty());
}

BOOST_AUTO_TEST_CASE(audit_filters_become_params) {
    server.hold({agent(1, "web-1")});
    serve_audit(0);
    BOOST_TEST((run({"audit", "--agent", "web-1", "--action", "rotation.*", "--actor", "system",
                     "-o", "json"}) == ExitCode::ok));
    const auto& params = server.calls().back().params;
    BOOST_TEST(params.at("agent_id").as_string() == id_of(1));
    BOOST_TEST(params.at("action").as_string() == "rotation.*");
    BOOST_TEST(params.at("actor").as_string() == "system");
    BOOST_TEST(params.at("limit").as_int64() == 100);
}

BOOST_AUTO_TEST_CASE(info_tells_what_the_server_is) {
    server.on<protocol::SystemInfo>([this](const protocol::Nothing&) {
        protocol::SystemInfo::Result info;
        info.version = "0.1.0";
        info.started_at = clock.now() - std::chrono::hours{26};
        info.uptime_seconds = std::int64_t{26} * 3600;
        info.server_time = clock.now();
        info.agents_total = 3;
        info.agents_connected = 2;
        info.listen = info.advertise = "127.0.0.1:7443";
        return info;
    });
    BOOST_TEST((run({"info"}) == ExitCode::ok));
    BOOST_TEST(printed("1d 2h"));
    BOOST_TEST(printed("3, 2 connected"));
}

BOOST_AUTO_TEST_CASE(any_method_can_be_called_with_params_from_argument_or_input) {
    server.answer("future.method", R"({"answer":[42]})");
    BOOST_TEST((run({"call", "future.method"}) == ExitCode::ok));
    BOOST_TEST(out.str() == "{\n  \"answer\": [\n    42\n  ]\n}\n");
    BOOST_TEST((run({"call", "future.method", R"({"a":1})"}) == ExitCode::ok));
    BOOST_TEST(server.calls().back().params.at("a").as_int64() == 1);
    in.str(R"( {"b": "x"} )");
    BOOST_TEST((run({"call", "future.method", "-"}) == ExitCode::ok));
    BOOST_TEST(server.calls().back().params.at("b").as_string() == "x");
}

BOOST_AUTO_TEST_CASE(params_that_are_no_object_are_refused_before_anything_is_sent) {
    for (const std::string params : {"[1]", "{", "word", "7"}) {
        BOOST_TEST((run({"call", "future.method", params}) == ExitCode::usage));
        BOOST_TEST(err.str().find("no JSON object") != std::string::npos);
    }
    in.str(std::string(limits::kMessageBytes + 1, ' '));
    BOOST_TEST((run({"call", "future.method", "-"}) == ExitCode::usage));
    BOOST_TEST(server.calls().empty());
    BOOST_TEST((run({"call", "no.such"}) == ExitCode::failure));
    BOOST_TEST(err.str().find("method_not_found") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_server_no_key_no_call) {
    variables = {{"XDG_STATE_HOME", "/nowhere"}};
    BOOST_TEST((run({"info"}) == ExitCode::unavailable));
    BOOST_TEST(err.str().find("/nowhere/rekey/listen") != std::string::npos);
    variables = {{"REKEY_SERVER", "h"}};
    BOOST_TEST((run({"info"}) == ExitCode::permission));
    BOOST_TEST(server.calls().empty());
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_not_understood_says_to_compare_versions) {
    server.answer("system.info", R"({"version": 7})");
    BOOST_TEST((run({"info"}) == ExitCode::failure));
    BOOST_TEST(err.str().find("system.info is not understood") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
