// POST /recover against the real rekeyd, by a client that does each step by hand.
#include "protocol/token.hpp"
#include "tests/support/agent_stage.hpp"
#include "tests/support/by_hand.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

Rekeyd::Options plain() {
    Rekeyd::Options options;
    options.transport = Transport::plain;
    options.environment = {{"REKEY_RATE_LIMIT_AUTH_PER_MINUTE", "1000"}};
    return options;
}

struct Recovering {
    Rekeyd server{plain()};
    AgentStage stage;
    const Ed25519Key key = Ed25519Key::generate();
    ScriptedIdentity identity = enroll_by_hand(server, "one", key);

    // In, settled on this generation, and gone again; holds what it held.
    void visit(std::uint64_t generation) {
        ScriptedAgent& agent = stage.add(identity, {});
        stage.with([&] { agent.connect(); });
        server.wait_settled(identity.agent_id, generation);
        stage.with([&] {
            identity.held = agent.held();
            agent.disconnect();
        });
        stage.wait("it has gone", [&] { return agent.hung_up(); });
    }
    void rotate_to(std::uint64_t generation) {
        ScriptedAgent& agent = stage.add(identity, {});
        stage.with([&] { agent.connect(); });
        server.wait_settled(identity.agent_id, generation - 1);
        static_cast<void>(
            server.call("rotations.start", {{"agent_id", identity.agent_id}, {"force", true}}));
        server.wait_settled(identity.agent_id, generation);
        stage.with([&] {
            identity.held = agent.held();
            agent.disconnect();
        });
        stage.wait("it has gone", [&] { return agent.hung_up(); });
    }
    std::string refusal_of(const Secret& token) {
        ScriptedAgent& agent = stage.add(identity, {});
        stage.with([&] { agent.connect_with(token); });
        stage.wait("it is refused", [&] { return !agent.seen().refusal.empty(); });
        return stage.with([&] { return agent.seen().refusal; });
    }
    net::HttpResponse recover(std::uint64_t newest_held) const {
        return recover_by_hand(server, identity.agent_id, newest_held, key);
    }
    void set(const std::string& name, std::int64_t value) const {
        static_cast<void>(server.call("settings.set", {{"settings", json::object{{name, value}}}}));
    }
    std::size_t audited(const std::string& action) const {
        // Refusals are audited by a transaction that nobody waits for: this one comes after it.
        set("jwt_minutes", 30);
        return server.call("audit.query", {{"action", action}, {"agent_id", identity.agent_id}})
            .at("entries")
            .as_array()
            .size();
    }
    // The database alone, as a backup tool would restore it; the server is down.
    void save_database() const {
        fs::copy_file(server.directory() + "/rekey.db", server.directory() + "/backup");
    }
    void restore_database() const {
        for (const char* end : {"-wal", "-shm"}) fs::remove(server.directory() + "/rekey.db" + end);
        fs::copy_file(server.directory() + "/backup", server.directory() + "/rekey.db",
                      fs::copy_options::overwrite_existing);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(recovery_tests, Recovering)

BOOST_AUTO_TEST_CASE(an_agent_without_its_tokens_is_back_by_its_identity_key) {
    visit(1);
    const net::HttpResponse answer = recover(1);
    BOOST_REQUIRE_EQUAL(answer.status, 200U);
    // Nothing that was accepted is dropped: the reply may be lost, and the old token still opens.
    BOOST_TEST(recover(1).body.find(json::parse(answer.body).at("token").as_string().c_str()) !=
               std::string::npos);
    server.kill();
    server.start();
    BOOST_TEST(json::parse(recover(1).body).at("token") == json::parse(answer.body).at("token"),
               "also after a crash of the server");
    take_recovered(identity, answer);
    visit(2);
    BOOST_TEST(audited("recovery.minted") == 1U);
    BOOST_TEST(server.call("agents.recover", {{"agent_id", identity.agent_id}})
                   .at("recoveries_left")
                   .to_number<int>() == 2);
}

BOOST_AUTO_TEST_CASE(a_spent_budget_is_rate_limited_with_its_time_and_an_admin_raises_it_once) {
    set("recovery_budget", 1);
    visit(1);
    take_recovered(identity, recover(1));
    visit(2);
    const net::HttpResponse spent = recover(2);
    BOOST_TEST(spent.status == 429U);
    BOOST_TEST(refusal_name(spent) == "rate_limited");
    const auto wait = json::parse(spent.body).at("retry_after_seconds").to_number<std::int64_t>();
    BOOST_TEST(wait > 29 * 86400);
    BOOST_TEST(wait <= 30 * 86400);
    BOOST_TEST(spent.headers.get("Retry-After") == std::to_string(wait));
    BOOST_TEST(audited("recovery.refused") == 1U);

    static_cast<void>(server.call("agents.recover", {{"agent_id", identity.agent_id}}));
    take_recovered(identity, recover(2));
    visit(3);
    BOOST_TEST(refusal_name(recover(3)) == "rate_limited");
}

BOOST_AUTO_TEST_CASE(barred_tokens_are_refused_and_the_identity_key_brings_the_agent_back) {
    set("recovery_budget", 0);
    visit(1);
    ScriptedAgent& agent = stage.add(identity, {});
    stage.with([&] { agent.connect(); });
    server.wait_settled(identity.agent_id, 1);
    static_cast<void>(
        server.call("agents.recover", {{"agent_id", identity.agent_id}, {"bar_tokens", true}}));
    stage.wait("it is closed", [&] { return agent.seen().close_code != 0; });
    BOOST_TEST(stage.with([&] { return agent.seen().close_code; }) == 4004U);
    BOOST_TEST(refusal_of(identity.held.front().token) == "unknown_credential");
    server.kill();
    server.start();
    BOOST_TEST(refusal_of(identity.held.front().token) == "unknown_credential");
    take_recovered(identity, recover(1));
    visit(2);
    BOOST_TEST(audited("agent.barred") == 1U);
}

BOOST_AUTO_TEST_CASE(a_challenge_is_for_one_agent_and_one_minting) {
    visit(1);
    const std::string own = challenge_by_hand(server, identity.agent_id);
    const Ed25519Key other_key = Ed25519Key::generate();
    const ScriptedIdentity other = enroll_by_hand(server, "two", other_key);
    const auto send = [&](const json::object& body) {
        return refusal_name(server.post("/recover", json::serialize(body)));
    };
    const std::string foreign = challenge_by_hand(server, other.agent_id);
    BOOST_TEST(send(recovery_body(identity.agent_id, foreign, 1, key)) == "unknown_credential");
    BOOST_TEST(send(recovery_body(identity.agent_id, own, 1, other_key)) == "unknown_credential");
    json::object altered = recovery_body(identity.agent_id, own, 1, key);
    altered["newest_held"] = 2;
    BOOST_TEST(send(altered) == "unknown_credential");

    const std::string good = json::serialize(recovery_body(identity.agent_id, own, 1, key));
    BOOST_TEST(server.post("/recover", good).status == 200U);
    const net::HttpResponse replayed = server.post("/recover", good);
    BOOST_TEST(replayed.status == 401U);
    BOOST_TEST(refusal_name(replayed) == "unknown_credential");
}

BOOST_AUTO_TEST_CASE(an_unknown_agent_gets_a_challenge_and_the_same_refusal) {
    const std::string nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    const std::string never = server.new_agent("never-enrolled").agent_id;
    const std::string own = challenge_by_hand(server, identity.agent_id);
    const auto wrong = server.post(
        "/recover",
        json::serialize(recovery_body(identity.agent_id, own, 1, Ed25519Key::generate())));
    for (const std::string& id : {nobody, never, std::string("x")}) {
        const std::string challenge = challenge_by_hand(server, id);
        BOOST_TEST(challenge.size() == own.size());
        const auto refused =
            server.post("/recover", json::serialize(recovery_body(id, challenge, 1, key)));
        BOOST_TEST(refused.status == wrong.status);
        BOOST_TEST(refused.body == wrong.body);
    }
}

BOOST_AUTO_TEST_CASE(failures_count_against_their_address_and_a_right_key_is_never_refused) {
    set("rate_limit_auth_per_minute", 2);
    const auto fail = [&] {
        return refusal_name(recover_by_hand(server, identity.agent_id, 1, Ed25519Key::generate()));
    };
    std::string last;
    for (int i = 0; i < 5; ++i) last = fail();
    BOOST_TEST(last == "rate_limited");
    BOOST_TEST(recover(1).status == 200U);
}

BOOST_AUTO_TEST_CASE(who_recovers_all_the_time_is_told_to_wait_and_the_admin_is_not) {
    set("rate_limit_api_per_minute", 3);
    for (int i = 0; i < 3; ++i) BOOST_REQUIRE_EQUAL(recover(1).status, 200U);
    const net::HttpResponse refused = recover(1);
    BOOST_TEST(refused.status == 429U);
    BOOST_TEST(refusal_name(refused) == "rate_limited");
    BOOST_TEST(!refused.headers.get("Retry-After").empty());
    set("rate_limit_api_per_minute", 0);
    BOOST_TEST(recover(1).status == 200U);
}

BOOST_AUTO_TEST_CASE(suspended_and_revoked_agents_are_told_so_if_they_hold_the_key) {
    visit(1);
    const json::object named{{"agent_id", identity.agent_id}};
    static_cast<void>(server.call("agents.suspend", named));
    BOOST_TEST(refusal_name(recover(1)) == "agent_suspended");
    BOOST_TEST(refusal_name(recover_by_hand(server, identity.agent_id, 1,
                                            Ed25519Key::generate())) == "unknown_credential");
    static_cast<void>(server.call("agents.reactivate", named));
    BOOST_TEST(recover(1).status == 200U);
    static_cast<void>(server.call("agents.revoke", named));
    BOOST_TEST(refusal_name(recover(1)) == "agent_revoked");
    BOOST_TEST(audited("recovery.refused") == 3U);
}

BOOST_AUTO_TEST_CASE(a_server_restored_from_an_old_backup_gets_its_agent_back) {
    visit(1);
    BOOST_REQUIRE_EQUAL(server.stop(), 0);
    save_database();
    server.start();
    rotate_to(2);
    rotate_to(3);
    BOOST_REQUIRE_EQUAL(server.stop(), 0);
    restore_database();
    server.start();
    for (const auto& token : identity.held)
        BOOST_TEST(refusal_of(token.token) == "unknown_credential");
    const net::HttpResponse answer = recover(3);
    BOOST_REQUIRE_EQUAL(answer.status, 200U);
    BOOST_TEST(json::parse(answer.body).at("generation").to_number<std::uint64_t>() == 4U);
    take_recovered(identity, answer);
    visit(4);
}

// The real agent, by itself: its machine is rolled back to a snapshot, then the server is restored.
BOOST_AUTO_TEST_CASE(the_real_agent_recovers_from_a_snapshot_and_from_a_restored_server) {
    const Rekeyd::NewAgent created = server.new_agent("real");
    RekeyAgent agent("real");
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    const auto rotate_to = [&](std::uint64_t generation) {
        static_cast<void>(
            server.call("rotations.start", {{"agent_id", created.agent_id}, {"force", true}}));
        server.wait_settled(created.agent_id, generation);
    };
    agent.start();
    server.wait_settled(created.agent_id, 1);
    agent.stop();
    const std::string snapshot = agent.home() + "/snapshot";
    fs::copy_file(agent.state_path(), snapshot);
    BOOST_REQUIRE_EQUAL(server.stop(), 0);
    save_database();
    server.start();
    agent.start();
    rotate_to(2);
    rotate_to(3);
    agent.kill();
    fs::copy_file(snapshot, agent.state_path(), fs::copy_options::overwrite_existing);
    agent.start();
    server.wait_settled(created.agent_id, 4);
    // It looked like a clone, until the holder of the identity key followed.
    const auto entries = [&](const char* action) {
        return server.call("audit.query", {{"action", action}, {"agent_id", created.agent_id}})
            .at("entries")
            .as_array();
    };
    BOOST_TEST(entries("token.reuse_detected").size() == 1U);
    const json::array closed = entries("token.reuse_closed");
    BOOST_REQUIRE_EQUAL(closed.size(), 1U);
    BOOST_TEST(closed.at(0).at("details").at("closed_by").as_string() == "recovery");
    rotate_to(5);
    agent.kill();
    BOOST_REQUIRE_EQUAL(server.stop(), 0);
    restore_database();
    server.start();
    agent.start();
    server.wait_settled(created.agent_id, 6);
    BOOST_TEST(server.call("agents.recover", {{"agent_id", created.agent_id}})
                       .at("recoveries_left")
                       .to_number<int>() == 2,
               "the restored database knows of one recovery");
}

BOOST_AUTO_TEST_CASE(a_database_from_before_a_revoke_admits_nobody) {
    visit(1);
    const Secret token = identity.held.front().token;
    BOOST_REQUIRE_EQUAL(server.stop(), 0);
    save_database();
    server.start();
    static_cast<void>(server.call("agents.revoke", {{"agent_id", identity.agent_id}}));
    BOOST_REQUIRE_EQUAL(server.stop(), 0);
    restore_database();
    server.start();
    BOOST_TEST(refusal_of(token) == "agent_revoked");
    BOOST_TEST(refusal_name(recover(1)) == "agent_revoked");
    BOOST_TEST(audited("agent.revoked") == 1U, "the restored chain says so too");
    server.kill();
    server.start();
    BOOST_TEST(refusal_of(token) == "agent_revoked");
    BOOST_TEST(audited("agent.revoked") == 1U, "once");
}

BOOST_AUTO_TEST_SUITE_END()
