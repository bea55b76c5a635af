#include "tests/unit/server/support/fake_wire.hpp"

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::testing;
using namespace std::chrono_literals;

namespace {

struct Fixture : SessionWorld {
    const Secret token = enrolled_agent("a");
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(arrival_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_token_opens_the_door_for_its_agent) {
    const auto admission = authenticate(token.expose());
    BOOST_REQUIRE(admission.has_value());
    BOOST_TEST(admission->agent_id == "a");
    BOOST_TEST(admission->name == "name-a");
    BOOST_TEST(admission->generation == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_else_does) {
    const Secret foreign = protocol::mint_token(protocol::TokenKind::agent, "a", random);
    const Secret nobody = protocol::mint_token(protocol::TokenKind::agent, "nobody", random);
    const Secret key = protocol::mint_token(protocol::TokenKind::api_key, "a", random);
    for (const std::string_view text : {std::string_view(), std::string_view("rka_a_"),
                                        foreign.expose(), nobody.expose(), key.expose()})
        BOOST_TEST((authenticate(text).error().code() == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(only_the_right_secret_hears_what_happened_to_the_agent) {
    const Secret foreign = protocol::mint_token(protocol::TokenKind::agent, "a", random);
    change_row("a", [](auto& row) { row.status = storage::AgentStatus::suspended; });
    BOOST_TEST((authenticate(token.expose()).error().code() == Code::agent_suspended));
    BOOST_TEST((authenticate(foreign.expose()).error().code() == Code::unknown_credential));
    change_row("a", [](auto& row) { row.status = storage::AgentStatus::active; });
    clock.advance(std::chrono::days{8});
    BOOST_TEST((authenticate(token.expose()).error().code() == Code::token_expired));
}

BOOST_AUTO_TEST_CASE(who_connects_again_does_not_begin_a_new_minute) {
    const Secret other = enrolled_agent("b");
    change_settings([](SettingValues& values) { values.rate_limit_api_per_minute = 3; });
    for (int i = 0; i < 2; ++i) {
        connect(token)->ends();
        settle();
    }
    // A wrong token of its name spends nothing of it, nor do calls with its API key.
    const Secret foreign = protocol::mint_token(protocol::TokenKind::agent, "a", random);
    BOOST_TEST((authenticate(foreign.expose()).error().code() == Code::unknown_credential));
    while (calls.count("a").has_value()) {
    }
    const auto peer = connect(token);
    peer->says(R"({"jsonrpc":"2.0","id":3,"method":"agent.key_status"})");
    settle();
    BOOST_REQUIRE(peer->answer(3));
    BOOST_TEST(peer->answer(3)->at("error").at("code").as_int64() == -32020);
    const auto refused = authenticate(token.expose());
    BOOST_REQUIRE((refused.error().code() == Code::rate_limited));
    BOOST_TEST((refused.error().retry_after() == std::chrono::seconds{20}));
    BOOST_TEST(authenticate(other.expose()).has_value());
    pass(20s);
    BOOST_TEST(authenticate(token.expose()).has_value());
}

BOOST_AUTO_TEST_CASE(a_store_that_has_stopped_is_unavailable) {
    store.stop();
    BOOST_TEST((authenticate(token.expose()).error().code() == Code::unavailable));
}

BOOST_AUTO_TEST_CASE(welcome_comes_first_and_hello_makes_it_ready) {
    const auto peer = open(token);
    BOOST_REQUIRE(peer->received.size() == 1U);
    const auto& welcome = *peer->message("agent.welcome");
    BOOST_TEST(!welcome.as_object().contains("id"));
    BOOST_TEST(welcome.at("params").at("agent_id").as_string() == "a");
    BOOST_TEST(welcome.at("params").at("heartbeat_seconds").as_int64() == 30);
    BOOST_TEST(!registry.connected("a"));

    hello(*peer);
    BOOST_REQUIRE(peer->answer(1));
    BOOST_TEST(peer->answer(1)->at("result").at("status").as_string() == "ok");
    BOOST_TEST(peer->answer(1)->at("result").at("generation").as_int64() == 1);
    BOOST_TEST(registry.connected("a"));
    BOOST_TEST(registry.count() == 1U);
    BOOST_TEST(row("a").hostname == "box");
    BOOST_TEST(row("a").version == "1.0");
    const auto version = row("a").row_version;
    peer->ends();
    settle();
    connect(token);
    BOOST_TEST(row("a").row_version == version);
}

BOOST_AUTO_TEST_CASE(a_hello_that_came_before_the_welcome_is_answered_after_it) {
    const auto peer = adopt(authenticate(token.expose()).value());
    peer->says(kHello);
    BOOST_TEST(peer->received.empty());
    settle();
    BOOST_REQUIRE(peer->received.size() == 2U);
    BOOST_TEST(peer->received[0].as_object().contains("method"));
    BOOST_TEST(registry.connected("a"));
}

BOOST_AUTO_TEST_CASE(what_is_held_back_before_the_welcome_is_bounded_in_bytes) {
    const auto patient = adopt(authenticate(token.expose()).value());
    const std::string half(limits::kMessageBytes / 2 - sizeof(std::string), ' ');
    patient->says(half);
    patient->says(half);
    BOOST_TEST(!patient->closed_with.has_value());
    patient->says("");
    BOOST_TEST(patient->closed_with.value() == 4503);
    patient->ends();
    settle();
    // Empty messages cost as well.
    const auto hasty = adopt(authenticate(token.expose()).value());
    for (std::size_t sent = 0; !hasty->closed_with; ++sent) {
        BOOST_REQUIRE(sent <= limits::kMessageBytes / sizeof(std::string));
        hasty->says("");
    }
    BOOST_TEST(hasty->closed_with.value() == 4503);
    BOOST_TEST(hasty->received.empty());
}

BOOST_AUTO_TEST_CASE(without_hello_in_time_it_is_closed) {
    const auto peer = open(token);
    pass(9s);
    BOOST_TEST(!peer->closed_with);
    peer->pongs();
    pass(2s);
    BOOST_TEST(peer->closed_with.value() == 4503);
}

BOOST_AUTO_TEST_CASE(another_first_frame_is_a_protocol_violation) {
    const auto peer = open(token);
    peer->says(kHeartbeat);
    BOOST_TEST(peer->closed_with.value() == 4503);
    const auto other = adopt(authenticate(token.expose()).value());
    peer->ends();
    settle();
    other->says("[]");
    BOOST_TEST(other->closed_with.value() == 4503);
}

BOOST_AUTO_TEST_CASE(a_wrong_hello_is_answered_and_its_time_runs_on) {
    const auto peer = open(token);
    pass(8s);
    peer->says(R"({"jsonrpc":"2.0","id":5,"method":"agent.hello","params":{"version":1}})");
    BOOST_REQUIRE(peer->answer(5));
    BOOST_TEST(peer->answer(5)->at("error").at("code").as_int64() == -32602);
    BOOST_TEST(!peer->closed_with);
    pass(3s);
    BOOST_TEST(peer->closed_with.value() == 4503);
}

// Failure 31: the revoke came after the row was read and before the session was registered.
BOOST_AUTO_TEST_CASE(a_revoke_against_a_connect_in_flight_wins) {
    const auto admission = authenticate(token.expose()).value();
    change_row("a", [](auto& row) {
        row.status = storage::AgentStatus::revoked;
        row.epoch += 1;
        row.current.reset();
    });
    const auto peer = adopt(admission);
    settle();
    BOOST_TEST(peer->closed_with.value() == 4500);
    BOOST_TEST(peer->received.empty());
    BOOST_TEST((authenticate(token.expose()).error().code() == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(a_suspension_against_a_connect_in_flight_wins) {
    const auto admission = authenticate(token.expose()).value();
    change_row("a", [](auto& row) {
        row.status = storage::AgentStatus::suspended;
        row.epoch += 1;
    });
    const auto peer = adopt(admission);
    settle();
    BOOST_TEST(peer->closed_with.value() == 4010);
    BOOST_TEST(peer->received.empty());
}

BOOST_AUTO_TEST_CASE(what_was_let_in_before_an_epoch_comes_again) {
    const auto admission = authenticate(token.expose()).value();
    change_row("a", [](auto& row) { row.epoch += 2; });
    const auto peer = adopt(admission);
    settle();
    BOOST_TEST(peer->closed_with.value() == 4004);
}

BOOST_AUTO_TEST_CASE(a_close_of_the_agent_reaches_a_connect_that_is_not_ready) {
    const auto peer = open(token);
    registry.close("a", 4500, "revoked", std::nullopt);
    settle();
    BOOST_TEST(peer->closed_with.value() == 4500);
}

BOOST_AUTO_TEST_CASE(an_older_connection_that_lives_is_kept) {
    const auto older = connect(token, 0);
    const auto newer = open(token, 1);
    BOOST_TEST(newer->received.empty());
    older->answers_ping();
    settle();
    BOOST_TEST(newer->closed_with.value() == 4011);
    BOOST_TEST(!older->closed_with);
    newer->ends();
    settle();
    BOOST_TEST(registry.connected("a"));
    BOOST_TEST(registry.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(an_older_connection_that_is_silent_is_superseded) {
    const auto older = connect(token, 0);
    const auto newer = open(token, 1);
    pass(2s);
    BOOST_TEST(newer->received.empty());
    pass(2s);
    BOOST_TEST(older->closed_with.value() == 4002);
    BOOST_REQUIRE(newer->message("agent.welcome"));
    hello(*newer);
    BOOST_TEST(registry.count() == 1U);
    // The old one's end comes long after, and touches nothing (I17).
    older->ends();
    settle();
    BOOST_TEST(registry.connected("a"));
    BOOST_TEST(registry.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(an_older_connection_that_ends_meanwhile_is_not_waited_for) {
    const auto older = connect(token, 0);
    const auto newer = open(token, 1);
    older->ends();
    settle();
    BOOST_TEST(newer->message("agent.welcome") != nullptr);
}

BOOST_AUTO_TEST_CASE(of_two_newcomers_behind_a_silent_one_only_one_gets_in) {
    const auto oldest = connect(token, 0);
    const auto second = open(token, 1);
    pass(2s);
    const auto third = open(token, 0);
    pass(2s);
    BOOST_TEST(oldest->closed_with.value() == 4002);
    hello(*second);
    second->answers_ping();
    settle();
    BOOST_TEST(third->closed_with.value() == 4011);
    BOOST_TEST(!second->closed_with);
}

// Whatever was on its way when the newer one came was said before: by an agent that has given this
// connection up, for example.
BOOST_AUTO_TEST_CASE(what_an_older_connection_had_said_before_is_no_sign_of_life) {
    const auto older = connect(token, 0);
    const auto newer = open(token, 1);
    older->pongs();
    older->says(kHeartbeat);
    older->answers_ping("another");
    settle();
    BOOST_TEST(!newer->closed_with);
    pass(4s);
    BOOST_TEST(older->closed_with.value() == 4002);
    BOOST_TEST(newer->message("agent.welcome") != nullptr);
    BOOST_TEST(!credentials("a").contested);
}

BOOST_AUTO_TEST_CASE(two_live_holders_of_one_token_are_a_contest_with_both_addresses) {
    const auto older = connect(token, 0);
    BOOST_TEST(row("a").last_address == "198.51.100.9");
    for (int attempt = 0; attempt < 3; ++attempt) {
        const auto newer = open(token, 1);
        older->answers_ping();
        settle();
        BOOST_TEST(newer->closed_with.value() == 4011);
        newer->ends();
        settle();
    }
    BOOST_TEST(audited("agent.contested") == 1U);
    BOOST_REQUIRE(credentials("a").contested);
    BOOST_TEST(credentials("a").contested->generation == 1U);
    BOOST_TEST(credentials("a").contested->address == "198.51.100.9");
    BOOST_TEST(credentials("a").contested->holder_address == "127.0.0.1:40000");
    // A rotation that both hold on to ends it only when the contested token is gone.
    change_row("a", [&](auto& row) {
        row = rotation::begin(row, {2, "r2", Bytes32{2}, Bytes{1}}, clock.now()).after;
        row = rotation::complete(row, {2, "r2", rotation::ProofCheck::valid}, {}, 0, clock.now())
                  .transition.after;
        row = rotation::activate(row, 2, "r2", {}, clock.now()).after;
    });
    BOOST_TEST(credentials("a").contested.has_value());
    coordinator.sweep();
    settle();
    BOOST_TEST(!credentials("a").contested);
    BOOST_TEST(audited("agent.contest_closed") == 1U);
}

BOOST_AUTO_TEST_CASE(the_pending_token_is_promoted_at_the_door_and_committed_after_hello) {
    const auto before = connect(token);
    coordinator.start({.agent_id = "a", .actor = "admin"},
                      [](const Result<rotation::RotationView>&) {});
    settle();
    const auto offer = before->message("agent.rotate")->at("params");
    before->ends();
    settle();

    const Secret pending(std::string_view(offer.at("token").as_string()));
    const auto peer = open(pending);
    BOOST_TEST(credentials("a").current->generation == 2U);
    BOOST_TEST(peer->message("agent.welcome")->at("params").at("generation").as_int64() == 2);
    BOOST_TEST(peer->message("agent.commit") == nullptr);
    hello(*peer);
    BOOST_REQUIRE(peer->message("agent.commit"));
    BOOST_TEST(peer->message("agent.commit")->at("params").at("rotation_id") ==
               offer.at("rotation_id"));
}

BOOST_AUTO_TEST_SUITE_END()
