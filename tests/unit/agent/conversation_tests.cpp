#include "fakes.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;
using namespace std::chrono_literals;

namespace {

std::string status_of(const boost::json::object& reply) {
    if (!reply.contains("result")) return "error";
    return std::string(reply.at("result").at("status").as_string());
}

std::string error_name(const boost::json::object& reply) {
    return std::string(reply.at("error").at("data").at("name").as_string());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(conversation_tests)

BOOST_AUTO_TEST_CASE(the_first_frame_is_hello_and_tells_what_is_held) {
    Stage stage({held(1, kConfirmed), held(2, kCandidate)});
    stage.transport.accept();
    BOOST_TEST(stage.transport.nothing_sent());  // the welcome decides what the hello says
    stage.welcome(2);
    const auto params = stage.expect("agent.hello").at("params").as_object();
    BOOST_TEST(params.at("hostname").as_string() == "host");
    BOOST_TEST(params.at("methods").as_array().at(0).as_string() == "echo");
    const auto& tokens = params.at("tokens_held").as_array();
    BOOST_TEST(tokens.size() == 2U);
    BOOST_TEST(tokens.at(1).at("state").as_string() == "confirmed");
    BOOST_TEST(boost::json::serialize(params).find("token-") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_welcome_for_another_agent_changes_nothing_and_is_left) {
    Stage stage({held(1, kConfirmed), held(2, kCandidate)});
    stage.transport.accept();
    stage.welcome(2, uuid(5));
    BOOST_TEST(stage.on_disk() == "1 confirmed, 2 candidate");
    BOOST_TEST(stage.transport.aborts == 1U);
    BOOST_TEST(stage.connector->status().retry_in >= Milliseconds{limits::kSlowRetry});
}

BOOST_AUTO_TEST_CASE(malformed_messages_are_answered_and_change_nothing) {
    Stage stage;
    stage.establish();
    stage.transport.receive("{");
    auto reply = stage.transport.take();
    BOOST_TEST(reply.at("id").is_null());
    BOOST_TEST(error_name(reply) == "parse_error");
    stage.transport.receive("[]");
    BOOST_TEST(error_name(stage.transport.take()) == "invalid_request");
    reply = stage.ask("agent.rotate", {{"rotation_id", uuid(2)}, {"generation", "two"}});
    BOOST_TEST(error_name(reply) == "invalid_params");
    BOOST_TEST(error_name(stage.ask("agent.commit", {})) == "invalid_params");
    BOOST_TEST(error_name(stage.ask("agent.nothing", {})) == "method_not_found");
    stage.transport.receive(R"({"jsonrpc":"2.0","id":12345,"result":{}})");  // nobody asked
    stage.transport.receive(R"({"jsonrpc":"2.0","method":"agent.unknown"})");
    BOOST_TEST(stage.transport.nothing_sent());
    BOOST_TEST(stage.on_disk() == "1 confirmed");
}

BOOST_AUTO_TEST_CASE(ping_configure_and_custom_methods_are_served) {
    Stage stage;
    stage.establish();
    stage.time.run_for(3s);
    auto result = stage.ask("agent.ping", {{"nonce", "n"}}).at("result").as_object();
    BOOST_TEST(result.at("nonce").as_string() == "n");
    BOOST_TEST(result.at("uptime_seconds").as_int64() == 3);
    const auto reply =
        stage.ask("agent.configure",
                  {{"settings", {{"log_level", "debug"}, {"heartbeat_seconds", 5}, {"x", 1}}}});
    BOOST_TEST(status_of(reply) == "applied");
    BOOST_TEST((stage.told.level == LogLevel::debug));
    stage.time.run_for(5s);
    stage.expect("agent.heartbeat");

    while (!stage.transport.nothing_sent()) stage.transport.take();
    BOOST_TEST(stage.ask("echo", {{"a", 1}}).at("result").at("a").as_int64() == 1);
    BOOST_TEST(error_name(stage.ask("broken", {})) == "conflict");
    BOOST_TEST(error_name(stage.ask("missing", {})) == "method_not_found");
    BOOST_TEST(error_name(stage.ask("large", {})) == "internal");
}

BOOST_AUTO_TEST_CASE(heartbeats_go_out_as_often_as_told) {
    Stage stage;
    stage.establish();
    stage.time.run_for(30s);
    const auto beat = stage.expect("agent.heartbeat");
    BOOST_TEST(beat.at("params").at("generation").as_int64() == 1);
    stage.answer(beat, boost::json::object{{"server_time", "2030-01-01T00:00:30Z"}});
    stage.answer_error(stage.expect("agent.key_status"), Error(Code::method_not_found));
    stage.time.run_for(30s);
    stage.expect("agent.heartbeat");
    BOOST_TEST(stage.transport.nothing_sent());
}

BOOST_AUTO_TEST_CASE(a_silent_server_is_left_after_two_and_a_half_heartbeats) {
    Stage stage;
    stage.establish();
    stage.time.run_for(74s);
    BOOST_TEST(stage.transport.aborts == 0U);
    stage.time.run_for(2s);
    BOOST_TEST(stage.transport.aborts == 1U);
    BOOST_TEST(stage.transport.opens == 2U);
}

BOOST_AUTO_TEST_CASE(any_frame_counts_as_life) {
    Stage stage;
    stage.establish();
    for (int i = 0; i < 10; ++i) {
        stage.time.run_for(60s);
        stage.transport.receive(R"({"jsonrpc":"2.0","method":"unknown"})");
    }
    BOOST_TEST(stage.transport.aborts == 0U);
}

BOOST_AUTO_TEST_CASE(no_welcome_and_no_answer_to_hello_are_left_too) {
    Stage stage;
    stage.transport.accept();
    stage.time.run_for(limits::kWelcomeTimeout);
    BOOST_TEST(stage.transport.aborts == 1U);
    stage.time.run_for(500ms);
    stage.transport.accept();
    stage.welcome();
    stage.time.run_for(limits::kWelcomeTimeout);
    BOOST_TEST(stage.transport.aborts == 2U);
}

BOOST_AUTO_TEST_CASE(the_agent_asks_for_a_rotation_when_the_server_has_not) {
    Stage stage;
    stage.establish();
    // A clock that is years off must not matter: the server's times are compared with each other.
    stage.time.wall += std::chrono::days(2000);
    stage.time.run_for(30s);
    stage.expect("agent.heartbeat");
    stage.answer(stage.expect("agent.key_status"),
                 boost::json::object{{"generation", 1},
                                     {"issued_at", "2030-01-01T00:00:00Z"},
                                     {"expires_at", "2030-01-01T00:10:00Z"},
                                     {"should_rotate", false},
                                     {"in_grace_period", false},
                                     {"rotation_count", 0}});
    // 570 s after its issue; until then heartbeats only.
    for (int i = 0; i < 18; ++i) {
        stage.time.run_for(30s);
        const auto beat = stage.expect("agent.heartbeat");
        stage.answer(beat, boost::json::object{{"server_time", "2030-01-01T00:00:00Z"}});
        if (!stage.transport.nothing_sent()) break;
    }
    stage.expect("agent.key_status");
}

BOOST_AUTO_TEST_CASE(a_token_near_its_end_is_asked_about_at_once) {
    Stage stage;
    stage.establish();
    stage.time.run_for(30s);
    stage.expect("agent.heartbeat");
    stage.answer(stage.expect("agent.key_status"),
                 boost::json::object{{"generation", 1},
                                     {"issued_at", "2029-12-31T00:00:00Z"},
                                     {"expires_at", "2030-01-01T00:10:00Z"},
                                     {"should_rotate", true},
                                     {"in_grace_period", false},
                                     {"rotation_count", 0}});
    const auto request = stage.expect("agent.rotate_key");
    stage.answer(request,
                 boost::json::object{{"status", "rotation_started"}, {"rotation_id", uuid(2)}});
    BOOST_TEST(status_of(stage.offer(2)) == "rotation_complete");
}

BOOST_AUTO_TEST_CASE(with_automatic_rotation_off_an_offer_waits_for_the_application) {
    Stage stage({held(1, kConfirmed)}, AutomaticRotation::off);
    stage.establish();
    BOOST_TEST(stage.offer(2).empty());
    BOOST_TEST(stage.offer(2).empty());  // the server's retry
    BOOST_TEST(stage.told.waiting.size() == 1U);
    BOOST_TEST(stage.on_disk() == "1 confirmed");
    stage.connector->rotate_now();
    const auto reply = stage.transport.take();
    BOOST_TEST(reply.at("id").as_int64() == 2);
    BOOST_TEST(status_of(reply) == "rotation_complete");
    BOOST_TEST(status_of(stage.commit(2)) == "activated");  // never waits
    BOOST_TEST(stage.on_disk() == "1 confirmed, 2 confirmed");
    stage.time.run_for(30s);
    stage.expect("agent.heartbeat");
    BOOST_TEST(stage.transport.nothing_sent());  // and it does not ask by itself

    stage.connector->rotate_now();  // nothing waits: it asks, and takes what comes
    stage.answer(stage.expect("agent.rotate_key"),
                 boost::json::object{{"status", "rotation_started"}, {"rotation_id", uuid(3)}});
    BOOST_TEST(status_of(stage.offer(3)) == "rotation_complete");
}

BOOST_AUTO_TEST_CASE(no_secret_reaches_the_log) {  // I12
    Stage stage;
    stage.establish();
    stage.offer(2);
    stage.offer(3);
    stage.transport.end(1000, net::ClosedBy::us);
    stage.time.run_for(1s);
    stage.transport.refuse_as(Code::unknown_credential);
    BOOST_TEST(stage.log_text->str().find("token-") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
