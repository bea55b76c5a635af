#include "base/ed25519.hpp"
#include "protocol/proof.hpp"
#include "server/recovery/recovery.hpp"
#include "tests/unit/server/support/door_world.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

// Not in an unnamed namespace: the test cases with data are templates of their own.
namespace rekey::server::testing {

inline std::ostream& boost_test_print_type(std::ostream& out, Engine engine) {
    return out << (engine == Engine::memory ? "memory" : "sqlite");
}

inline Ed25519Key key_number(std::uint8_t number) {
    Bytes32 seed{};
    seed.front() = number;
    return Ed25519Key::from_seed(seed);
}

// One agent with an identity key, on generation 1, activated.
struct RecoveryWorld : DoorWorld {
    explicit RecoveryWorld(Engine engine) : DoorWorld(engine) {
        token = protocol::mint_token(protocol::TokenKind::agent, agent_id, random);
        change_row(agent_id, [this](storage::AgentRow& row) {
            row.identity_public_key = own_key.public_key();
            row.credentials.next_generation = 2;
            row.credentials.activated_generation = 1;
            row.credentials.current =
                storage::CurrentToken{1, make_uuid_v7(clock, random), protocol::token_hash(token),
                                      clock.now(), clock.now() + std::chrono::days{7}};
        });
    }

    std::string challenge(const std::string& of) {
        return run(recovery::challenge(recovery_parts, {of})).value().challenge;
    }
    static protocol::RecoverParams signed_params(const std::string& agent_id,
                                                 const std::string& challenge,
                                                 std::uint64_t newest_held, const Ed25519Key& key) {
        protocol::RecoverParams params;
        params.agent_id = agent_id;
        params.challenge = challenge;
        params.newest_held = newest_held;
        params.signature =
            to_base64url(key.sign(protocol::recovery_message(agent_id, challenge, newest_held)));
        return params;
    }
    Result<protocol::RecoverResult> send(protocol::RecoverParams params) {
        return run(recovery::recover(recovery_parts, std::move(params), "192.0.2.1"));
    }
    Result<protocol::RecoverResult> recover(std::uint64_t newest_held = 1,
                                            std::optional<Secret> shown = {}) {
        auto params = signed_params(agent_id, challenge(agent_id), newest_held, own_key);
        params.token = std::move(shown);
        return send(std::move(params));
    }
    // Refusals are audited by a unit that nobody waits for: what is written now comes after it.
    std::size_t audited_refusals(std::string_view outcome) {
        static_cast<void>(write<bool>([](storage::Transaction&) -> Result<bool> { return true; }));
        return audited("recovery.refused", outcome);
    }
    Code refusal(std::uint64_t newest_held = 1) {
        const auto answer = recover(newest_held);
        BOOST_REQUIRE(answer.has_error());
        return answer.error().code();
    }
    // As a connect with the pending token does (S3).
    void promote() {
        change_row(agent_id, [this](storage::AgentRow& row) {
            const auto pending = *row.credentials.pending;
            row.credentials =
                rotation::complete(
                    row.credentials,
                    {pending.generation, pending.rotation_id, rotation::ProofCheck::valid},
                    settings.snapshot()->rotation_policy(), 0.5, clock.now())
                    .transition.after;
        });
    }
    boost::json::object grant(bool bar) {
        return ok(admin, "agents.recover", {{"agent_id", agent_id}, {"bar_tokens", bar}});
    }

    const Ed25519Key own_key = key_number(1);
    const Ed25519Key other_key = key_number(2);
    const std::string agent_id = create_agent("a");
    Secret token;
};

const auto kEngines = boost::unit_test::data::make({Engine::memory, Engine::sqlite});

}  // namespace rekey::server::testing

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::kEngines;
using rekey::server::testing::RecoveryWorld;

BOOST_AUTO_TEST_SUITE(recovery_tests)

BOOST_DATA_TEST_CASE(the_identity_key_gets_the_pending_token_and_nothing_is_dropped, kEngines,
                     engine) {
    RecoveryWorld world(engine);
    const auto recovered = world.recover(4);
    BOOST_REQUIRE(recovered.has_value());
    BOOST_TEST(recovered->agent_id == world.agent_id);
    BOOST_TEST(recovered->generation == 5U, "above what the agent holds");
    BOOST_TEST(recovered->server_ca == "the CA in PEM");
    const auto credentials = world.row(world.agent_id).credentials;
    BOOST_REQUIRE(credentials.pending.has_value());
    BOOST_TEST((credentials.pending->token_hash == protocol::token_hash(recovered->token)));
    BOOST_TEST((credentials.current->token_hash == protocol::token_hash(world.token)));
    const auto rotation =
        world.ok(world.admin, "rotations.get", {{"rotation_id", recovered->rotation_id}});
    BOOST_TEST(rotation.at("cause").as_string() == "recovery");
    BOOST_TEST(world.audited("recovery.minted") == 1U);
}

BOOST_DATA_TEST_CASE(a_lost_answer_is_given_again_and_costs_nothing, kEngines, engine) {
    RecoveryWorld world(engine);
    const auto first = world.recover();
    for (int i = 0; i < 5; ++i) {
        const auto again = world.recover();
        BOOST_REQUIRE(again.has_value());
        BOOST_TEST((again->token == first->token));
        BOOST_TEST(again->rotation_id == first->rotation_id);
    }
    BOOST_TEST(world.audited("recovery.minted") == 1U);
    BOOST_TEST(world.audited("recovery.repeated") == 1U, "alike rows are counted");
    BOOST_TEST(world.grant(false).at("recoveries_left").to_number<int>() == 2);
}

BOOST_DATA_TEST_CASE(repeats_count_by_identity_and_who_cannot_sign_counts_for_nobody, kEngines,
                     engine) {
    RecoveryWorld world(engine);
    const boost::json::object limit{{"rate_limit_api_per_minute", 2}};
    static_cast<void>(world.ok(world.admin, "settings.set", {{"settings", limit}}));
    for (int i = 0; i < 5; ++i) {
        const auto forged = world.send(RecoveryWorld::signed_params(
            world.agent_id, world.challenge(world.agent_id), 1, world.other_key));
        BOOST_TEST((forged.error().code() == Code::unknown_credential));
    }
    BOOST_TEST(world.recover().has_value());
    BOOST_TEST(world.recover().has_value());
    BOOST_TEST((world.refusal() == Code::rate_limited));
    world.clock.advance(std::chrono::minutes{1});
    BOOST_TEST(world.recover().has_value());
}

BOOST_DATA_TEST_CASE(the_budget_is_spent_by_mintings_and_comes_back_with_the_window, kEngines,
                     engine) {
    RecoveryWorld world(engine);
    for (std::uint64_t generation = 2; generation <= 4; ++generation) {
        BOOST_REQUIRE(world.recover(generation - 1).has_value());
        world.promote();
        world.clock.advance(std::chrono::days{1});
    }
    const auto spent = world.recover(4);
    BOOST_REQUIRE(spent.has_error());
    BOOST_TEST((spent.error().code() == Code::rate_limited));
    BOOST_TEST((spent.error().retry_after() == std::chrono::seconds(std::chrono::days{27})));
    BOOST_TEST(world.audited_refusals("rate_limited") == 1U);

    const auto granted = world.grant(false);
    BOOST_TEST(granted.at("recoveries_left").to_number<int>() == 0);
    BOOST_TEST(granted.at("recoveries_granted").to_number<int>() == 1);
    BOOST_TEST(world.audited("recovery.granted") == 1U);
    BOOST_TEST(world.recover(4).has_value());
    world.promote();
    BOOST_TEST((world.refusal(5) == Code::rate_limited), "granted once");
    world.clock.advance(std::chrono::days{27});
    BOOST_TEST(world.recover(5).has_value());
}

BOOST_DATA_TEST_CASE(a_merely_expired_token_costs_nothing, kEngines, engine) {
    RecoveryWorld world(engine);
    auto values = *world.settings.snapshot();
    values.recovery_budget = 0;
    world.settings.replace(values);
    world.clock.advance(std::chrono::days{8});
    BOOST_TEST((world.refusal() == Code::rate_limited));
    BOOST_TEST(world.recover(1, world.token).has_value());

    RecoveryWorld strict(engine);
    values.expired_token_policy = protocol::ExpiredTokenPolicy::reject;
    strict.settings.replace(values);
    strict.clock.advance(std::chrono::days{8});
    BOOST_TEST((strict.recover(1, strict.token).error().code() == Code::token_expired));
    strict.grant(false);
    BOOST_TEST(strict.recover(1, strict.token).has_value());
}

BOOST_DATA_TEST_CASE(what_is_not_proven_is_not_told_apart, kEngines, engine) {
    RecoveryWorld world(engine);
    const std::string other = world.create_agent("never-enrolled");
    const std::string nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    const std::string own = world.challenge(world.agent_id);
    BOOST_TEST(world.challenge(nobody).size() == own.size());
    BOOST_TEST(world.challenge("no id at all").size() == own.size());

    using W = RecoveryWorld;
    auto moved = W::signed_params(world.agent_id, own, 1, world.own_key);
    moved.newest_held = 2;
    const protocol::RecoverParams wrong[] = {
        W::signed_params(world.agent_id, own, 1, world.other_key),
        moved,
        W::signed_params(world.agent_id, world.challenge(other), 1, world.own_key),
        W::signed_params(world.agent_id, "nonsense", 1, world.own_key),
        W::signed_params(nobody, world.challenge(nobody), 1, world.own_key),
        W::signed_params(other, world.challenge(other), 1, world.own_key),
        // The key that nobody is given is nobody's.
        W::signed_params(nobody, world.challenge(nobody), 1, Ed25519Key::from_seed(Bytes32{})),
        W::signed_params(other, world.challenge(other), 1, Ed25519Key::from_seed(Bytes32{})),
    };
    std::string message;
    for (const auto& params : wrong) {
        const auto answer = world.send(params);
        BOOST_REQUIRE(answer.has_error());
        BOOST_TEST((answer.error().code() == Code::unknown_credential));
        if (message.empty()) message = answer.error().message();
        BOOST_TEST(answer.error().message() == message);
    }
    BOOST_TEST(!world.row(world.agent_id).credentials.pending.has_value());
    BOOST_TEST(world.audited_refusals("unknown_credential") == 1U,
               "once for the agent that has a key, never for one that has none");
}

BOOST_DATA_TEST_CASE(a_challenge_is_outdated_by_a_minting_and_by_time, kEngines, engine) {
    RecoveryWorld world(engine);
    const auto used = RecoveryWorld::signed_params(world.agent_id, world.challenge(world.agent_id),
                                                   1, world.own_key);
    BOOST_TEST(world.send(used).has_value());
    const auto replayed = world.send(used);
    BOOST_REQUIRE(replayed.has_error());
    BOOST_TEST((replayed.error().code() == Code::unknown_credential));
    const auto late = RecoveryWorld::signed_params(world.agent_id, world.challenge(world.agent_id),
                                                   1, world.own_key);
    world.clock.advance(limits::kChallengeLife);
    BOOST_TEST((world.send(late).error().code() == Code::unknown_credential));
}

BOOST_DATA_TEST_CASE(status_is_told_to_the_identity_key_only, kEngines, engine) {
    RecoveryWorld world(engine);
    static_cast<void>(world.ok(world.admin, "agents.suspend", {{"agent_id", world.agent_id}}));
    BOOST_TEST((world.refusal() == Code::agent_suspended));
    static_cast<void>(world.ok(world.admin, "agents.revoke", {{"agent_id", world.agent_id}}));
    BOOST_TEST((world.refusal() == Code::agent_revoked));
    const auto stranger = world.send(RecoveryWorld::signed_params(
        world.agent_id, world.challenge(world.agent_id), 1, world.other_key));
    BOOST_TEST((stranger.error().code() == Code::unknown_credential));
    BOOST_TEST((world.refused(world.admin, "agents.recover", {{"agent_id", world.agent_id}}) ==
                Code::wrong_state));
}

BOOST_DATA_TEST_CASE(barred_tokens_leave_the_identity_key_and_nothing_else, kEngines, engine) {
    RecoveryWorld world(engine);
    auto values = *world.settings.snapshot();
    values.recovery_budget = 0;
    world.settings.replace(values);
    const auto session = world.connect(world.agent_id, 1);
    const auto before = world.row(world.agent_id).credentials;
    const auto barred = world.grant(true);
    world.poll();
    BOOST_TEST(barred.at("status").as_string() == "active");
    BOOST_TEST((session->closed_with() == 4004U));
    const auto credentials = world.row(world.agent_id).credentials;
    BOOST_TEST(rotation::accepted_hashes(credentials).empty());
    BOOST_TEST(credentials.epoch == before.epoch + 1);
    BOOST_TEST(world.read<bool>([&](storage::Transaction& transaction) {
        return transaction.tombstones().contains(world.agent_id, protocol::token_hash(world.token));
    }));
    BOOST_TEST(world.audited("agent.barred") == 1U);
    const auto recovered = world.recover(1, world.token);
    BOOST_REQUIRE(recovered.has_value());
    BOOST_TEST(recovered->generation == 2U);

    const std::string never = world.create_agent("never-enrolled");
    BOOST_TEST((world.refused(world.admin, "agents.recover",
                              {{"agent_id", never}, {"bar_tokens", true}}) == Code::wrong_state),
               "it would be locked out");
}

BOOST_AUTO_TEST_SUITE_END()
