#pragma once

#include "agent/connector.hpp"
#include "agent/disk.hpp"
#include "agent/observer.hpp"
#include "agent/token_vault.hpp"
#include "agent/transport.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "tests/support/virtual_time.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

// What the agent's logic runs on in these tests: virtual time, a network and a disk that do as
// told.
namespace rekey::agent::test {

using rekey::testing::VirtualTime;

class FakeTransport final : public Transport {
  public:
    enum class State { closed, opening, open, closing };

    void open(Observer& observer, std::function<Secret()> credential) override;
    void send(std::string message) override;
    void close(std::uint16_t code, std::string_view reason) override;
    void post(std::string target, Secret body,
              std::function<void(Result<net::HttpResponse>)> answered) override;
    void abort() override;

    // What the other side does.
    void answer_post(Result<net::HttpResponse> answer);
    void accept();
    void refuse(unsigned status, std::string body, const std::string& retry_after = {});
    void refuse_as(Code code);
    void unreachable(const Error& error);
    void receive(const std::string& text);
    void end(std::uint16_t code, net::ClosedBy by = net::ClosedBy::peer);

    // The oldest message that the agent sent and nobody looked at; fails the test if there is none.
    boost::json::object take();
    [[nodiscard]] bool nothing_sent() const { return sent.empty(); }

    State state = State::closed;
    unsigned opens = 0;
    unsigned aborts = 0;
    std::string credential;  // that of the latest attempt
    std::string posted_to;   // target and body of the POST under way; empty if none
    boost::json::object posted;
    std::uint16_t closed_with = 0;
    std::deque<std::string> sent;

  private:
    void ask_credential();
    Observer* observer_ = nullptr;
    std::function<Secret()> ask_;
    std::function<void(Result<net::HttpResponse>)> answered_;
};

class FakeDisk final : public Disk {
  public:
    [[nodiscard]] std::string name() const override { return "fake"; }
    [[nodiscard]] Result<Secret> read() override;
    [[nodiscard]] std::optional<WriteFailure> write(const Secret& content) override;
    [[nodiscard]] Result<> sync() override;
    [[nodiscard]] Result<> remove() override;

    std::optional<Error> sync_error;
    unsigned syncs = 0;
    std::optional<Secret> content;
    std::optional<Error> read_error;
    std::optional<WriteFailure> fail_writes;  // every write, until reset
    std::optional<Secret> read_lies;          // what read() says instead
    unsigned writes = 0;
    std::function<void()> on_write;  // at each write, before anything
};

struct Told final : AgentObserver {
    void on_rotated(const Rotated& value) override { rotated.push_back(value); }
    void on_offer_waits(const Rotated& value, Time /*expires_at*/) override {
        waiting.push_back(value);
    }
    void on_log_level(LogLevel value) override { level = value; }
    void on_ended(EndReason value) override { ended = value; }
    [[nodiscard]] std::vector<std::string> methods() override { return {"echo"}; }
    [[nodiscard]] Result<boost::json::value> on_call(std::string_view method,
                                                     const boost::json::value* params) override;

    std::vector<Rotated> rotated;
    std::vector<Rotated> waiting;
    std::optional<LogLevel> level;
    std::optional<EndReason> ended;
};

// "00000000-0000-7000-8000-000000000007"
std::string uuid(unsigned number);
inline const std::string kAgentId = uuid(99);
std::string token_text(std::uint64_t generation);
rotation::HeldToken held(std::uint64_t generation, rotation::TokenState state);
AgentState state_with(rotation::HeldTokens tokens);
inline constexpr auto kCandidate = rotation::TokenState::candidate;
inline constexpr auto kConfirmed = rotation::TokenState::confirmed;

// Its identity key is always the same.
Ed25519Key identity_key();

// An agent and all that it runs on. Token n has generation n and rotation_id uuid(n).
struct Stage {
    explicit Stage(const rotation::HeldTokens& tokens = {held(1, kConfirmed)},
                   AutomaticRotation automatic = AutomaticRotation::on, std::uint64_t seed = 1);

    // From an attempt under way to an established session.
    void establish(std::uint64_t generation = 1);
    void welcome(std::uint64_t generation = 1, const std::string& agent_id = kAgentId);
    // Sends a request and returns the agent's answer.
    boost::json::object ask(const std::string& method, const boost::json::object& params);
    boost::json::object offer(std::uint64_t generation);
    boost::json::object commit(std::uint64_t generation);
    // Answers the agent's request `request`.
    void answer(const boost::json::object& request, const boost::json::value& result);
    void answer_error(const boost::json::object& request, const Error& error);
    // The next request of the agent, whose method must be this.
    boost::json::object expect(const std::string& method);

    // Generations and states as they are on the disk: "1 confirmed, 2 candidate".
    [[nodiscard]] std::string on_disk() const;
    [[nodiscard]] std::string in_memory() const;
    [[nodiscard]] bool logged(const std::string& text) const;

    VirtualTime time;
    SeededRandom random;
    FakeTransport transport;
    FakeDisk disk;
    std::optional<Error> no_identity;  // instead of the identity key
    Told told;
    std::shared_ptr<std::ostringstream> log_text = std::make_shared<std::ostringstream>();
    std::unique_ptr<Log> log;
    std::optional<TokenVault> vault;
    std::optional<Connector> connector;
    int last_id = 0;
};

}  // namespace rekey::agent::test

BOOST_TEST_DONT_PRINT_LOG_VALUE(rekey::agent::test::FakeTransport::State)
BOOST_TEST_DONT_PRINT_LOG_VALUE(rekey::Milliseconds)
BOOST_TEST_DONT_PRINT_LOG_VALUE(std::chrono::seconds)
BOOST_TEST_DONT_PRINT_LOG_VALUE(std::chrono::minutes)
BOOST_TEST_DONT_PRINT_LOG_VALUE(std::chrono::hours)
