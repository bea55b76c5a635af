// API keys and access tokens at the doors of a real server.
#include "base/encoding.hpp"
#include "tests/support/daemons.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

struct Access {
    Rekeyd server{Rekeyd::Options{.transport = Transport::plain}};

    net::HttpResponse ask(const std::string& method, const std::string& target,
                          const std::string& header, const std::string& value,
                          const std::string& body = {}) const {
        net::HttpCall call{.method = method, .target = target};
        call.headers.emplace_back(header, Secret(value));
        if (!body.empty()) call.body = Secret(body);
        return server.http(call);
    }
    net::HttpResponse as(const std::string& credential, const std::string& method,
                         const std::string& target, const std::string& body = {}) const {
        return ask(method, target, "Authorization", "Bearer " + credential, body);
    }
    json::value rpc(const std::string& credential, const std::string& method,
                    const json::object& params = {}) const {
        const json::object request{
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
        const auto response = as(credential, "POST", "/rpc", json::serialize(request));
        BOOST_TEST(response.status == 200U);
        return json::parse(response.body);
    }
    std::string token_of(const std::string& key) const {
        const auto response = ask("POST", "/auth/token", "X-API-Key", key);
        BOOST_REQUIRE_MESSAGE(response.status == 200, response.body);
        return text(json::parse(response.body), "access_token");
    }
    static std::string text(const json::value& object, std::string_view name) {
        return std::string(object.at(name).as_string());
    }
    static std::string error_name(const net::HttpResponse& response) {
        return text(json::parse(response.body), "name");
    }
    static std::string error_name(const json::value& answer) {
        return text(answer.at("error").at("data"), "name");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(access_tests, Access)

BOOST_AUTO_TEST_CASE(key_and_token_open_every_admin_door_by_either_header) {
    const std::string token = token_of(server.admin_key());
    const std::string info = R"({"jsonrpc":"2.0","id":1,"method":"system.info"})";
    for (const std::string& credential : {server.admin_key(), token}) {
        for (const bool bearer : {true, false}) {
            const std::string header = bearer ? "Authorization" : "X-API-Key";
            const std::string value = (bearer ? "Bearer " : "") + credential;
            BOOST_TEST(ask("POST", "/rpc", header, value, info).status == 200U);
            BOOST_TEST(ask("GET", "/agents", header, value).status == 200U);
            // Past the credential: this request is no WebSocket.
            BOOST_TEST(ask("GET", "/rpc", header, value).status == 426U);
        }
    }
    const auto again = as(token, "POST", "/auth/token");
    BOOST_TEST(again.status == 403U);
    BOOST_TEST(error_name(again) == "permission_denied");
}

BOOST_AUTO_TEST_CASE(an_access_token_is_no_agent_token) {
    net::HttpCall upgrade{.method = "GET", .target = "/agent"};
    upgrade.headers.emplace_back("Authorization", Secret("Bearer " + token_of(server.admin_key())));
    for (const auto& [name, value] : {std::pair{"Connection", "Upgrade"},
                                      {"Upgrade", "websocket"},
                                      {"Sec-WebSocket-Version", "13"},
                                      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                      {"Sec-WebSocket-Protocol", "rekey.agent.v1"}})
        upgrade.headers.emplace_back(name, Secret(value));
    const auto refused = server.http(upgrade);
    BOOST_TEST(refused.status == 401U);
    BOOST_TEST(error_name(refused) == "unknown_credential");
}

BOOST_AUTO_TEST_CASE(the_life_of_a_key_over_rest) {
    const auto agent = server.new_agent("ci");
    const std::string keys = "/agents/" + agent.agent_id + "/keys";
    const auto made = as(server.admin_key(), "POST", keys, R"({"name":"deploys"})");
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    const json::value first = json::parse(made.body);
    const std::string token = token_of(text(first, "key"));
    BOOST_TEST(error_name(rpc(token, "agents.list")) == "permission_denied");

    const auto listed = as(server.admin_key(), "GET", keys);
    BOOST_TEST(listed.status == 200U);
    BOOST_TEST(listed.body.find("rkk_") == std::string::npos);
    BOOST_TEST(json::parse(listed.body).at("keys").as_array().size() == 1U);

    const std::string one = keys + "/" + text(first, "key_id");
    net::HttpCall rotate{.method = "POST", .target = one + "/rotate"};
    rotate.headers.emplace_back("Authorization", Secret("Bearer " + server.admin_key()));
    rotate.headers.emplace_back("Idempotency-Key", Secret("42"));
    const auto rotated = server.http(rotate);
    BOOST_REQUIRE_MESSAGE(rotated.status == 200, rotated.body);
    BOOST_TEST(server.http(rotate).body == rotated.body);
    const json::value second = json::parse(rotated.body);
    // Both work, and so does what the old one made.
    static_cast<void>(token_of(text(first, "key")));
    static_cast<void>(token_of(text(second, "key")));
    BOOST_TEST(error_name(rpc(token, "agents.list")) == "permission_denied");
    // The answer is gone with the new key's first use, and the old one cannot be rotated again.
    BOOST_TEST(server.http(rotate).status == 409U);

    BOOST_TEST(as(server.admin_key(), "DELETE", one).status == 204U);
    BOOST_TEST(as(text(first, "key"), "POST", "/auth/token").status == 401U);
    BOOST_TEST(as(token, "POST", "/rpc", "{}").status == 401U);
    static_cast<void>(token_of(text(second, "key")));
    BOOST_TEST(as(server.admin_key(), "DELETE", keys + "/nonsense").status == 422U);
}

BOOST_AUTO_TEST_CASE(suspending_refuses_tokens_that_are_out_and_reactivating_does_not_revive_them) {
    const auto agent = server.new_agent("ci");
    const std::string keys = "/agents/" + agent.agent_id;
    const auto made = as(server.admin_key(), "POST", keys + "/keys", R"({"name":"deploys"})");
    const std::string key = text(json::parse(made.body), "key");
    const std::string token = token_of(key);
    BOOST_TEST(as(server.admin_key(), "POST", keys + "/suspend").status == 200U);
    const auto suspended = as(token, "POST", "/rpc", "{}");
    BOOST_TEST(suspended.status == 403U);
    BOOST_TEST(error_name(suspended) == "agent_suspended");
    BOOST_TEST(error_name(as(key, "POST", "/auth/token")) == "agent_suspended");
    BOOST_TEST(as(server.admin_key(), "POST", keys + "/reactivate").status == 200U);
    const auto void_token = as(token, "POST", "/rpc", "{}");
    BOOST_TEST(void_token.status == 401U);
    BOOST_TEST(error_name(void_token) == "token_expired");
    BOOST_TEST(as(token_of(key), "POST", "/rpc", "{}").status == 200U);
}

// The key that signs outlives a restart, and so do tokens.
BOOST_AUTO_TEST_CASE(tokens_outlive_a_restart_and_keys_their_first_use) {
    const std::string token = token_of(server.admin_key());
    server.kill();
    server.start();
    BOOST_TEST(as(token, "GET", "/agents").status == 200U);
}

// What programs beside the agent use: the daemon holds the session, and is asked over its socket.
BOOST_AUTO_TEST_CASE(the_daemon_gives_programs_beside_it_an_access_token) {
    const auto created = server.new_agent("worker");
    RekeyAgent agent("worker");
    const std::vector<std::string> token_command{agent_program(), "token", "--state",
                                                 agent.state_path()};
    BOOST_REQUIRE(agent.enroll(created.join_string) == 0);
    const Finished none = run(token_command);
    BOOST_TEST(none.exit_code == 1);
    BOOST_TEST(none.output.find("rekey-agent run") != std::string::npos, none.output);

    agent.start();
    agent.process().wait_for({"event=session.connected"});
    const Finished given = run(token_command);
    BOOST_REQUIRE_MESSAGE(given.exit_code == 0, given.output);
    const std::string token = given.output.substr(0, given.output.find('\n'));
    // It is the agent, which may nothing here.
    BOOST_TEST(error_name(rpc(token, "agents.list")) == "permission_denied");
    // One for somebody else is none for this server, and none makes another.
    auto for_another = token_command;
    for_another.insert(for_another.end(), {"--audience", "https://service.example"});
    const Finished foreign = run(for_another);
    BOOST_REQUIRE_MESSAGE(foreign.exit_code == 0, foreign.output);
    const std::string other = foreign.output.substr(0, foreign.output.find('\n'));
    BOOST_TEST(error_name(as(other, "GET", "/agents")) == "unknown_credential");
    BOOST_TEST(error_name(as(token, "POST", "/auth/token")) == "permission_denied");
    // A suspension reaches the token that is out.
    const std::string suspend = "/agents/" + created.agent_id + "/suspend";
    BOOST_TEST(as(server.admin_key(), "POST", suspend).status == 200U);
    BOOST_TEST(error_name(as(token, "GET", "/agents")) == "agent_suspended");
}

BOOST_AUTO_TEST_SUITE_END()
