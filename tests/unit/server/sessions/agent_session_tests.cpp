#include "protocol/proof.hpp"
#include "tests/unit/server/support/fake_wire.hpp"

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::testing;
using namespace std::chrono_literals;

namespace {

struct Fixture : SessionWorld {
    const Secret token = enrolled_agent("a");
    std::shared_ptr<Peer> peer = connect(token);

    std::int64_t error_of(int id) {
        settle();
        const auto* answer = peer->answer(id);
        const auto* error = answer ? answer->as_object().if_contains("error") : nullptr;
        return error ? error->at("code").as_int64() : 0;
    }
    static std::string request(int id, std::string_view method, std::string_view params = "{}") {
        return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" +
               std::string(method) + R"(","params":)" + std::string(params) + "}";
    }
    // The agent answers this request of the server's.
    void answer(const boost::json::value& asked, const boost::json::value& result) {
        peer->says(boost::json::serialize(
            boost::json::value{{"jsonrpc", "2.0"}, {"id", asked.at("id")}, {"result", result}}));
        settle();
    }
    boost::json::value completion() {
        const auto& offer = peer->message("agent.rotate")->at("params");
        const std::string id(offer.at("rotation_id").as_string());
        return {
            {"status", "rotation_complete"},
            {"rotation_id", id},
            {"generation", 2},
            {"proof", protocol::rotation_proof(
                          Secret(std::string_view(offer.at("token").as_string())), "a", id, 2)}};
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(agent_session_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_heartbeat_is_answered_with_the_time) {
    peer->says(kHeartbeat);
    BOOST_REQUIRE(peer->answer(2));
    BOOST_TEST(peer->answer(2)->at("result").at("server_time").as_string() ==
               "2024-10-04T00:00:00.000Z");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_answered_by_name) {
    peer->says(request(3, "agent.heartbeat", R"({"status":"ok"})"));
    BOOST_TEST(error_of(3) == -32602);
    peer->says(request(4, "agent.heartbeat",
                       R"({"status":"ok","uptime_seconds":1,"generation":1,"more":1})"));
    BOOST_TEST(error_of(4) == -32602);
    peer->says(request(5, "agent.verify"));
    BOOST_TEST(error_of(5) == -32601);
    peer->says(request(6, "agents.list"));
    BOOST_TEST(error_of(6) == -32601);
    peer->says(request(7, "agent.heartbeat", "[1]"));
    BOOST_TEST(error_of(7) == -32602);
    BOOST_TEST(!peer->closed_with);
}

BOOST_AUTO_TEST_CASE(a_notification_is_never_answered) {
    const auto before = peer->received.size();
    peer->says(R"({"jsonrpc":"2.0","method":"agent.nothing"})");
    peer->says(R"({"jsonrpc":"2.0","method":"agent.heartbeat"})");
    settle();
    BOOST_TEST(peer->received.size() == before);
}

BOOST_AUTO_TEST_CASE(an_array_is_one_invalid_request) {
    const auto before = peer->received.size();
    peer->says("[" + std::string(kHeartbeat) + "," + std::string(kHeartbeat) + "]");
    BOOST_REQUIRE(peer->received.size() == before + 1);
    BOOST_TEST(peer->received.back().at("id").is_null());
    BOOST_TEST(peer->received.back().at("error").at("code").as_int64() == -32600);
}

BOOST_AUTO_TEST_CASE(the_tenth_parse_error_in_a_minute_ends_it) {
    for (int count = 1; count <= 9; ++count) {
        peer->says("{");
        BOOST_TEST(peer->received.back().at("error").at("code").as_int64() == -32700);
        BOOST_TEST(peer->received.back().at("id").is_null());
    }
    BOOST_TEST(!peer->closed_with);
    peer->says("{");
    BOOST_TEST(peer->closed_with.value() == 4503);
}

BOOST_AUTO_TEST_CASE(nine_parse_errors_a_minute_are_borne) {
    for (int minute = 0; minute < 3; ++minute) {
        for (int count = 1; count <= 9; ++count) peer->says("{");
        pass(60s);
        if (peer->closed_with) break;
    }
    // Closed as silent after the last of them, not for what it said.
    BOOST_TEST(peer->closed_with.value_or(4003) == 4003);
}

BOOST_AUTO_TEST_CASE(silence_ends_it_and_any_frame_is_life) {
    pass(74s);
    BOOST_TEST(!peer->closed_with);
    peer->pongs();
    pass(74s);
    BOOST_TEST(!peer->closed_with);
    pass(2s);
    BOOST_TEST(peer->closed_with.value() == 4003);
    BOOST_TEST(!registry.connected("a"));
    peer->ends();
    settle();
    BOOST_TEST(registry.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(a_new_heartbeat_interval_is_pushed) {
    change_settings([](SettingValues& values) { values.heartbeat_seconds = 5; });
    pass(1s);
    const auto* pushed = peer->message("agent.configure");
    BOOST_REQUIRE(pushed);
    BOOST_TEST(pushed->at("params").at("settings").at("heartbeat_seconds").as_int64() == 5);
    answer(*pushed, {{"status", "applied"}});
    pass(13s);
    BOOST_TEST(peer->closed_with.value() == 4003);
}

BOOST_AUTO_TEST_CASE(a_rotation_runs_over_the_socket) {
    peer->says(request(7, "agent.rotate_key", R"({"reason":"old"})"));
    settle();
    BOOST_REQUIRE(peer->answer(7));
    BOOST_TEST(peer->answer(7)->at("result").at("status").as_string() == "rotation_started");
    BOOST_REQUIRE(peer->message("agent.rotate"));
    answer(*peer->message("agent.rotate"), completion());
    BOOST_TEST(credentials("a").current->generation == 2U);
    const auto& commit = *peer->message("agent.commit");
    answer(commit, {{"status", "activated"},
                    {"rotation_id", commit.at("params").at("rotation_id")},
                    {"generation", 2}});
    BOOST_TEST(credentials("a").activated_generation == 2U);

    peer->says(request(8, "agent.key_status"));
    settle();
    const auto& status = peer->answer(8)->at("result");
    BOOST_TEST(status.at("generation").as_int64() == 2);
    BOOST_TEST(status.at("days_until_expiration").as_int64() == 7);
    BOOST_TEST(!status.at("should_rotate").as_bool());
    BOOST_TEST(status.at("in_grace_period").as_bool());
    BOOST_TEST(status.at("rotation_count").as_int64() == 1);
}

BOOST_AUTO_TEST_CASE(a_reply_that_missed_its_request_counts_as_request_and_as_notification) {
    peer->says(request(7, "agent.rotate_key"));
    settle();
    auto params = completion().as_object();
    params.erase("status");
    const auto& said = boost::json::serialize(params);
    auto wrong = params;
    wrong["proof"] = std::string(64, '0');
    peer->says(request(9, "agent.rotation_complete", boost::json::serialize(wrong)));
    BOOST_TEST(error_of(9) == -32602);
    BOOST_TEST(credentials("a").pending.has_value());

    peer->says(R"({"jsonrpc":"2.0","method":"agent.rotation_complete","params":)" + said + "}");
    settle();
    BOOST_TEST(credentials("a").current->generation == 2U);
    BOOST_TEST(peer->message("agent.commit") != nullptr);
    peer->says(request(10, "agent.rotation_complete", said));
    settle();
    BOOST_TEST(peer->answer(10)->at("result").at("status").as_string() == "committed");
    BOOST_TEST(peer->answer(10)->at("result").at("generation").as_int64() == 2);
    BOOST_TEST(audited("rotation.promoted") == 1U);
}

BOOST_AUTO_TEST_CASE(an_answer_after_its_time_out_still_counts) {
    peer->says(request(7, "agent.rotate_key"));
    settle();
    for (int second = 0; second < 31; ++second) {
        peer->pongs();
        pass(1s);
    }
    BOOST_TEST(credentials("a").pending->last_reason == "timeout");
    answer(*peer->message("agent.rotate"), completion());
    BOOST_TEST(credentials("a").current->generation == 2U);
}

BOOST_AUTO_TEST_CASE(an_agent_that_asks_is_answered_and_then_offered_whatever_the_back_off) {
    peer->says(request(7, "agent.rotate_key"));
    settle();
    const boost::json::value first = *peer->message("agent.rotate");
    answer(first, {{"status", "rotation_failed"},
                   {"rotation_id", first.at("params").at("rotation_id")},
                   {"generation", 2},
                   {"reason", "disk_full"},
                   {"detail", "no room"}});
    BOOST_TEST(credentials("a").pending->last_reason == "disk_full");
    const auto before = peer->received.size();
    pass(1s);
    BOOST_REQUIRE(peer->received.size() == before);

    peer->says(request(8, "agent.rotate_key"));
    settle();
    BOOST_REQUIRE(peer->received.size() == before + 2);
    const auto& answered = peer->received[before];
    BOOST_TEST(answered.at("id").as_int64() == 8);
    BOOST_TEST(answered.at("result").at("rotation_id") == first.at("params").at("rotation_id"));
    const auto& offer = peer->received[before + 1];
    BOOST_TEST(offer.at("method").as_string() == "agent.rotate");
    BOOST_TEST(offer.at("params").at("token") == first.at("params").at("token"));
    BOOST_TEST(credentials("a").pending->attempts == 2U);
}

BOOST_AUTO_TEST_CASE(an_answer_to_nothing_changes_nothing) {
    const auto before = peer->received.size();
    peer->says(R"({"jsonrpc":"2.0","id":99,"result":{}})");
    peer->says(R"({"jsonrpc":"2.0","id":"x","result":{}})");
    peer->says(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}})");
    settle();
    BOOST_TEST(peer->received.size() == before);
    BOOST_TEST(!peer->closed_with);
}

BOOST_AUTO_TEST_CASE(a_busy_agent_is_told_to_wait) {
    // No tick in between: a limit holds at once.
    change_settings([](SettingValues& values) { values.rate_limit_api_per_minute = 2; });
    for (int id = 20; id < 23; ++id) peer->says(request(id, "agent.key_status"));
    BOOST_TEST(error_of(20) == 0);
    BOOST_TEST(error_of(22) == -32020);
    peer->says(kHeartbeat);
    BOOST_TEST(peer->answer(2) != nullptr);
}

BOOST_AUTO_TEST_CASE(what_was_seen_last_is_written_in_batches) {
    const auto version = row("a").row_version;
    pass(10s);
    peer->says(kHeartbeat);
    const Time seen = clock.now();
    BOOST_TEST(!row("a").last_seen_at);
    pass(30s);
    BOOST_REQUIRE(row("a").last_seen_at.has_value());
    BOOST_TEST((*row("a").last_seen_at == seen));
    BOOST_TEST(row("a").row_version == version);
}

BOOST_AUTO_TEST_CASE(a_session_says_what_an_admin_may_know) {
    std::optional<sessions::SessionFacts> facts;
    registry.describe("a",
                      [&](const std::optional<sessions::SessionFacts>& found) { facts = found; });
    settle();
    BOOST_REQUIRE(facts.has_value());
    BOOST_TEST(facts->bound_generation == 1U);
    BOOST_TEST(facts->remote_address == "127.0.0.1:40000");
    registry.describe("b",
                      [&](const std::optional<sessions::SessionFacts>& found) { facts = found; });
    BOOST_TEST(!facts.has_value());
}

BOOST_AUTO_TEST_CASE(a_drain_tells_everybody_and_closes_within_its_window) {
    const Secret second = enrolled_agent("b");
    const auto other = connect(second);
    bool done = false;
    door.drain(10s, [&] { done = true; });
    pass(11s);
    for (const auto& one : {peer, other}) {
        BOOST_REQUIRE(one->message("agent.reconnect"));
        BOOST_TEST(one->message("agent.reconnect")->at("params").at("after_ms").as_int64() <=
                   20'000);
        BOOST_TEST(one->closed_with.value() == 4000);
    }
    BOOST_TEST(!done);
    BOOST_TEST((authenticate(token.expose()).error().code() == Code::unavailable));
    peer->ends();
    other->ends();
    settle();
    BOOST_TEST(done);
    BOOST_TEST(row("b").last_seen_at.has_value());
}

BOOST_AUTO_TEST_CASE(without_anybody_a_drain_is_done_at_once) {
    peer->ends();
    settle();
    int done = 0;
    door.drain(10s, [&] { ++done; });
    settle();
    BOOST_TEST(done == 1);
}

BOOST_AUTO_TEST_CASE(close_all_does_not_wait) {
    door.close_all([] {});
    settle();
    BOOST_TEST(peer->closed_with.value() == 4000);
}

BOOST_AUTO_TEST_CASE(an_agent_s_good_bye_is_answered) {
    peer->says(request(30, "agent.shutdown", R"({"reason":"update","restart":true})"));
    BOOST_TEST(peer->answer(30)->at("result").at("status").as_string() == "ok");
    BOOST_TEST(logged("agent.shutdown"));
}

BOOST_AUTO_TEST_SUITE_END()
