#include "server/rotation/apply.hpp"
#include "tests/unit/server/support/fake_wire.hpp"

// A token that is no longer accepted, shown at the door.
namespace rekey::server::testing {
namespace {

using namespace std::chrono_literals;
using protocol::ReusePolicy;
using rotation::Transition;
using storage::AgentStatus;

struct Fixture : SessionWorld {
    Secret old = enrolled_agent("a");
    Secret current = rotate();

    // Generation 2 is minted, promoted, activated, and 1 retired; then an hour passes.
    Secret rotate() {
        Secret token;
        store.write(
            [&](storage::Transaction& transaction) -> Result<> {
                REKEY_TRY_ASSIGN(row, transaction.agents().find("a"));
                auto fresh = coordinator.mint("a", 2);
                token = std::move(fresh.token);
                const rotation::Policy policy = settings.snapshot()->rotation_policy();
                const std::string id = fresh.minted.rotation_id;
                const auto go = [&](const Transition& transition) {
                    return rotation::apply(transaction, row, transition, {.actor = "a"},
                                           clock.now());
                };
                REKEY_TRY(go(rotation::begin(row.credentials, fresh.minted, clock.now())));
                REKEY_TRY(
                    go(rotation::complete(row.credentials, {2, id, rotation::ProofCheck::valid},
                                          policy, 0, clock.now())
                           .transition));
                REKEY_TRY(go(rotation::activate(row.credentials, 2, id, policy, clock.now())));
                clock.advance(policy.grace);
                return go(rotation::retire(row.credentials, clock.now()));
            },
            [](const Result<>& result) { BOOST_REQUIRE(result.has_value()); });
        settle();
        clock.advance(1h);
        return token;
    }
    void show_old(std::string address = "198.51.100.9") {
        const auto refused = visit(old.expose(), Moment::of(clock), std::move(address));
        BOOST_TEST((refused.error().code() == Code::unknown_credential));
    }
    void set_policy(ReusePolicy policy) {
        change_settings([&](SettingValues& values) { values.reuse_policy = policy; });
    }
    [[nodiscard]] const boost::json::object& details_of(std::string_view action) const {
        for (const auto& entry : database->audit)
            if (entry.event.action == action) return entry.event.details;
        BOOST_FAIL("not audited");
        std::abort();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(retired_token_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_retired_token_is_audited_with_both_addresses) {
    const auto peer = connect(current);
    show_old();
    BOOST_TEST(audited("token.reuse_detected") == 1U);
    const auto& details = details_of("token.reuse_detected");
    BOOST_TEST(details.at("generation").as_uint64() == 1U);
    BOOST_TEST(details.at("address").as_string() == "198.51.100.9");
    BOOST_TEST(details.at("holder_address").as_string() == "127.0.0.1:40000");
    BOOST_TEST(details.at("policy").as_string() == "alert");
    BOOST_TEST(logged("token.reuse_detected"));
    BOOST_REQUIRE(credentials("a").reuse);
    BOOST_TEST(!peer->closed_with);
    BOOST_TEST(registry.connected("a"));
}

BOOST_AUTO_TEST_CASE(of_an_agent_that_is_offline_the_last_address_is_named) {
    connect(current)->ends();
    settle();
    show_old("203.0.113.7");
    const auto details = details_of("token.reuse_detected");
    BOOST_TEST(details.at("holder_address").as_string() == "198.51.100.9");
}

BOOST_AUTO_TEST_CASE(with_the_policy_suspend_its_sessions_are_closed) {
    set_policy(ReusePolicy::suspend);
    const auto peer = connect(current);
    show_old();
    BOOST_TEST(peer->closed_with.value() == 4010);
    BOOST_TEST((credentials("a").status == AgentStatus::suspended));
    BOOST_TEST(details_of("token.reuse_detected").at("suspended").as_bool());
    BOOST_TEST((authenticate(current.expose()).error().code() == Code::agent_suspended));
    BOOST_TEST((authenticate(old.expose()).error().code() == Code::agent_suspended));
    BOOST_TEST(audited("token.reuse_detected") == 1U);
}

BOOST_AUTO_TEST_CASE(what_was_accepted_before_the_retirement_is_benign) {
    const Moment before{clock.now() - 1h, clock.steady_now() - 1h};
    BOOST_TEST((visit(old.expose(), before).error().code() == Code::unknown_credential));
    BOOST_TEST(audited("token.reuse_detected") == 0U);
    BOOST_TEST(logged("verdict=accepted_first"));
}

BOOST_AUTO_TEST_CASE(a_wall_clock_that_jumped_while_the_connection_waited_is_benign) {
    const Moment before{clock.now() + 1min, clock.steady_now()};
    BOOST_TEST((visit(old.expose(), before).error().code() == Code::unknown_credential));
    BOOST_TEST(audited("token.reuse_detected") == 0U);
    BOOST_TEST(logged("verdict=unknown_order"));
}

BOOST_AUTO_TEST_CASE(what_is_shown_again_and_again_is_written_once_in_a_window) {
    for (int i = 0; i < 50; ++i) show_old();
    BOOST_TEST(audited("token.reuse_detected") == 1U);
    for (int i = 0; i < 50; ++i) show_old("203.0.113." + std::to_string(i));
    BOOST_TEST(audited("token.reuse_detected") == limits::kSightingsAnAgent);
    clock.advance(limits::kSightingWindow);
    show_old();
    BOOST_TEST(audited("token.reuse_detected") == limits::kSightingsAnAgent + 1U);
}

BOOST_AUTO_TEST_CASE(an_alarm_that_was_closed_opens_again_at_once) {
    show_old();
    change_row("a", [](auto& row) { row.reuse.reset(); });
    show_old();
    BOOST_TEST(audited("token.reuse_detected") == 2U);
}

BOOST_AUTO_TEST_CASE(a_stranger_with_a_made_up_token_costs_no_write) {
    const auto version = row("a").row_version;
    const Secret invented = protocol::mint_token(protocol::TokenKind::agent, "a", random);
    for (int i = 0; i < 5; ++i)
        BOOST_TEST((authenticate(invented.expose()).error().code() == Code::unknown_credential));
    BOOST_TEST(row("a").row_version == version);
    BOOST_TEST(audited("token.reuse_detected") == 0U);
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_loses_no_alarm) {
    commits_to_lose = 100;
    show_old();
    BOOST_TEST(audited("token.reuse_detected") == 0U);
    commits_to_lose = 0;
    show_old();
    BOOST_TEST(audited("token.reuse_detected") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::server::testing
