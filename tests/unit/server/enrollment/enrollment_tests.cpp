#include "base/ed25519.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"
#include "protocol/proof.hpp"
#include "server/enrollment/enrollment.hpp"
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

struct EnrollmentWorld : DoorWorld {
    explicit EnrollmentWorld(Engine engine) : DoorWorld(engine) {}

    std::string code_for(const std::string& agent_id) {
        const auto answer = ok(admin, "agents.enrollment_code", {{"agent_id", agent_id}});
        return std::string(answer.at("code").as_string());
    }
    static protocol::EnrollParams params_for(const std::string& code, const Ed25519Key& key) {
        protocol::EnrollParams params;
        params.code = Secret(code);
        params.public_key = to_base64url(key.public_key());
        const auto parsed = protocol::parse_token(code);
        const std::string code_id(parsed ? parsed->id : "none");
        params.signature =
            to_base64url(key.sign(protocol::enrollment_message(code_id, params.public_key)));
        params.hostname = "host";
        params.version = "1.2.3";
        return params;
    }
    Result<protocol::EnrollResult> enroll(const std::string& code, const Ed25519Key& key) {
        return run(enrollment::enroll(enrollment_parts, params_for(code, key),
                                      {"192.0.2.9", "request-1"}));
    }
    Code refusal(const std::string& code, const Ed25519Key& key) {
        const auto answer = enroll(code, key);
        BOOST_REQUIRE(answer.has_error());
        return answer.error().code();
    }
    // As a successful connect with the pending token does (S3).
    void connect_once(const std::string& agent_id) {
        static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
            REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
            const auto pending = *row.credentials.pending;
            const rotation::Completion claim{pending.generation, pending.rotation_id,
                                             rotation::ProofCheck::valid};
            const auto completed = rotation::complete(
                row.credentials, claim, settings.snapshot()->rotation_policy(), 0.5, clock.now());
            REKEY_TRY(rotation::apply(transaction, row, completed.transition, {.actor = agent_id},
                                      clock.now()));
            return true;
        }));
    }

    const Ed25519Key own_key = key_number(1);
    const Ed25519Key other_key = key_number(2);
};

const auto kEngines = boost::unit_test::data::make({Engine::memory, Engine::sqlite});

}  // namespace rekey::server::testing

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::Engine;
using rekey::server::testing::EnrollmentWorld;
using rekey::server::testing::kEngines;

BOOST_AUTO_TEST_SUITE(enrollment_tests)

BOOST_DATA_TEST_CASE(a_code_and_a_key_give_generation_one, kEngines, engine) {
    EnrollmentWorld world(engine);
    const auto agent_id = world.create_agent("a");
    const auto enrolled = world.enroll(world.code_for(agent_id), world.own_key);
    BOOST_REQUIRE(enrolled.has_value());
    BOOST_TEST(enrolled->agent_id == agent_id);
    BOOST_TEST(enrolled->generation == 1U);
    BOOST_TEST(enrolled->server_ca == "the CA in PEM");
    BOOST_TEST((enrolled->expires_at == world.clock.now() + std::chrono::days{7}));
    const auto row = world.row(agent_id);
    BOOST_TEST((row.identity_public_key == world.own_key.public_key()));
    BOOST_TEST(row.hostname == "host");
    BOOST_REQUIRE(row.credentials.pending.has_value());
    BOOST_TEST((row.credentials.pending->token_hash == protocol::token_hash(enrolled->token)));
    BOOST_TEST(!row.credentials.current.has_value());
    BOOST_TEST(world.audited("agent.enrolled") == 1U);
    const auto rows =
        world.read<std::vector<storage::AuditRow>>([](storage::Transaction& transaction) {
            return transaction.audit().query({.action = "agent.enrolled"}, 1);
        });
    BOOST_TEST(rows.front().event.details.at("address").as_string() == "192.0.2.9");
    BOOST_TEST(rows.front().event.details.at("request_id").as_string() == "request-1");
    const auto rotation =
        world.ok(world.admin, "rotations.get", {{"rotation_id", enrolled->rotation_id}});
    BOOST_TEST(rotation.at("cause").as_string() == "enrollment");
}

// Failure 5: the reply was lost.
BOOST_DATA_TEST_CASE(the_same_key_gets_the_same_answer_until_it_has_connected, kEngines, engine) {
    EnrollmentWorld world(engine);
    const auto agent_id = world.create_agent("a");
    const auto code = world.code_for(agent_id);
    const auto first = world.enroll(code, world.own_key);
    // Also after the code's own end.
    world.clock.advance(std::chrono::hours{23});
    const auto again = world.enroll(code, world.own_key);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST((again->token == first->token));
    BOOST_TEST(again->rotation_id == first->rotation_id);
    BOOST_TEST(again->generation == first->generation);
    BOOST_TEST((again->expires_at == first->expires_at));
    // Nobody else does, not even then.
    BOOST_TEST((world.refusal(code, world.other_key) == Code::conflict));
    world.connect_once(agent_id);
    BOOST_TEST((world.refusal(code, world.own_key) == Code::conflict));
    BOOST_TEST((world.refusal(code, world.other_key) == Code::conflict));
}

BOOST_DATA_TEST_CASE(a_repeat_ends_after_a_day, kEngines, engine) {
    EnrollmentWorld world(engine);
    const auto code = world.code_for(world.create_agent("a"));
    BOOST_TEST(world.enroll(code, world.own_key).has_value());
    world.clock.advance(Milliseconds(limits::kEnrollmentRepeat));
    BOOST_TEST((world.refusal(code, world.own_key) == Code::conflict));
}

// Whoever else has the code spends nothing of the agent's minute.
BOOST_DATA_TEST_CASE(repeats_count_by_identity_and_a_thief_of_the_code_counts_for_nobody, kEngines,
                     engine) {
    EnrollmentWorld world(engine);
    const auto agent_id = world.create_agent("a");
    const auto code = world.code_for(agent_id);
    const boost::json::object limit{{"rate_limit_api_per_minute", 2}};
    static_cast<void>(world.ok(world.admin, "settings.set", {{"settings", limit}}));
    BOOST_TEST(world.enroll(code, world.own_key).has_value());
    for (int i = 0; i < 5; ++i)
        BOOST_TEST((world.refusal(code, world.other_key) == Code::conflict));
    BOOST_TEST(world.enroll(code, world.own_key).has_value());
    BOOST_TEST(world.enroll(code, world.own_key).has_value());
    const auto refused = world.enroll(code, world.own_key);
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code() == Code::rate_limited));
    BOOST_TEST(refused.error().retry_after().has_value());
    world.clock.advance(std::chrono::minutes{1});
    BOOST_TEST(world.enroll(code, world.own_key).has_value());
}

// Failure 6: two racers; both have looked before either has won.
BOOST_DATA_TEST_CASE(of_two_racers_one_wins, kEngines, engine) {
    EnrollmentWorld world(engine);
    const auto agent_id = world.create_agent("a");
    const auto code = world.code_for(agent_id);
    enrollment::Attempt attempt;
    attempt.code_id = std::string(protocol::parse_token(code)->id);
    attempt.code_hash = protocol::token_hash(code);
    attempt.now = world.clock.now();
    const auto try_with = [&](const Ed25519Key& key) {
        attempt.public_key = key.public_key();
        return bootstrap::write_now<enrollment::Enrolled>(
            *world.store, [&](storage::Transaction& transaction) {
                return enrollment::enroll_in(transaction, world.enrollment_parts, attempt);
            });
    };
    BOOST_TEST(try_with(world.own_key).has_value());
    const auto loser = try_with(world.other_key);
    BOOST_REQUIRE(loser.has_error());
    BOOST_TEST((loser.error().code() == Code::conflict));
    BOOST_TEST((world.row(agent_id).identity_public_key == world.own_key.public_key()));
    BOOST_TEST(world.row(agent_id).credentials.next_generation == 2U);
}

BOOST_DATA_TEST_CASE(unknown_mistyped_and_expired_sound_alike, kEngines, engine) {
    EnrollmentWorld world(engine);
    const auto agent_id = world.create_agent("a");
    auto code = world.code_for(agent_id);
    const auto unknown =
        protocol::mint_token(protocol::TokenKind::enrollment_code,
                             make_uuid_v7(world.clock, world.random), world.random);
    BOOST_TEST(
        (world.refusal(std::string(unknown.expose()), world.own_key) == Code::unknown_credential));
    const auto forged = protocol::mint_token(protocol::TokenKind::enrollment_code,
                                             protocol::parse_token(code)->id, world.random);
    BOOST_TEST(
        (world.refusal(std::string(forged.expose()), world.own_key) == Code::unknown_credential));
    BOOST_TEST((world.refusal("rke_typing_error", world.own_key) == Code::unknown_credential));
    BOOST_TEST((world.refusal("", world.own_key) == Code::unknown_credential));
    world.clock.advance(std::chrono::minutes{10});
    BOOST_TEST((world.refusal(code, world.own_key) == Code::unknown_credential));
    BOOST_TEST(!world.row(agent_id).identity_public_key.has_value());
}

BOOST_AUTO_TEST_CASE(a_wrong_signature_spends_nothing) {
    EnrollmentWorld world(Engine::memory);
    const auto code = world.code_for(world.create_agent("a"));
    auto params = EnrollmentWorld::params_for(code, world.own_key);
    params.signature = EnrollmentWorld::params_for(code, world.other_key).signature;
    const auto answer = world.run(enrollment::enroll(world.enrollment_parts, params, {}));
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST((answer.error().code() == Code::unknown_credential));
    BOOST_TEST(world.enroll(code, world.own_key).has_value());
}

BOOST_DATA_TEST_CASE(enrolling_again_retires_what_was_held, kEngines, engine) {
    EnrollmentWorld world(engine);
    const auto agent_id = world.create_agent("a");
    const auto first = world.enroll(world.code_for(agent_id), world.own_key);
    world.connect_once(agent_id);
    const auto session = world.connect(agent_id, 1);
    const auto second = world.enroll(world.code_for(agent_id), world.other_key);
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->generation == 2U);
    BOOST_TEST(session->closed_with() == 4004);
    const auto row = world.row(agent_id);
    BOOST_TEST(!row.credentials.current.has_value());
    BOOST_TEST((row.identity_public_key == world.other_key.public_key()));
    const auto buried = [&](const Bytes32& hash) {
        return world.read<bool>([&](storage::Transaction& transaction) {
            return transaction.tombstones().contains(agent_id, hash);
        });
    };
    BOOST_TEST(buried(protocol::token_hash(first->token)));
    BOOST_TEST(buried(sha256(world.own_key.public_key())));
    BOOST_TEST(!buried(protocol::token_hash(second->token)));
}

BOOST_AUTO_TEST_CASE(suspended_and_revoked_agents_are_told_so) {
    EnrollmentWorld world(Engine::memory);
    const auto agent_id = world.create_agent("a");
    const auto code = world.code_for(agent_id);
    static_cast<void>(world.ok(world.admin, "agents.suspend", {{"agent_id", agent_id}}));
    BOOST_TEST((world.refusal(code, world.own_key) == Code::agent_suspended));
    static_cast<void>(world.ok(world.admin, "agents.reactivate", {{"agent_id", agent_id}}));
    BOOST_TEST(world.enroll(code, world.own_key).has_value());
    static_cast<void>(world.ok(world.admin, "agents.revoke", {{"agent_id", agent_id}}));
    BOOST_TEST((world.refusal(code, world.own_key) == Code::agent_revoked));
}

BOOST_AUTO_TEST_SUITE_END()
