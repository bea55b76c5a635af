// POST /enroll against the real rekeyd: what may be repeated, by whom, and what is refused.
#include "base/ed25519.hpp"
#include "base/encoding.hpp"
#include "protocol/proof.hpp"
#include "protocol/token.hpp"
#include "tests/support/agent_stage.hpp"
#include "tests/support/by_hand.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <future>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

Rekeyd::Options plain() {
    Rekeyd::Options options;
    options.transport = Transport::plain;
    return options;
}

struct Enrolling {
    Rekeyd server{plain()};

    static json::object request(const std::string& code, const Ed25519Key& key) {
        const std::string public_key = to_base64url(key.public_key());
        const auto parsed = protocol::parse_token(code);
        const std::string_view code_id = parsed ? parsed->id : "none";
        return {{"code", code},
                {"public_key", public_key},
                {"signature",
                 to_base64url(key.sign(protocol::enrollment_message(code_id, public_key)))},
                {"hostname", "h"},
                {"version", "1"}};
    }
    net::HttpResponse enroll(const std::string& code, const Ed25519Key& key) const {
        return server.post("/enroll", json::serialize(request(code, key)));
    }
    static std::string name_of(const net::HttpResponse& response) {
        return std::string(json::parse(response.body).at("name").as_string());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(enrollment_tests, Enrolling)

BOOST_AUTO_TEST_CASE(failure_05_a_lost_reply_is_given_again_to_the_same_key_only) {
    const Rekeyd::NewAgent agent = server.new_agent("one");
    const Ed25519Key key = Ed25519Key::generate();
    const net::HttpResponse first = enroll(agent.code, key);
    BOOST_REQUIRE_EQUAL(first.status, 200U);
    const net::HttpResponse again = enroll(agent.code, key);
    BOOST_TEST(again.status == 200U);
    BOOST_TEST(again.body == first.body);
    server.kill();
    server.start();
    BOOST_TEST(enroll(agent.code, key).body == first.body, "also after a crash of the server");
    const net::HttpResponse thief = enroll(agent.code, Ed25519Key::generate());
    BOOST_TEST(thief.status == 409U);
    BOOST_TEST(name_of(thief) == "conflict");
}

BOOST_AUTO_TEST_CASE(who_repeats_all_the_time_is_told_to_wait) {
    const Rekeyd::NewAgent agent = server.new_agent("one");
    const Ed25519Key key = Ed25519Key::generate();
    const json::object limit{{"rate_limit_api_per_minute", 2}};
    static_cast<void>(server.call("settings.set", {{"settings", limit}}));
    for (int i = 0; i < 3; ++i) BOOST_REQUIRE_EQUAL(enroll(agent.code, key).status, 200U);
    const net::HttpResponse refused = enroll(agent.code, key);
    BOOST_TEST(refused.status == 429U);
    BOOST_TEST(name_of(refused) == "rate_limited");
    BOOST_TEST(!refused.headers.get("Retry-After").empty());
}

BOOST_AUTO_TEST_CASE(after_the_first_connect_the_code_is_spent_for_its_key_as_well) {
    AgentStage stage;
    const Rekeyd::NewAgent agent = server.new_agent("one");
    const Ed25519Key key = Ed25519Key::generate();
    const json::value reply = json::parse(enroll(agent.code, key).body);
    ScriptedIdentity identity{server.host(), server.port(), nullptr, agent.agent_id, {}};
    identity.held =
        agent::rotation::on_enrolled({std::string(reply.at("rotation_id").as_string()), 1,
                                      Secret(std::string(reply.at("token").as_string()))});
    ScriptedAgent& scripted = stage.add(identity, {});
    stage.with([&] { scripted.connect(); });
    server.wait_settled(agent.agent_id, 1);
    BOOST_TEST(name_of(enroll(agent.code, key)) == "conflict");
}

BOOST_AUTO_TEST_CASE(failure_06_of_two_racers_with_one_code_one_wins) {
    const Rekeyd::NewAgent agent = server.new_agent("one");
    std::vector<std::future<unsigned>> racers;
    racers.reserve(8);
    for (int i = 0; i < 8; ++i)
        racers.push_back(std::async(
            std::launch::async, [&] { return enroll(agent.code, Ed25519Key::generate()).status; }));
    std::size_t winners = 0;
    std::size_t conflicts = 0;
    for (auto& racer : racers) {
        const unsigned status = racer.get();
        winners += status == 200U ? 1 : 0;
        conflicts += status == 409U ? 1 : 0;
    }
    BOOST_TEST(winners == 1U);
    BOOST_TEST(conflicts == 7U);
}

BOOST_AUTO_TEST_CASE(requests_of_one_key_that_cross_each_other_get_one_answer) {
    const Rekeyd::NewAgent agent = server.new_agent("one");
    const Ed25519Key key = Ed25519Key::generate();
    std::vector<std::future<net::HttpResponse>> requests;
    requests.reserve(8);
    for (int i = 0; i < 8; ++i)
        requests.push_back(std::async(std::launch::async, [&] { return enroll(agent.code, key); }));
    const net::HttpResponse first = requests.front().get();
    BOOST_TEST(first.status == 200U);
    for (std::size_t i = 1; i < requests.size(); ++i)
        BOOST_TEST(requests[i].get().body == first.body);
}

BOOST_AUTO_TEST_CASE(a_lost_enrollment_can_be_finished_by_a_recovery_and_an_old_key_cannot) {
    const Rekeyd::NewAgent agent = server.new_agent("one");
    const Ed25519Key key = Ed25519Key::generate();
    const json::value enrolled = json::parse(enroll(agent.code, key).body);
    const net::HttpResponse recovered = recover_by_hand(server, agent.agent_id, 0, key);
    BOOST_REQUIRE_EQUAL(recovered.status, 200U);
    BOOST_TEST(json::parse(recovered.body).at("token") == enrolled.at("token"));
    BOOST_TEST(json::parse(recovered.body).at("generation") == enrolled.at("generation"));
    BOOST_TEST(json::parse(enroll(agent.code, key).body).at("token") == enrolled.at("token"));

    const json::value code = server.call("agents.enrollment_code", {{"agent_id", agent.agent_id}});
    const Ed25519Key newer = Ed25519Key::generate();
    BOOST_TEST(enroll(std::string(code.at("code").as_string()), newer).status == 200U);
    BOOST_TEST(refusal_name(recover_by_hand(server, agent.agent_id, 1, key)) ==
               "unknown_credential");
    BOOST_TEST(recover_by_hand(server, agent.agent_id, 0, newer).status == 200U);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_code_or_a_signature_is_not_told_apart) {
    const Rekeyd::NewAgent agent = server.new_agent("one");
    const Ed25519Key key = Ed25519Key::generate();
    std::string mistyped = agent.code;
    mistyped.back() = mistyped.back() == 'a' ? 'b' : 'a';
    for (const std::string& code : {mistyped, std::string("rke_x_y"), std::string()}) {
        const net::HttpResponse response = enroll(code, key);
        BOOST_TEST(response.status == 401U);
        BOOST_TEST(name_of(response) == "unknown_credential");
        BOOST_TEST(response.headers.get("Rekey-Error") == "unknown_credential");
    }
    json::object forged = request(agent.code, key);
    forged["signature"] = to_base64url(Ed25519Key::generate().sign("something else"));
    BOOST_TEST(name_of(server.post("/enroll", json::serialize(forged))) == "unknown_credential");
    BOOST_TEST(enroll(agent.code, key).status == 200U, "a failed attempt spends nothing");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_wrong_names_the_field) {
    const Rekeyd::NewAgent agent = server.new_agent("one");
    json::object body = request(agent.code, Ed25519Key::generate());
    body["public_key"] = "short";
    const net::HttpResponse response = server.post("/enroll", json::serialize(body));
    BOOST_TEST(response.status == 422U);
    BOOST_TEST(json::parse(response.body).at("details").at("path").as_string() == "public_key");
    BOOST_TEST(server.post("/enroll", "{").status == 400U);
}

BOOST_AUTO_TEST_CASE(enrolling_again_retires_the_old_token_and_closes_its_socket) {
    AgentStage stage;
    ScriptedAgent& old = stage.enroll_and_connect(server, "one");
    server.wait_settled(old.agent_id(), 1);
    const json::value code = server.call("agents.enrollment_code", {{"agent_id", old.agent_id()}});
    const net::HttpResponse response =
        enroll(std::string(code.at("code").as_string()), Ed25519Key::generate());
    BOOST_REQUIRE_EQUAL(response.status, 200U);
    BOOST_TEST(json::parse(response.body).at("generation").to_number<std::uint64_t>() == 2U);
    stage.wait("the old socket is closed", [&] { return old.seen().close_code != 0; });
    BOOST_TEST(stage.with([&] { return old.seen().close_code; }) == 4004U);
    stage.with([&] { old.connect(); });
    stage.wait("the old token is refused", [&] { return !old.seen().refusal.empty(); });
    BOOST_TEST(stage.with([&] { return old.seen().refusal; }) == "unknown_credential");
}

BOOST_AUTO_TEST_CASE(a_revoked_agents_code_is_worth_nothing) {
    const Rekeyd::NewAgent agent = server.new_agent("one");
    static_cast<void>(server.call("agents.revoke", {{"agent_id", agent.agent_id}}));
    const net::HttpResponse response = enroll(agent.code, Ed25519Key::generate());
    BOOST_TEST((response.status == 401U || response.status == 403U));
    BOOST_CHECK(
        server.try_call("agents.enrollment_code", {{"agent_id", agent.agent_id}}).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
