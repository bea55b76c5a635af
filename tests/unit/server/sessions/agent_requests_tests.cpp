#include "server/sessions/agent_requests.hpp"
#include "tests/unit/server/support/fake_wire.hpp"

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::testing;

namespace {

struct Word {
    std::string word;
    static constexpr auto fields() {
        return std::tuple{protocol::field("word", &Word::word, "Any.", {.max_bytes = 8})};
    }
};

struct AgentEcho {
    static constexpr std::string_view name = "agent.echo";
    static constexpr std::string_view summary = "Answers at once.";
    static constexpr protocol::Access access{.caller = protocol::Caller::agent};
    using Params = Word;
    using Result = Word;
};

struct AgentNote : AgentEcho {
    static constexpr std::string_view name = "agent.note";
};

struct Fixture : SessionWorld {
    Fixture() {
        requests.bind<AgentEcho>(
            [this](const sessions::AgentCaller& caller, Word params) -> Result<Word> {
                callers.push_back(caller);
                if (params.word == "bad") return Error(Code::conflict, "not this one");
                return params;
            });
        requests.bind<AgentNote>([this](sessions::AgentCaller caller,
                                        Word params) -> rpc::Task<Result<Word>> {
            auto unit = [caller, params, this](storage::Transaction& transaction) -> Result<Word> {
                REKEY_TRY_ASSIGN(row, sessions::require_still(transaction, caller));
                transaction.audit().append(
                    sessions::audit_event(caller, "note", row.name, clock.now()));
                return params;
            };
            co_return co_await rpc::write_to<Word>(store, std::move(unit));
        });
        peer = connect(token);
    }
    void asks(int id, std::string_view method, std::string_view word = "hi") {
        peer->says(boost::json::serialize(boost::json::object{
            {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", {{"word", word}}}}));
    }
    std::int64_t error_of(int id) {
        settle();
        const auto* answer = peer->answer(id);
        BOOST_REQUIRE(answer);
        const auto* error = answer->as_object().if_contains("error");
        return error ? error->at("code").as_int64() : 0;
    }

    const Secret token = enrolled_agent("a");
    std::vector<sessions::AgentCaller> callers;
    std::shared_ptr<Peer> peer;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(agent_requests_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_handler_hears_who_asks_and_its_answer_is_sent) {
    asks(3, AgentEcho::name);
    BOOST_REQUIRE(peer->answer(3));
    BOOST_TEST(peer->answer(3)->at("result").at("word").as_string() == "hi");
    BOOST_TEST(callers.at(0).agent_id == "a");
    BOOST_TEST(callers.at(0).address == "127.0.0.1");
    BOOST_TEST(callers.at(0).epoch == row("a").credentials.epoch);
}

BOOST_AUTO_TEST_CASE(what_a_handler_refuses_and_what_cannot_be_read_are_errors) {
    asks(3, AgentEcho::name, "bad");
    BOOST_TEST(error_of(3) == -32011);
    asks(4, AgentEcho::name, "much too long");
    BOOST_TEST(error_of(4) == -32602);
    asks(5, "agent.unheard_of");
    BOOST_TEST(error_of(5) == -32601);
    BOOST_TEST(callers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(one_that_waits_for_the_store_answers_after_its_commit) {
    asks(3, AgentNote::name);
    BOOST_TEST(!peer->answer(3));
    BOOST_TEST(error_of(3) == 0);
    BOOST_TEST(audited("note") == 1U);
    BOOST_TEST(database->audit.back().event.actor == "a");
    BOOST_TEST(database->audit.back().event.details.at("address").as_string() == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_notification_is_worked_on_and_not_answered) {
    const auto before = peer->received.size();
    peer->says(R"({"jsonrpc":"2.0","method":"agent.note","params":{"word":"hi"}})");
    peer->says(R"({"jsonrpc":"2.0","method":"agent.echo","params":{"word":"bad"}})");
    settle();
    BOOST_TEST(audited("note") == 1U);
    BOOST_TEST(peer->received.size() == before);
}

// The row decides, not the session: closing a socket takes its time.
BOOST_AUTO_TEST_CASE(a_row_that_changed_since_the_session_was_let_in_is_refused) {
    change_row("a", [](auto& one) { one.status = storage::AgentStatus::suspended; });
    asks(3, AgentNote::name);
    BOOST_TEST(error_of(3) == -32003);
    change_row("a", [](auto& one) { one.status = storage::AgentStatus::revoked; });
    asks(4, AgentNote::name);
    BOOST_TEST(error_of(4) == -32004);
    change_row("a", [](auto& one) {
        one.status = storage::AgentStatus::active;
        ++one.epoch;
    });
    asks(5, AgentNote::name);
    BOOST_TEST(error_of(5) == -32001);
    database->agents.erase("a");
    asks(6, AgentNote::name);
    BOOST_TEST(error_of(6) == -32001);
    BOOST_TEST(audited("note") == 0U);
}

BOOST_AUTO_TEST_CASE(only_so_many_wait_at_once_and_each_makes_room_again) {
    const int most = static_cast<int>(limits::kAgentRequestsInFlight);
    for (int round = 0; round < 2; ++round) {
        const int first = 100 * (round + 1);
        for (int i = 0; i <= most; ++i) asks(first + i, AgentNote::name);
        BOOST_TEST(error_of(first + most) == -32041);
        for (int i = 0; i < most; ++i) BOOST_TEST(error_of(first + i) == 0);
    }
}

BOOST_AUTO_TEST_CASE(they_count_against_the_minute) {
    change_settings([](SettingValues& values) { values.rate_limit_api_per_minute = 2; });
    for (int id = 3; id <= 5; ++id) asks(id, AgentEcho::name);
    BOOST_TEST(error_of(4) == 0);
    BOOST_TEST(error_of(5) == -32020);
}

BOOST_AUTO_TEST_CASE(an_answer_finds_no_session_any_more) {
    asks(3, AgentNote::name);
    peer->observer->on_frame();
    peer->ends();
    settle();
    BOOST_TEST(audited("note") == 1U);
    BOOST_TEST(!peer->answer(3));
}

BOOST_AUTO_TEST_CASE(a_declared_method_that_nobody_handles_stops_the_start) {
    const sessions::AgentRequests nobody;
    BOOST_CHECK_EXCEPTION(nobody.require_complete(), StartupError, [](const StartupError& error) {
        const std::string_view what = error.what();
        return what.find("agent.register_mcp_server") != what.npos &&
               what.find("agent.hello") == what.npos && what.find("agents.") == what.npos;
    });
}

// What the registry believes the session to answer, the session answers.
BOOST_AUTO_TEST_CASE(the_sessions_own_methods_are_known_to_it) {
    int id = 30;
    for (const std::string_view method :
         {"agent.hello", "agent.heartbeat", "agent.rotation_complete", "agent.rotation_failed",
          "agent.key_status", "agent.rotate_key", "agent.shutdown"}) {
        asks(++id, method);
        BOOST_TEST(error_of(id) != -32601, method);
    }
}

BOOST_AUTO_TEST_SUITE_END()
