#include "tests/support/scripted_agent.hpp"

#include "base/ed25519.hpp"
#include "base/encoding.hpp"
#include "net/http_client.hpp"
#include "protocol/proof.hpp"
#include "protocol/token.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <variant>

namespace rekey::testing {

namespace json = boost::json;
namespace rotation = agent::rotation;

namespace {

std::string text_of(const json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

template <class T>
T take_or(std::deque<T>& queue, T otherwise) {
    if (queue.empty()) return otherwise;
    const T next = queue.front();
    queue.pop_front();
    return next;
}

json::object failed(const rotation::Offer& offer, std::string_view reason) {
    return {{"status", "rotation_failed"},
            {"rotation_id", offer.rotation_id},
            {"generation", offer.generation},
            {"reason", reason},
            {"detail", "as the script says"}};
}

}  // namespace

ScriptedAgent::ScriptedAgent(boost::asio::io_context& context, ScriptedIdentity identity,
                             Script script)
    : context_(context), identity_(std::move(identity)), script_(std::move(script)) {}

ScriptedAgent::~ScriptedAgent() = default;

void ScriptedAgent::changed() {
    if (on_change) on_change();
}

void ScriptedAgent::connect() {
    const rotation::HeldToken* token = rotation::next_credential(identity_.held, refused_);
    if (token == nullptr) throw std::logic_error("every token was refused");
    connecting_rotation_id_ = token->rotation_id;
    connect_with(token->token);
}

void ScriptedAgent::connect_with(const Secret& token) {
    net::ConnectOptions options;
    options.host = identity_.host;
    options.port = identity_.port;
    options.subprotocol = "rekey.agent.v1";
    options.tls = identity_.tls;
    options.authorization = [token] { return Secret("Bearer " + std::string(token.expose())); };
    socket_.reset();
    welcomed_ = false;
    ++seen_.connects;
    attempt_ = net::connect_web_socket(
        context_, std::move(options),
        [this](net::ConnectOutcome outcome) { opened(std::move(outcome)); });
}

void ScriptedAgent::opened(net::ConnectOutcome outcome) {
    attempt_.reset();
    if (auto* socket = std::get_if<net::WebSocket>(&outcome)) {
        seen_.refusal.clear();
        refused_.clear();
        socket_ = std::move(*socket);
        socket_->start(*this);
    } else if (auto* refused = std::get_if<net::UpgradeRefused>(&outcome)) {
        seen_.refusal = refused->response.headers.get("Rekey-Error");
        if (seen_.refusal == "unknown_credential") {
            refused_.push_back(connecting_rotation_id_);
            if (auto next =
                    rotation::on_unknown_credential(identity_.held, connecting_rotation_id_))
                store(std::move(*next));
        }
    } else {
        seen_.refusal = "network: " + std::get<Error>(outcome).message();
    }
    changed();
}

void ScriptedAgent::disconnect(std::uint16_t code) {
    if (socket_) socket_->close(code);
}

void ScriptedAgent::cut() {
    attempt_.reset();
    socket_.reset();
    welcomed_ = false;
}

void ScriptedAgent::send_text(std::string text) {
    if (socket_) socket_->send(std::move(text));
}

void ScriptedAgent::request(std::string_view method, std::string_view params_json) {
    std::string text = R"({"jsonrpc":"2.0","id":)" + std::to_string(next_id_++) + R"(,"method":")";
    text.append(method).append(R"(","params":)").append(params_json).append("}");
    send_text(std::move(text));
}

void ScriptedAgent::heartbeat() {
    request("agent.heartbeat", R"({"status":"ok","uptime_seconds":1,"generation":)" +
                                   std::to_string(std::max<std::uint64_t>(1, newest_generation())) +
                                   "}");
}

std::uint64_t ScriptedAgent::newest_generation() const {
    return identity_.held.empty() ? 0 : identity_.held.back().generation;
}

bool ScriptedAgent::settled() const {
    return connected() && !identity_.held.empty() &&
           identity_.held.back().state == rotation::TokenState::confirmed;
}

void ScriptedAgent::store(rotation::HeldTokens next) {
    identity_.held = std::move(next);
    if (persist) persist(identity_.held);
}

void ScriptedAgent::on_text(std::string_view message) {
    const json::value document = json::parse(message);
    const json::object& envelope = document.as_object();
    const json::value* method = envelope.if_contains("method");
    if (method == nullptr) {
        seen_.answers.push_back(envelope);
    } else {
        const json::value* id = envelope.if_contains("id");
        const json::value* params = envelope.if_contains("params");
        serve(std::string(method->as_string()),
              params == nullptr ? json::object{} : params->as_object(),
              id == nullptr ? std::string{} : json::serialize(*id));
    }
    changed();
}

void ScriptedAgent::on_closed(const net::CloseReason& reason) {
    seen_.close_code = reason.code;
    socket_.reset();
    welcomed_ = false;
    changed();
}

void ScriptedAgent::serve(std::string_view method, const json::object& params,
                          const std::string& id) {
    if (method == "agent.welcome") return on_welcome(params);
    if (method == "agent.rotate") return on_offer(params, id);
    if (method == "agent.commit") return on_commit(params, id);
    if (method == "agent.reconnect") {
        ++seen_.reconnect_hints;
        return reply(id, R"({"status":"ok"})");
    }
    if (method == "agent.configure") return reply(id, R"({"status":"applied"})");
    if (method != "agent.ping" || !script_.answer_pings) return;
    json::object result{{"status", "ok"}, {"uptime_seconds", 1}};
    if (const json::value* nonce = params.if_contains("nonce"); nonce != nullptr)
        result["nonce"] = *nonce;
    reply(id, json::serialize(result));
}

void ScriptedAgent::reply(const std::string& id, std::string_view result_json) {
    std::string text = R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)";
    text.append(result_json).append("}");
    send_text(std::move(text));
}

void ScriptedAgent::on_welcome(const json::object& params) {
    ++seen_.welcomes;
    seen_.generation = params.at("generation").to_number<std::uint64_t>();
    if (auto next =
            rotation::on_welcome(identity_.held, seen_.generation, text_of(params, "rotation_id")))
        store(std::move(*next));
    welcomed_ = true;
    if (!script_.send_hello) return;
    json::array held;
    for (const rotation::HeldToken& token : identity_.held)
        held.push_back({{"generation", token.generation},
                        {"rotation_id", token.rotation_id},
                        {"state", token.state == rotation::TokenState::confirmed ? "confirmed"
                                                                                 : "candidate"}});
    const json::object hello{{"version", "1"},      {"hostname", "scripted"},
                             {"os", "none"},        {"boot_id", "b"},
                             {"tokens_held", held}, {"methods", json::array{}}};
    request("agent.hello", json::serialize(hello));
}

const rotation::HeldToken* ScriptedAgent::save(const rotation::Offer& offer) {
    rotation::OfferDecision decision = rotation::on_offer(identity_.held, offer);
    if (auto* write = std::get_if<rotation::WriteCandidate>(&decision))
        store(std::move(write->next));
    const auto found = std::find_if(
        identity_.held.begin(), identity_.held.end(),
        [&](const rotation::HeldToken& token) { return token.rotation_id == offer.rotation_id; });
    return found == identity_.held.end() ? nullptr : &*found;
}

std::string ScriptedAgent::complete_json(const rotation::HeldToken& token) const {
    return json::serialize(
        json::object{{"status", "rotation_complete"},
                     {"rotation_id", token.rotation_id},
                     {"generation", token.generation},
                     {"proof", protocol::rotation_proof(token.token, identity_.agent_id,
                                                        token.rotation_id, token.generation)}});
}

std::string ScriptedAgent::claim_json(const rotation::HeldToken& token) const {
    json::value claim = json::parse(complete_json(token));
    claim.as_object().erase("status");
    return json::serialize(claim);
}

// What a script answers without saving anything; false if it saves.
bool ScriptedAgent::answer_unsaved(OnOffer act, const rotation::Offer& offer,
                                   const std::string& id) {
    json::object wrong{{"status", "rotation_complete"},
                       {"rotation_id", offer.rotation_id},
                       {"generation", offer.generation},
                       {"proof", std::string(64, '0')}};
    json::object stale = failed(offer, "stale_generation");
    stale["newest_held"] = script_.newest_held.value_or(offer.generation);
    switch (act) {
        case OnOffer::never_answer:
            return true;
        case OnOffer::garbage:
            send_text("this is no JSON {");
            return true;
        case OnOffer::error_object:
            send_text(R"({"jsonrpc":"2.0","id":)" + id +
                      R"(,"error":{"code":-32603,"message":"no"}})");
            return true;
        case OnOffer::wrong_shape:
            reply(id, R"("rotation_complete")");
            return true;
        case OnOffer::error_inside_result:
            reply(id, R"({"status":"rotation_complete","error":"disk full"})");
            return true;
        case OnOffer::fail_disk_full:
            reply(id, json::serialize(failed(offer, "disk_full")));
            return true;
        case OnOffer::fail_stale:
            reply(id, json::serialize(stale));
            return true;
        case OnOffer::disconnect_before_save:
            cut();
            return true;
        case OnOffer::wrong_generation:
            wrong["generation"] = offer.generation + 1;
            break;
        case OnOffer::wrong_rotation_id:
            wrong["rotation_id"] = "00000000-0000-7000-8000-000000000000";
            break;
        case OnOffer::wrong_proof:
            break;
        default:
            return false;
    }
    reply(id, json::serialize(wrong));
    return true;
}

void ScriptedAgent::on_offer(const json::object& params, const std::string& id) {
    ++seen_.offers;
    const rotation::Offer offer{text_of(params, "rotation_id"),
                                params.at("generation").to_number<std::uint64_t>(),
                                Secret(text_of(params, "token"))};
    seen_.offered_tokens.push_back(text_of(params, "token"));
    const OnOffer act = take_or(script_.offers, OnOffer::save_and_complete);
    if (answer_unsaved(act, offer, id)) return;
    const rotation::HeldToken* token = save(offer);
    if (token == nullptr) return reply(id, json::serialize(failed(offer, "candidate_unresolved")));
    const std::string result = complete_json(*token);
    switch (act) {
        case OnOffer::save_never_answer:
            return;
        case OnOffer::disconnect_after_save:
            return cut();
        case OnOffer::answer_when_told:
            held_replies_.push_back(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" + result +
                                    "}");
            return;
        case OnOffer::complete_by_request:
            return request("agent.rotation_complete", claim_json(*token));
        case OnOffer::complete_twice:
            reply(id, result);
            return request("agent.rotation_complete", claim_json(*token));
        default:
            return reply(id, result);
    }
}

void ScriptedAgent::on_commit(const json::object& params, const std::string& id) {
    ++seen_.commits;
    switch (take_or(script_.commits, OnCommit::confirm_and_answer)) {
        case OnCommit::never_answer:
            return;
        case OnCommit::disconnect:
            return cut();
        case OnCommit::error_object:
            return send_text(R"({"jsonrpc":"2.0","id":)" + id +
                             R"(,"error":{"code":-32603,"message":"no"}})");
        case OnCommit::confirm_and_answer:
            break;
    }
    const std::string rotation_id = text_of(params, "rotation_id");
    const auto generation = params.at("generation").to_number<std::uint64_t>();
    rotation::CommitDecision decision =
        rotation::on_commit(identity_.held, generation, rotation_id);
    if (std::holds_alternative<rotation::NotHeld>(decision))
        return send_text(R"({"jsonrpc":"2.0","id":)" + id +
                         R"(,"error":{"code":-32013,"message":"not held"}})");
    if (auto* confirm = std::get_if<rotation::ConfirmThenAnswer>(&decision))
        store(std::move(confirm->next));
    reply(id,
          json::serialize(json::object{
              {"status", "activated"}, {"rotation_id", rotation_id}, {"generation", generation}}));
}

void ScriptedAgent::send_held_replies() {
    for (std::string& text : std::exchange(held_replies_, {})) send_text(std::move(text));
}

ScriptedIdentity enroll_scripted(const std::string& host, std::uint16_t port,
                                 std::shared_ptr<net::ClientTls> tls, const std::string& code,
                                 Random& random) {
    Bytes32 seed{};
    random.fill(seed);
    const Ed25519Key key = Ed25519Key::from_seed(seed);
    const std::string public_key = to_base64url(key.public_key());
    const auto parsed = protocol::parse_token(code);
    if (!parsed) throw std::runtime_error("not an enrollment code");
    const Ed25519Signature signature =
        key.sign(protocol::enrollment_message(parsed->id, public_key));
    net::HttpClientOptions options;
    options.host = host;
    options.port = port;
    options.tls = tls;
    net::BlockingHttpClient client(options);
    net::HttpCall call;
    call.method = "POST";
    call.target = "/enroll";
    call.body = Secret(json::serialize(json::object{{"code", code},
                                                    {"public_key", public_key},
                                                    {"signature", to_base64url(signature)},
                                                    {"hostname", "scripted"},
                                                    {"version", "1"}}));
    const net::HttpResponse response = client.send(call).value();
    if (response.status != 200) throw std::runtime_error("enrollment refused: " + response.body);
    const json::value answer = json::parse(response.body);
    const json::object& reply = answer.as_object();
    ScriptedIdentity identity{host, port, std::move(tls), text_of(reply, "agent_id"), {}};
    identity.held = rotation::on_enrolled({text_of(reply, "rotation_id"),
                                           reply.at("generation").to_number<std::uint64_t>(),
                                           Secret(text_of(reply, "token"))});
    return identity;
}

}  // namespace rekey::testing
