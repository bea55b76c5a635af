#include "base/encoding.hpp"
#include "fakes.hpp"
#include "protocol/errors.hpp"
#include "protocol/proof.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;

namespace {

Milliseconds retry_in(const Stage& stage) { return stage.connector->status().retry_in; }

void require_slow(const Stage& stage) {
    BOOST_TEST(retry_in(stage) >= Milliseconds{limits::kSlowRetry});
}

// Refuses the attempts of one round, until the agent stops trying tokens.
void refuse_round(Stage& stage, Code code) {
    while (stage.transport.state == FakeTransport::State::opening) {
        stage.transport.refuse_as(code);
        stage.time.settle();
    }
}

net::HttpResponse refusal(const Error& error) {
    return net::HttpResponse::json(protocol::error_row(error.code()).http,
                                   protocol::error_body_text(error));
}

void give_challenge(Stage& stage, const std::string& challenge = "c1") {
    BOOST_REQUIRE(stage.transport.posted_to == "/recover/challenge");
    BOOST_TEST(stage.transport.posted.at("agent_id").as_string() == kAgentId);
    stage.transport.answer_post(
        net::HttpResponse::json(200, R"({"challenge":")" + challenge + "\"}"));
}

boost::json::object recovered(std::uint64_t generation, const std::string& agent_id = kAgentId) {
    return {{"agent_id", agent_id},
            {"token", token_text(generation)},
            {"generation", generation},
            {"rotation_id", uuid(static_cast<unsigned>(generation))},
            {"expires_at", "2030-01-01T00:00:00Z"},
            {"server_ca", ""}};
}

void give_token(Stage& stage, std::uint64_t generation) {
    BOOST_REQUIRE(stage.transport.posted_to == "/recover");
    stage.transport.answer_post(
        net::HttpResponse::json(200, boost::json::serialize(recovered(generation))));
    stage.time.settle();
}

void refuse_recovery(Stage& stage, const Error& error) {
    give_challenge(stage);
    BOOST_REQUIRE(stage.transport.posted_to == "/recover");
    stage.transport.answer_post(refusal(error));
}

const rotation::HeldTokens kTwo{held(1, kConfirmed), held(2, kConfirmed)};

}  // namespace

BOOST_AUTO_TEST_SUITE(connector_recovery_tests)

BOOST_AUTO_TEST_CASE(an_agent_whose_tokens_are_all_unknown_recovers_and_connects) {
    Stage stage(kTwo);
    refuse_round(stage, Code::unknown_credential);
    BOOST_TEST(stage.transport.opens == 2U);
    BOOST_TEST((stage.connector->status().state == ConnectionState::recovering));
    give_challenge(stage, "nonce");
    const boost::json::object body = stage.transport.posted;
    BOOST_TEST(body.at("challenge").as_string() == "nonce");
    BOOST_TEST(body.at("newest_held").to_number<int>() == 2);
    BOOST_TEST(body.at("token").as_string() == token_text(2));
    const auto signature = from_base64url(std::string(body.at("signature").as_string()));
    BOOST_REQUIRE(signature.has_value());
    BOOST_TEST(ed25519_verify(identity_key().public_key(),
                              protocol::recovery_message(kAgentId, "nonce", 2), *signature));
    give_token(stage, 5);
    BOOST_TEST(stage.on_disk() == "2 confirmed, 5 candidate");  // what was confirmed stays
    stage.establish(5);
    BOOST_TEST(stage.transport.credential == token_text(5));
    BOOST_TEST(stage.on_disk() == "2 confirmed, 5 confirmed");
    BOOST_TEST(!stage.logged(token_text(5)));
}

BOOST_AUTO_TEST_CASE(an_expired_token_is_shown_with_the_recovery) {
    Stage stage(kTwo);
    refuse_round(stage, Code::token_expired);
    BOOST_TEST(stage.transport.opens == 1U, "an expired token is no reason to try another one");
    give_challenge(stage);
    BOOST_TEST(stage.transport.posted.at("token").as_string() == token_text(2));
    give_token(stage, 3);
    stage.establish(3);
    BOOST_TEST(stage.on_disk() == "2 confirmed, 3 confirmed");
}

BOOST_AUTO_TEST_CASE(an_expired_candidate_was_promoted_so_it_is_confirmed_first) {
    Stage stage({held(1, kConfirmed), held(2, kCandidate)});
    refuse_round(stage, Code::token_expired);
    BOOST_TEST(stage.on_disk() == "1 confirmed, 2 confirmed");
    give_challenge(stage);
    give_token(stage, 3);
    BOOST_TEST(stage.on_disk() == "2 confirmed, 3 candidate");
}

BOOST_AUTO_TEST_CASE(what_recovery_brought_must_open_a_session_before_the_next_one_comes_at_once) {
    Stage stage;
    refuse_round(stage, Code::unknown_credential);
    give_challenge(stage);
    give_token(stage, 2);
    refuse_round(stage, Code::unknown_credential);  // 2 and then 1: a server that forgets
    BOOST_TEST(stage.transport.posted_to.empty());
    BOOST_TEST(stage.logged("event=recovery.futile"));
    BOOST_TEST(stage.on_disk() == "1 confirmed");
    require_slow(stage);
    stage.time.run_for(retry_in(stage));
    refuse_round(stage, Code::unknown_credential);
    give_challenge(stage);
    give_token(stage, 2);  // the same pending again
    BOOST_TEST(stage.on_disk() == "1 confirmed, 2 candidate");
}

BOOST_AUTO_TEST_CASE(a_recovery_that_the_network_or_a_busy_server_ends_begins_a_new_round_soon) {
    for (const Error& error :
         {Error(Code::unavailable, "refused"), Error(Code::overloaded, "busy")}) {
        Stage stage;
        refuse_round(stage, Code::unknown_credential);
        stage.transport.answer_post(error);
        BOOST_TEST(retry_in(stage) <= Milliseconds{limits::kReconnectBackoffFirst});
        stage.time.run_for(retry_in(stage));
        stage.transport.accept();  // the tokens come first again
        BOOST_TEST(stage.transport.credential == token_text(1));
    }
}

BOOST_AUTO_TEST_CASE(a_refused_recovery_is_slow_says_what_helps_and_drops_nothing) {
    for (const Code code : {Code::unknown_credential, Code::rate_limited, Code::agent_suspended,
                            Code::token_expired, Code::not_found, Code::invalid_params}) {
        Stage stage(kTwo);
        refuse_round(stage, Code::unknown_credential);
        refuse_recovery(stage, Error(code, "no"));
        require_slow(stage);
        BOOST_TEST(stage.on_disk() == "1 confirmed, 2 confirmed");
        BOOST_TEST(!stage.told.ended.has_value());
        BOOST_TEST(stage.logged("event=recovery.refused"));
    }
}

BOOST_AUTO_TEST_CASE(a_spent_budget_is_waited_out_as_told) {
    Stage stage;
    refuse_round(stage, Code::unknown_credential);
    refuse_recovery(
        stage, Error(Code::rate_limited, "budget spent").with_retry_after(std::chrono::hours(100)));
    BOOST_TEST(retry_in(stage) >= Milliseconds{limits::kRetryAfterCap});
    BOOST_TEST(retry_in(stage) <= Milliseconds{limits::kRetryAfterCap + 2 * limits::kSlowRetry});
}

BOOST_AUTO_TEST_CASE(a_revoked_agent_hears_it_at_its_recovery_and_ends) {
    Stage stage;
    refuse_round(stage, Code::unknown_credential);
    refuse_recovery(stage, Error(Code::agent_revoked));
    BOOST_REQUIRE(stage.told.ended.has_value());
    BOOST_TEST((*stage.told.ended == EndReason::revoked));
    BOOST_TEST(stage.on_disk() == "1 confirmed");
}

BOOST_AUTO_TEST_CASE(a_decisive_word_from_somebody_else_ends_nothing) {
    Stage stage;
    refuse_round(stage, Code::unknown_credential);
    give_challenge(stage);
    stage.transport.answer_post(
        net::HttpResponse::json(502, R"({"name":"agent_revoked","retry":"never"})"));
    BOOST_TEST(!stage.told.ended.has_value());
}

BOOST_AUTO_TEST_CASE(without_its_identity_key_an_agent_says_so_and_waits) {
    Stage stage;
    stage.no_identity = Error(Code::not_found, "there is no state.json.key");
    refuse_round(stage, Code::unknown_credential);
    give_challenge(stage);
    BOOST_TEST(stage.transport.posted_to.empty());
    BOOST_TEST(stage.logged("there is no state.json.key"));
    require_slow(stage);
}

BOOST_AUTO_TEST_CASE(a_token_that_cannot_be_saved_is_never_connected_with) {
    Stage stage;
    refuse_round(stage, Code::unknown_credential);
    give_challenge(stage);
    stage.disk.fail_writes = WriteFailure{WriteStage::before_rename, ENOSPC, "full"};
    give_token(stage, 2);
    BOOST_TEST(stage.on_disk() == "1 confirmed");
    BOOST_TEST(stage.transport.opens == 1U);
    require_slow(stage);
    stage.disk.fail_writes.reset();
    stage.time.run_for(retry_in(stage));
    refuse_round(stage, Code::unknown_credential);
    give_challenge(stage);
    give_token(stage, 2);
    stage.establish(2);
    BOOST_TEST(stage.on_disk() == "1 confirmed, 2 confirmed");
}

BOOST_AUTO_TEST_CASE(an_answer_for_another_agent_or_without_a_token_is_not_saved) {
    for (const boost::json::object& answer : {recovered(2, uuid(1)), boost::json::object{}}) {
        Stage stage;
        refuse_round(stage, Code::unknown_credential);
        give_challenge(stage);
        stage.transport.answer_post(net::HttpResponse::json(200, boost::json::serialize(answer)));
        BOOST_TEST(stage.on_disk() == "1 confirmed");
        BOOST_TEST((stage.connector->status().state == ConnectionState::waiting));
    }
}

BOOST_AUTO_TEST_CASE(a_stop_cuts_a_recovery_short) {
    Stage stage;
    refuse_round(stage, Code::unknown_credential);
    stage.connector->stop("done");
    stage.time.settle();
    BOOST_REQUIRE(stage.told.ended.has_value());
    BOOST_TEST((*stage.told.ended == EndReason::stopped));
    BOOST_TEST(stage.transport.posted_to.empty());
}

BOOST_AUTO_TEST_SUITE_END()
