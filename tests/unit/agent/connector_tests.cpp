#include "fakes.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;
using namespace std::chrono_literals;

namespace {

const rotation::HeldTokens kTwo{held(1, kConfirmed), held(2, kConfirmed)};
const rotation::HeldTokens kWithCandidate{held(1, kConfirmed), held(2, kCandidate)};

Milliseconds retry_in(const Stage& stage) { return stage.connector->status().retry_in; }

void require_slow(const Stage& stage) {
    BOOST_TEST(retry_in(stage) >= Milliseconds{limits::kSlowRetry});
    BOOST_TEST(retry_in(stage) <= Milliseconds{2 * limits::kSlowRetry});
}

// Until the next attempt is made.
void run_to_attempt(Stage& stage) { stage.time.run_for(retry_in(stage)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(connector_tests)

BOOST_AUTO_TEST_CASE(the_candidate_is_tried_first_then_the_newest_then_the_older) {  // A4
    Stage stage({held(3, kConfirmed), held(4, kCandidate)});
    stage.transport.refuse_as(Code::unknown_credential);
    BOOST_TEST(stage.transport.credential == token_text(4));
    BOOST_TEST(stage.on_disk() == "3 confirmed");  // nothing but this drops, and only a candidate
    run_to_attempt(stage);
    stage.transport.refuse_as(Code::unknown_credential);
    BOOST_TEST(stage.transport.credential == token_text(3));
    BOOST_TEST(stage.on_disk() == "3 confirmed");
}

BOOST_AUTO_TEST_CASE(an_older_confirmed_token_is_tried_after_the_newer_one_is_unknown) {
    Stage stage(kTwo);
    stage.transport.refuse_as(Code::unknown_credential);
    BOOST_TEST(stage.transport.credential == token_text(2));
    run_to_attempt(stage);
    stage.transport.refuse_as(Code::unknown_credential);
    BOOST_TEST(stage.transport.credential == token_text(1));
    stage.time.settle();
    // All are refused: it drops nothing and recovers (connector_recovery_tests).
    BOOST_TEST(stage.transport.posted_to == "/recover/challenge");
    BOOST_TEST(stage.on_disk() == "1 confirmed, 2 confirmed");
}

BOOST_AUTO_TEST_CASE(no_other_refusal_moves_on_to_the_next_token_or_drops_one) {
    for (const Code code :
         {Code::agent_suspended, Code::permission_denied, Code::not_found, Code::conflict,
          Code::wrong_state, Code::rate_limited, Code::unavailable, Code::overloaded,
          Code::invalid_request, Code::internal}) {
        Stage stage(kWithCandidate);
        stage.transport.refuse_as(code);
        run_to_attempt(stage);
        stage.transport.accept();
        BOOST_TEST(stage.transport.credential == token_text(2));
        BOOST_TEST(stage.on_disk() == "1 confirmed, 2 candidate");
        BOOST_TEST(!stage.told.ended.has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_401_without_rekeys_body_is_a_network_error) {
    const std::string foreign[] = {"",
                                   "<html>401</html>",
                                   "{}",
                                   R"({"name":"Unauthorized"})",
                                   R"({"error":"unknown_credential"})",
                                   "[]"};
    for (const std::string& body : foreign) {
        Stage stage(kWithCandidate);
        stage.transport.refuse(401, body);
        BOOST_TEST(stage.on_disk() == "1 confirmed, 2 candidate");
        BOOST_TEST(retry_in(stage) <= Milliseconds{limits::kReconnectBackoffFirst});
        run_to_attempt(stage);
        stage.transport.accept();
        BOOST_TEST(stage.transport.credential == token_text(2));
    }
}

BOOST_AUTO_TEST_CASE(a_decisive_name_with_a_status_that_is_not_its_own_decides_nothing) {
    Stage stage(kWithCandidate);
    stage.transport.refuse(502, R"({"name":"unknown_credential","retry":"later"})");
    BOOST_TEST(stage.on_disk() == "1 confirmed, 2 candidate");
    run_to_attempt(stage);
    stage.transport.refuse(200, R"({"name":"agent_revoked","retry":"never"})");
    BOOST_TEST(!stage.told.ended.has_value());
}

BOOST_AUTO_TEST_CASE(a_network_error_never_moves_on_to_the_next_token) {
    Stage stage(kWithCandidate);
    for (int i = 0; i < 5; ++i) {
        stage.transport.unreachable(Error(Code::unavailable, "refused"));
        run_to_attempt(stage);
    }
    stage.transport.accept();
    BOOST_TEST(stage.transport.credential == token_text(2));
}

BOOST_AUTO_TEST_CASE(a_full_disk_behind_a_promotion_is_waited_out_on_the_session_that_proved_it) {
    Stage stage({held(1, kConfirmed), held(2, kCandidate)});
    stage.disk.fail_writes = WriteFailure{WriteStage::before_rename, ENOSPC, "full"};
    stage.establish(2);
    const boost::json::object answer = stage.offer(3);
    BOOST_TEST(answer.at("result").at("reason").as_string() == "candidate_unresolved");
    BOOST_TEST(stage.transport.closed_with == 0U, "no storm of reconnects");
    stage.disk.fail_writes.reset();
    stage.commit(2);
    BOOST_TEST(stage.on_disk() == "1 confirmed, 2 confirmed");
}

BOOST_AUTO_TEST_CASE(
    a_candidate_that_cannot_be_synced_is_not_connected_with_and_a_confirmed_token_is) {
    Stage stage;
    stage.establish();
    stage.disk.fail_writes = WriteFailure{WriteStage::after_rename, EIO, "fsync"};
    stage.offer(2);
    stage.disk.sync_error = Error(Code::unavailable, "injected");
    stage.transport.end(1006);
    run_to_attempt(stage);
    stage.transport.accept();
    BOOST_TEST(stage.transport.credential == token_text(1));
    stage.disk.sync_error.reset();
    stage.transport.end(1006);
    run_to_attempt(stage);
    stage.transport.accept();
    BOOST_TEST(stage.transport.credential == token_text(2));
}

BOOST_AUTO_TEST_CASE(a_candidate_that_cannot_be_dropped_from_a_full_disk_is_passed_over) {
    Stage stage(kWithCandidate);
    stage.disk.fail_writes = WriteFailure{WriteStage::before_rename, ENOSPC, "full"};
    stage.transport.refuse_as(Code::unknown_credential);
    BOOST_TEST(stage.on_disk() == "1 confirmed, 2 candidate");
    run_to_attempt(stage);
    stage.establish(1);
    BOOST_TEST(stage.transport.credential == token_text(1));
}

BOOST_AUTO_TEST_CASE(the_token_is_chosen_late) {
    Stage stage(kWithCandidate);
    BOOST_TEST(stage.transport.credential.empty());
    static_cast<void>(stage.vault->store({held(1, kConfirmed)}));
    stage.transport.accept();
    BOOST_TEST(stage.transport.credential == token_text(1));
}

BOOST_AUTO_TEST_CASE(revoked_keeps_the_file_and_ends) {
    Stage stage;
    stage.transport.refuse_as(Code::agent_revoked);
    BOOST_TEST((stage.told.ended == EndReason::revoked));
    BOOST_TEST(stage.on_disk() == "1 confirmed");
    BOOST_TEST(!stage.time.next_in().has_value());

    Stage connected;
    connected.establish();
    connected.transport.end(4500);
    BOOST_TEST((connected.told.ended == EndReason::revoked));
    BOOST_TEST(connected.on_disk() == "1 confirmed");
    BOOST_TEST(!connected.time.next_in().has_value());
}

BOOST_AUTO_TEST_CASE(only_the_server_can_say_revoked) {
    Stage stage;
    stage.establish();
    stage.transport.end(4500, net::ClosedBy::network);
    BOOST_TEST(!stage.told.ended.has_value());
}

BOOST_AUTO_TEST_CASE(what_only_an_admin_can_change_is_tried_again_slowly) {
    for (const Code code : {Code::agent_suspended, Code::permission_denied, Code::not_found}) {
        Stage stage;
        stage.transport.refuse_as(code);
        require_slow(stage);
        BOOST_TEST(stage.on_disk() == "1 confirmed");
    }
}

BOOST_AUTO_TEST_CASE(an_agent_that_was_suspended_before_its_hello_comes_back_soon) {
    Stage stage;
    stage.transport.accept();
    stage.time.steady += limits::kHelloTimeout;
    stage.transport.end(4503);
    BOOST_TEST(retry_in(stage) <= Milliseconds{limits::kReconnectBackoffFirst});
    // One that said what the server does not take has no such excuse.
    run_to_attempt(stage);
    stage.transport.accept();
    stage.transport.end(4503);
    require_slow(stage);
}

BOOST_AUTO_TEST_CASE(a_wait_that_the_server_tells_is_kept_and_bounded) {
    Stage stage;
    stage.transport.refuse(429, R"({"name":"rate_limited","retry":"later"})", "17");
    BOOST_TEST(retry_in(stage) >= 17s);
    BOOST_TEST(retry_in(stage) <= 17s + Milliseconds{limits::kReconnectBackoffFirst});
    run_to_attempt(stage);
    stage.transport.refuse(
        503, R"({"name":"unavailable","retry":"later","retry_after_seconds":40})", "1");
    BOOST_TEST(retry_in(stage) >= 40s);
    run_to_attempt(stage);
    stage.transport.refuse(503, "busy", "99999999999999");
    BOOST_TEST(retry_in(stage) <= Milliseconds{limits::kRetryAfterCap} + 60s);
    run_to_attempt(stage);
    stage.transport.refuse(503, "busy", "-5");
    BOOST_TEST(retry_in(stage) <= 60s);
}

BOOST_AUTO_TEST_CASE(each_close_code_has_its_wait) {
    const Milliseconds first{limits::kReconnectBackoffFirst};
    const Milliseconds slow{limits::kSlowRetry};
    const struct {
        std::uint16_t code;
        Milliseconds least;
        Milliseconds most;
    } rows[] = {
        {1000, 0ms, first},          {1001, 0ms, first},     {1006, 0ms, first},
        {1011, 0ms, first},          {4000, 0ms, first},     {4001, 0ms, first},
        {4003, 0ms, first},          {4004, 0ms, first},     {4242, 0ms, first},
        {4002, 60'000ms, 120'000ms}, {4010, slow, 2 * slow}, {4011, slow, 2 * slow},
        {4503, slow, 2 * slow},      {4777, slow, 2 * slow}, {1007, slow, 2 * slow},
        {1009, slow, 2 * slow},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT("close code " << row.code) {
            for (std::uint64_t seed = 0; seed < 20; ++seed) {
                Stage stage({held(1, kConfirmed)}, AutomaticRotation::on, seed);
                stage.establish();
                stage.transport.end(row.code);
                BOOST_TEST(retry_in(stage) >= row.least);
                BOOST_TEST(retry_in(stage) <= row.most);
                BOOST_TEST(!stage.told.ended.has_value());
                BOOST_TEST(stage.on_disk() == "1 confirmed");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_back_off_grows_to_its_cap_and_starts_anew_after_a_session) {
    Stage stage;
    Milliseconds window{limits::kReconnectBackoffFirst};
    Milliseconds longest{0};
    for (int i = 0; i < 40; ++i) {
        stage.transport.unreachable(Error(Code::unavailable, "refused"));
        BOOST_TEST(retry_in(stage) <= window);
        longest = std::max(longest, retry_in(stage));
        window = std::min<Milliseconds>(window * 2, limits::kReconnectBackoffCap);
        run_to_attempt(stage);
    }
    BOOST_TEST(longest > Milliseconds{limits::kReconnectBackoffCap} / 2);
    stage.establish();
    stage.transport.end(1006, net::ClosedBy::network);
    BOOST_TEST(retry_in(stage) <= Milliseconds{limits::kReconnectBackoffFirst});
}

BOOST_AUTO_TEST_CASE(a_fleet_does_not_come_back_together) {
    std::map<Milliseconds, int> moments;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Stage stage({held(1, kConfirmed)}, AutomaticRotation::on, seed);
        stage.transport.unreachable(Error(Code::unavailable, "refused"));
        ++moments[retry_in(stage)];
    }
    BOOST_TEST(moments.size() > 100U);
}

BOOST_AUTO_TEST_CASE(an_untrusted_certificate_says_what_to_do) {
    Stage stage;
    stage.transport.unreachable(Error(Code::permission_denied, "not pinned").with("reason", "pin"));
    BOOST_TEST(stage.logged("event=session.untrusted"));
    BOOST_TEST(stage.logged("new join string"));
    BOOST_TEST(stage.transport.credential.empty());
    run_to_attempt(stage);
    BOOST_TEST(stage.transport.opens == 2U);
}

BOOST_AUTO_TEST_CASE(agent_reconnect_is_answered_and_obeyed) {
    Stage stage;
    stage.establish();
    const auto reply = stage.ask("agent.reconnect", {{"after_ms", 4000}});
    BOOST_TEST(reply.at("result").at("status").as_string() == "ok");
    stage.time.run_for(3999ms);
    BOOST_TEST((stage.transport.state == FakeTransport::State::open));
    stage.time.run_for(1ms);
    BOOST_TEST(stage.transport.closed_with == 1000);
    stage.transport.end(1000, net::ClosedBy::us);
    stage.time.settle();
    BOOST_TEST(stage.transport.opens == 2U);
}

BOOST_AUTO_TEST_CASE(a_server_that_closes_before_the_moment_it_told_is_still_given_that_time) {
    Stage stage;
    stage.establish();
    stage.ask("agent.reconnect", {{"after_ms", 4000}});
    stage.time.run_for(1000ms);
    stage.transport.end(4000);
    BOOST_TEST(retry_in(stage) == 3000ms);
}

BOOST_AUTO_TEST_CASE(stopping_says_good_bye_first) {
    Stage stage;
    stage.establish();
    stage.connector->stop("SIGTERM");
    const auto farewell = stage.expect("agent.shutdown");
    BOOST_TEST(farewell.at("params").at("reason").as_string() == "SIGTERM");
    BOOST_TEST((stage.transport.state == FakeTransport::State::open));
    stage.answer(farewell, boost::json::object{{"status", "ok"}});
    BOOST_TEST(stage.transport.closed_with == 1000);
    stage.transport.end(1000, net::ClosedBy::us);
    BOOST_TEST((stage.told.ended == EndReason::stopped));
    BOOST_TEST(!stage.time.next_in().has_value());
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_answer_the_farewell_does_not_hold_the_agent) {
    Stage stage;
    stage.establish();
    stage.connector->stop("stop");
    stage.time.run_for(limits::kFarewellTimeout);
    BOOST_TEST(stage.transport.closed_with == 1000);
}

BOOST_AUTO_TEST_CASE(stopping_works_in_every_phase) {
    {
        Stage connecting;
        connecting.connector->stop("stop");
        connecting.time.settle();
        BOOST_TEST((connecting.told.ended == EndReason::stopped));
        BOOST_TEST(connecting.transport.aborts == 1U);
    }
    {
        Stage waiting;
        waiting.transport.unreachable(Error(Code::unavailable));
        waiting.connector->stop("stop");
        waiting.time.run_for(1h);
        BOOST_TEST((waiting.told.ended == EndReason::stopped));
        BOOST_TEST(waiting.transport.opens == 1U);
    }
    {
        Stage before_welcome;
        before_welcome.transport.accept();
        before_welcome.connector->stop("stop");
        BOOST_TEST(before_welcome.transport.closed_with == 1000);
        before_welcome.transport.end(1000, net::ClosedBy::us);
        BOOST_TEST((before_welcome.told.ended == EndReason::stopped));
    }
    {
        Stage closing;
        closing.establish();
        closing.ask("agent.reconnect", {{"after_ms", 0}});
        closing.time.settle();
        closing.connector->stop("stop");
        closing.transport.end(1000, net::ClosedBy::us);
        closing.time.run_for(1h);
        BOOST_TEST((closing.told.ended == EndReason::stopped));
        BOOST_TEST(closing.transport.opens == 1U);
    }
    {
        Stage dropped;
        dropped.establish();
        dropped.connector->stop("stop");
        dropped.transport.end(1006, net::ClosedBy::network);
        BOOST_TEST((dropped.told.ended == EndReason::stopped));
    }
}

BOOST_AUTO_TEST_CASE(rotate_now_waits_for_a_connection) {
    Stage stage;
    stage.connector->rotate_now();
    stage.establish();
    stage.expect("agent.rotate_key");
}

BOOST_AUTO_TEST_CASE(the_connection_is_logged_with_its_generation) {
    Stage stage(kTwo);
    stage.establish(2);
    BOOST_TEST(stage.logged("event=session.connected"));
    BOOST_TEST(stage.logged("generation=2"));
    BOOST_TEST((stage.connector->status().state == ConnectionState::connected));
    BOOST_TEST(stage.connector->status().session_generation == 2U);
    stage.transport.end(4000);
    BOOST_TEST(stage.logged("event=session.closed"));
    BOOST_TEST(stage.logged("code=4000"));
    BOOST_TEST((stage.connector->status().state == ConnectionState::waiting));
}

BOOST_AUTO_TEST_CASE(destroying_it_in_the_middle_leaves_nothing_behind) {
    Stage stage;
    stage.establish();
    stage.connector.reset();
    BOOST_TEST(stage.transport.aborts == 1U);
    BOOST_TEST(!stage.time.next_in().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
