#include "tests/support/by_hand.hpp"

#include "base/encoding.hpp"
#include "protocol/proof.hpp"
#include "protocol/token.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <stdexcept>

namespace rekey::testing {

namespace json = boost::json;

namespace {

agent::rotation::Offer offer_in(const net::HttpResponse& answer) {
    if (answer.status != 200) throw std::runtime_error("refused: " + answer.body);
    const json::value body = json::parse(answer.body);
    return {std::string(body.at("rotation_id").as_string()),
            body.at("generation").to_number<std::uint64_t>(),
            Secret(std::string(body.at("token").as_string()))};
}

}  // namespace

ScriptedIdentity enroll_by_hand(const Rekeyd& server, const std::string& name,
                                const Ed25519Key& key) {
    const Rekeyd::NewAgent agent = server.new_agent(name);
    const std::string public_key = to_base64url(key.public_key());
    const std::string code_id(protocol::parse_token(agent.code)->id);
    const json::object body{
        {"code", agent.code},
        {"public_key", public_key},
        {"signature", to_base64url(key.sign(protocol::enrollment_message(code_id, public_key)))},
        {"hostname", "h"},
        {"version", "1"}};
    ScriptedIdentity identity{server.host(), server.port(), server.tls(), agent.agent_id, {}};
    identity.held =
        agent::rotation::on_enrolled(offer_in(server.post("/enroll", json::serialize(body))));
    return identity;
}

std::string challenge_by_hand(const Rekeyd& server, const std::string& agent_id) {
    const auto answer =
        server.post("/recover/challenge", json::serialize(json::object{{"agent_id", agent_id}}));
    if (answer.status != 200) throw std::runtime_error("no challenge: " + answer.body);
    return std::string(json::parse(answer.body).at("challenge").as_string());
}

json::object recovery_body(const std::string& agent_id, const std::string& challenge,
                           std::uint64_t newest_held, const Ed25519Key& key) {
    const std::string message = protocol::recovery_message(agent_id, challenge, newest_held);
    return {{"agent_id", agent_id},
            {"challenge", challenge},
            {"newest_held", newest_held},
            {"signature", to_base64url(key.sign(message))},
            {"from_the_future", true}};
}

net::HttpResponse recover_by_hand(const Rekeyd& server, const std::string& agent_id,
                                  std::uint64_t newest_held, const Ed25519Key& key,
                                  const std::optional<Secret>& shown) {
    json::object body =
        recovery_body(agent_id, challenge_by_hand(server, agent_id), newest_held, key);
    if (shown) body["token"] = shown->expose();
    return server.post("/recover", json::serialize(body));
}

void take_recovered(ScriptedIdentity& identity, const net::HttpResponse& answer) {
    const auto decision = agent::rotation::on_recovered(identity.held, {}, offer_in(answer));
    const auto* write = std::get_if<agent::rotation::WriteCandidate>(&decision);
    if (write == nullptr) throw std::runtime_error("the agent cannot take this token");
    identity.held = write->next;
}

std::string refusal_name(const net::HttpResponse& answer) {
    return std::string(json::parse(answer.body).at("name").as_string());
}

}  // namespace rekey::testing
