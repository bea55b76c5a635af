#include "base/limits.hpp"
#include "protocol/errors.hpp"
#include "server/sessions/call_table.hpp"
#include "tests/unit/server/support/world.hpp"

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::sessions;
using namespace std::chrono_literals;

namespace {

struct Fixture {
    testing::ManualClock clock;
    net::TimingWheel wheel{clock.steady_now(), limits::kShardTick};
    CallTable table;
    std::vector<std::string> heard;

    CallTable::Answer hear(const std::string& name) {
        return [this, name](const Result<boost::json::value>& answer) {
            heard.push_back(name + (answer.has_error() ? ":" + answer.error().message()
                                                       : "=" + boost::json::serialize(*answer)));
        };
    }
    std::int64_t call(const std::string& name, Milliseconds timeout = 30s) {
        return table.add(wheel, clock.steady_now(), timeout, hear(name), hear(name + "-late"));
    }
    bool respond(std::int64_t id, const boost::json::value& result) {
        protocol::Response response;
        response.id = id;
        response.result = &result;
        return table.on_response(response);
    }
    void pass(Milliseconds time) {
        clock.advance(time);
        wheel.advance(clock.steady_now());
    }
    void check(std::vector<std::string> expected) {
        BOOST_TEST(heard == expected, boost::test_tools::per_element());
        heard.clear();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(call_table_tests, Fixture)

BOOST_AUTO_TEST_CASE(answers_meet_their_calls_in_any_order) {
    const auto first = call("first");
    const auto second = call("second");
    BOOST_TEST(respond(second, 2));
    BOOST_TEST(respond(first, 1));
    check({"second=2", "first=1"});
    BOOST_TEST(table.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_second_answer_meets_nothing) {
    const auto id = call("a");
    BOOST_TEST(respond(id, 1));
    BOOST_TEST(!respond(id, 2));
    BOOST_TEST(!respond(id + 1, 2));
    check({"a=1"});
}

BOOST_AUTO_TEST_CASE(after_the_time_out_the_answer_is_late_and_only_once) {
    const auto id = call("a", 1s);
    pass(999ms);
    check({});
    pass(500ms);
    check({"a:the agent did not answer in time"});
    BOOST_TEST(respond(id, 1));
    BOOST_TEST(!respond(id, 1));
    check({"a-late=1"});
}

BOOST_AUTO_TEST_CASE(a_peer_that_calls_itself_offline_or_late_has_answered) {
    for (const Code claimed : {Code::agent_offline, Code::agent_timeout, Code::overloaded}) {
        std::optional<Code> told;
        const auto id = table.add(
            wheel, clock.steady_now(), 30s,
            [&](const Result<boost::json::value>& answer) { told = answer.error().code(); }, {});
        const boost::json::value error = protocol::json_rpc_error(Error(claimed, "so it says"));
        protocol::Response response;
        response.id = id;
        response.error = &error;
        BOOST_TEST(table.on_response(response));
        BOOST_REQUIRE(told.has_value());
        BOOST_CHECK(*told == Code::internal);
    }
}

BOOST_AUTO_TEST_CASE(an_error_object_is_an_error) {
    const auto id = call("a");
    const auto error = testing::parse(R"({"code":-32601,"message":"no such method"})");
    protocol::Response response;
    response.id = id;
    response.error = &error;
    BOOST_TEST(table.on_response(response));
    check({"a:no such method"});
}

// Whoever called a method of the agent's own gets the agent's own words; what is no error object
// for anybody is not passed on.
BOOST_AUTO_TEST_CASE(a_peers_error_object_comes_along) {
    std::optional<Error> told;
    const auto answered = [&](const char* text) {
        const auto id =
            table.add(wheel, clock.steady_now(), Milliseconds{1000},
                      [&](const Result<boost::json::value>& answer) { told = answer.error(); }, {});
        const auto error = testing::parse(text);
        protocol::Response response;
        response.id = id;
        response.error = &error;
        BOOST_TEST(table.on_response(response));
        return told->verbatim();
    };
    const auto* own = answered(R"({"code":4711,"message":"no","data":{"why":"full"}})");
    BOOST_TEST_REQUIRE(own != nullptr);
    BOOST_TEST(boost::json::serialize(*own) ==
               R"({"code":4711,"message":"no","data":{"why":"full"}})");
    for (const char* odd : {"{}", R"({"code":"x","message":"no"})", R"({"code":1,"message":2})"})
        BOOST_TEST(answered(odd) == nullptr, odd);
}

BOOST_AUTO_TEST_CASE(neither_result_nor_error_is_null) {
    const auto id = call("a");
    protocol::Response response;
    response.id = id;
    BOOST_TEST(table.on_response(response));
    check({"a=null"});
}

BOOST_AUTO_TEST_CASE(the_end_is_heard_by_those_who_wait_and_nobody_else) {
    call("late", 1s);
    pass(2s);
    call("waiting");
    heard.clear();
    table.end();
    check({"waiting:the agent's session ended"});
    pass(60s);
    check({});
}

BOOST_AUTO_TEST_CASE(both_numbers_are_bounded) {
    for (std::size_t count = 0; count < limits::kPendingCallsASession; ++count) call("x", 1s);
    BOOST_TEST(table.full());
    pass(2s);
    BOOST_TEST(heard.size() == limits::kPendingCallsASession);
    BOOST_TEST(table.size() == limits::kLateCallsASession);
    BOOST_TEST(!table.full());
}

BOOST_AUTO_TEST_CASE(an_answer_may_make_the_next_call) {
    const auto id = table.add(wheel, clock.steady_now(), 30s,
                              [&](const Result<boost::json::value>&) { call("next"); }, {});
    BOOST_TEST(respond(id, 1));
    BOOST_TEST(table.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
