#include "fakes.hpp"

#include "protocol/errors.hpp"

#include <boost/test/unit_test.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

namespace rekey::agent::test {

void FakeTransport::open(Observer& observer, std::function<Secret()> ask) {
    BOOST_REQUIRE(state == State::closed);
    state = State::opening;
    observer_ = &observer;
    ask_ = std::move(ask);
    ++opens;
    sent.clear();
    closed_with = 0;
}

void FakeTransport::send(std::string message) {
    BOOST_REQUIRE(state == State::open);
    sent.push_back(std::move(message));
}

void FakeTransport::close(std::uint16_t code, std::string_view /*reason*/) {
    BOOST_REQUIRE(state == State::open);
    state = State::closing;
    closed_with = code;
}

void FakeTransport::post(std::string target, Secret body,
                         std::function<void(Result<net::HttpResponse>)> answered) {
    BOOST_REQUIRE(state == State::closed);
    BOOST_REQUIRE(!answered_);
    posted_to = std::move(target);
    posted = boost::json::parse(body.expose()).as_object();
    answered_ = std::move(answered);
}

void FakeTransport::answer_post(Result<net::HttpResponse> answer) {
    BOOST_REQUIRE(answered_);
    posted_to.clear();
    std::exchange(answered_, nullptr)(std::move(answer));
}

void FakeTransport::abort() {
    answered_ = nullptr;
    posted_to.clear();
    state = State::closed;
    ++aborts;
}

void FakeTransport::ask_credential() {
    BOOST_REQUIRE(state == State::opening);
    credential = std::string(ask_().expose());
}

void FakeTransport::accept() {
    ask_credential();
    state = State::open;
    observer_->on_open();
}

void FakeTransport::refuse(unsigned status, std::string body, const std::string& retry_after) {
    ask_credential();
    state = State::closed;
    net::HttpResponse answer;
    answer.status = status;
    answer.body = std::move(body);
    if (!retry_after.empty()) answer.headers.add("Retry-After", retry_after);
    observer_->on_refused(answer);
}

void FakeTransport::refuse_as(Code code) {
    refuse(protocol::error_row(code).http, protocol::error_body_text(Error(code)));
}

void FakeTransport::unreachable(const Error& error) {
    BOOST_REQUIRE(state == State::opening);
    state = State::closed;
    observer_->on_unreachable(error);
}

void FakeTransport::receive(const std::string& text) {
    BOOST_REQUIRE(state == State::open || state == State::closing);
    observer_->on_frame();
    observer_->on_text(text);
}

void FakeTransport::end(std::uint16_t code, net::ClosedBy by) {
    BOOST_REQUIRE(state == State::open || state == State::closing);
    state = State::closed;
    observer_->on_closed({code, {}, by, {}});
}

boost::json::object FakeTransport::take() {
    BOOST_REQUIRE(!sent.empty());
    auto message = boost::json::parse(sent.front()).as_object();
    sent.pop_front();
    return message;
}

Result<Secret> FakeDisk::read() {
    if (read_error) return *read_error;
    if (read_lies) return *read_lies;
    if (!content) return Error(Code::not_found, "no file");
    return *content;
}

std::optional<WriteFailure> FakeDisk::write(const Secret& next) {
    if (on_write) on_write();
    ++writes;
    if (fail_writes && fail_writes->stage == WriteStage::before_rename) return fail_writes;
    content = next;
    return fail_writes;
}

Result<> FakeDisk::sync() {
    ++syncs;
    if (sync_error) return *sync_error;
    return {};
}

Result<> FakeDisk::remove() {
    content.reset();
    return {};
}

Result<boost::json::value> Told::on_call(std::string_view method,
                                         const boost::json::value* params) {
    if (method == "echo") return params != nullptr ? *params : boost::json::value(nullptr);
    if (method == "large") return boost::json::value(std::string(70000, 'x').c_str());
    if (method == "broken") return Error(Code::conflict, "as the application says");
    return Error(Code::method_not_found);
}

std::string uuid(unsigned number) {
    std::string digits = std::to_string(number);
    return "00000000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

std::string token_text(std::uint64_t generation) { return "token-" + std::to_string(generation); }

rotation::HeldToken held(std::uint64_t generation, rotation::TokenState state) {
    return {generation, uuid(static_cast<unsigned>(generation)), Secret(token_text(generation)),
            state};
}

AgentState state_with(rotation::HeldTokens tokens) {
    AgentState state;
    state.agent_id = kAgentId;
    state.server = {"rekey.example", 7443, protocol::SystemCa{}};
    state.tokens = std::move(tokens);
    return state;
}

Ed25519Key identity_key() { return Ed25519Key::from_seed(Bytes32{7}); }

Stage::Stage(const rotation::HeldTokens& tokens, AutomaticRotation automatic, std::uint64_t seed)
    : random(seed) {
    log = std::make_unique<Log>(
        LogLevel::debug, LogFormat::logfmt,
        std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(*log_text)));
    disk.content = encode_state(state_with(tokens));
    vault.emplace(TokenVault::open(disk).value());
    connector.emplace(
        Surroundings{time, time, random, *log, transport}, *vault,
        AboutAgent{"0", "host", "os", "boot"}, automatic,
        [this]() -> Result<Ed25519Key> {
            if (no_identity) return *no_identity;
            return identity_key();
        },
        told);
    connector->start();
}

void Stage::welcome(std::uint64_t generation, const std::string& agent_id) {
    const boost::json::object params{
        {"agent_id", agent_id},
        {"name", "alpha"},
        {"generation", generation},
        {"rotation_id", uuid(static_cast<unsigned>(generation))},
        {"server_time", "2030-01-01T00:00:00Z"},
        {"heartbeat_seconds", 30},
        {"settings", boost::json::object{}},
    };
    transport.receive(boost::json::serialize(
        boost::json::object{{"jsonrpc", "2.0"}, {"method", "agent.welcome"}, {"params", params}}));
}

void Stage::establish(std::uint64_t generation) {
    transport.accept();
    welcome(generation);
    const auto hello = expect("agent.hello");
    answer(hello, boost::json::object{{"status", "ok"}});
}

boost::json::object Stage::ask(const std::string& method, const boost::json::object& params) {
    const int id = ++last_id;
    transport.receive(boost::json::serialize(boost::json::object{
        {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}}));
    if (transport.nothing_sent()) return {};
    auto reply = transport.take();
    BOOST_TEST(reply.at("id").as_int64() == id);
    return reply;
}

boost::json::object Stage::offer(std::uint64_t generation) {
    return ask("agent.rotate", {{"rotation_id", uuid(static_cast<unsigned>(generation))},
                                {"generation", generation},
                                {"token", token_text(generation)},
                                {"expires_at", "2030-01-08T00:00:00Z"},
                                {"grace_period_seconds", 300}});
}

boost::json::object Stage::commit(std::uint64_t generation) {
    return ask("agent.commit", {{"rotation_id", uuid(static_cast<unsigned>(generation))},
                                {"generation", generation}});
}

void Stage::answer(const boost::json::object& request, const boost::json::value& result) {
    transport.receive(boost::json::serialize(
        boost::json::object{{"jsonrpc", "2.0"}, {"id", request.at("id")}, {"result", result}}));
}

void Stage::answer_error(const boost::json::object& request, const Error& error) {
    transport.receive(boost::json::serialize(boost::json::object{
        {"jsonrpc", "2.0"}, {"id", request.at("id")}, {"error", protocol::json_rpc_error(error)}}));
}

boost::json::object Stage::expect(const std::string& method) {
    auto message = transport.take();
    BOOST_REQUIRE(message.contains("method"));
    BOOST_TEST(message.at("method").as_string() == method);
    return message;
}

namespace {

std::string describe(const rotation::HeldTokens& tokens) {
    std::string text;
    for (const auto& token : tokens) {
        if (!text.empty()) text += ", ";
        text += std::to_string(token.generation) +
                (token.state == kCandidate ? " candidate" : " confirmed");
    }
    return text;
}

}  // namespace

std::string Stage::on_disk() const { return describe(decode_state(*disk.content)->tokens); }
std::string Stage::in_memory() const { return describe(vault->held()); }
bool Stage::logged(const std::string& text) const {
    return log_text->str().find(text) != std::string::npos;
}

}  // namespace rekey::agent::test
