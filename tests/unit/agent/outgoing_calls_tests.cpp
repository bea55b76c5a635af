#include "agent/outgoing_calls.hpp"
#include "fakes.hpp"
#include "protocol/methods/agent_requests.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;
using namespace std::chrono_literals;

namespace {

struct Fixture {
    VirtualTime time;
    std::vector<std::string> sent;
    OutgoingCalls calls{time, [this](std::string text) { sent.push_back(std::move(text)); }};
    std::vector<Result<boost::json::value>> answers;

    void call() {
        calls.call<protocol::AgentKeyStatus>(
            {}, 10s, [this](const auto& answer) { answers.push_back(answer); });
    }
    void receive(const std::string& text) {
        const auto document = boost::json::parse(text);
        const auto message = protocol::read_message(document);
        calls.on_response(std::get<protocol::Response>(message));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(outgoing_calls_tests, Fixture)

BOOST_AUTO_TEST_CASE(an_answer_finds_its_own_call_in_any_order) {
    call();
    call();
    receive(R"({"jsonrpc":"2.0","id":2,"result":"second"})");
    receive(R"({"jsonrpc":"2.0","id":1,"result":"first"})");
    BOOST_REQUIRE(answers.size() == 2U);
    BOOST_TEST(answers[0].value().as_string() == "second");
    BOOST_TEST(answers[1].value().as_string() == "first");
    BOOST_TEST(calls.waiting() == 0U);
    BOOST_TEST(!time.next_in().has_value());
}

BOOST_AUTO_TEST_CASE(silence_late_answers_and_duplicates) {
    call();
    time.run_for(10s);
    BOOST_REQUIRE(answers.size() == 1U);
    BOOST_TEST((answers[0].error().code() == Code::agent_timeout));
    receive(R"({"jsonrpc":"2.0","id":1,"result":"late"})");
    BOOST_TEST(answers.size() == 1U);
    call();
    receive(R"({"jsonrpc":"2.0","id":2,"result":1})");
    receive(R"({"jsonrpc":"2.0","id":2,"result":2})");
    receive(R"({"jsonrpc":"2.0","id":77,"result":2})");
    BOOST_TEST(answers.size() == 2U);
}

BOOST_AUTO_TEST_CASE(errors_are_told_as_errors) {
    call();
    receive(
        R"({"jsonrpc":"2.0","id":1,"error":{"code":-32013,"message":"m","data":{"name":"wrong_state","message":"m","retry":"later"}}})");
    BOOST_REQUIRE(answers.size() == 1U);
    BOOST_TEST((answers[0].error().code() == Code::wrong_state));
}

BOOST_AUTO_TEST_CASE(the_number_of_waiting_calls_is_bounded) {
    for (std::size_t i = 0; i < limits::kPendingCallsASession + 3; ++i) call();
    BOOST_TEST(calls.waiting() == limits::kPendingCallsASession);
    BOOST_TEST(answers.size() == 3U);
    BOOST_TEST((answers[0].error().code() == Code::overloaded));
}

BOOST_AUTO_TEST_CASE(nothing_comes_after_drop_all) {
    call();
    calls.drop_all();
    time.run_for(1h);
    BOOST_TEST(answers.empty());
}

BOOST_AUTO_TEST_CASE(a_callback_may_call_again_or_drop_all) {
    calls.call<protocol::AgentKeyStatus>({}, 10s, [this](const auto&) {
        calls.drop_all();
        call();
    });
    call();
    receive(R"({"jsonrpc":"2.0","id":1,"result":1})");
    BOOST_TEST(calls.waiting() == 1U);
    receive(R"({"jsonrpc":"2.0","id":3,"result":1})");
    BOOST_TEST(answers.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
