#include "protocol/methods/agents.hpp"
#include "server/rpc/dispatcher.hpp"
#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

const boost::json::object kBadParams{{"nonsense", 1}};

// A method for whoever holds an API key and speaks of itself.
struct SelfGreet {
    static constexpr std::string_view name = "self.greet";
    static constexpr std::string_view summary = "Greets.";
    static constexpr protocol::Access access{.caller = protocol::Caller::self};
    using Params = protocol::AgentIdParams;
    using Result = protocol::Nothing;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(dispatcher_tests, DoorWorld)

BOOST_AUTO_TEST_CASE(an_unknown_method_is_found_out_before_anything_else) {
    static_cast<void>(write<std::uint64_t>([&](storage::Transaction& transaction) {
        return transaction.api_keys().revoke_all(admin.agent_id, clock.now());
    }));
    BOOST_TEST((refused(admin, "no.such", kBadParams) == Code::method_not_found));
    // What agents and servers send is no admin's method.
    BOOST_TEST((refused(admin, "agent.hello") == Code::method_not_found));
    BOOST_TEST((refused(admin, "agents.get", kBadParams) == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(the_capability_is_checked_before_the_params_are_read) {
    const auto reader = identity("reader", {"agents:read"});
    BOOST_TEST((refused(reader, "agents.create", kBadParams) == Code::permission_denied));
    BOOST_TEST((refused(admin, "agents.create", kBadParams) == Code::invalid_params));
    const auto answer = call(reader, "agents.create", kBadParams);
    BOOST_TEST(answer.error().details()->at("needs").as_string() == "agents:write");
}

BOOST_AUTO_TEST_CASE(calls_are_limited_by_identity_from_the_moment_that_it_is_set) {
    const auto other = identity("other", {"admin:*"});
    for (int i = 0; i < 20; ++i) static_cast<void>(ok(admin, "settings.get"));
    const boost::json::object limit{{"rate_limit_api_per_minute", 3}};
    static_cast<void>(ok(admin, "settings.set", {{"settings", limit}}));
    for (int i = 0; i < 3; ++i) static_cast<void>(ok(admin, "settings.get"));
    const auto refused_one = call(admin, "settings.get");
    BOOST_REQUIRE(refused_one.has_error());
    BOOST_TEST((refused_one.error().code() == Code::rate_limited));
    BOOST_TEST((refused_one.error().retry_after() == std::chrono::seconds{20}));
    // Whatever is called, and by whichever key; but nobody else.
    BOOST_TEST((refused(admin, "no.such") == Code::rate_limited));
    BOOST_TEST((refused(admin, "agents.create", {{"name", "x"}}) == Code::rate_limited));
    BOOST_TEST(audited("agents.create", "rate_limited") == 0U);
    for (int i = 0; i < 3; ++i) static_cast<void>(ok(other, "settings.get"));
    clock.advance(std::chrono::seconds{20});
    const boost::json::object off{{"rate_limit_api_per_minute", 0}};
    static_cast<void>(ok(admin, "settings.set", {{"settings", off}}));
    for (int i = 0; i < 5; ++i) static_cast<void>(ok(admin, "settings.get"));
}

BOOST_AUTO_TEST_CASE(who_speaks_of_itself_speaks_of_nobody_else) {
    registry.bind<SelfGreet>([](const rpc::Caller&, const protocol::AgentIdParams&) {
        return Result<protocol::Nothing>(protocol::Nothing{});
    });
    const auto nobody = identity("nobody", {});
    static_cast<void>(ok(nobody, "self.greet", {{"agent_id", nobody.agent_id}}));
    // The same words for one that exists, one that does not, and no id at all; an admin's too.
    const std::string stranger = make_uuid_v7(clock, random);
    for (const boost::json::object& params :
         {boost::json::object{{"agent_id", admin.agent_id}},
          boost::json::object{{"agent_id", stranger}}, boost::json::object{{"agent_id", 7}},
          boost::json::object{}})
        BOOST_TEST((refused(nobody, "self.greet", params) == Code::permission_denied));
    BOOST_TEST(
        (refused(admin, "self.greet", {{"agent_id", nobody.agent_id}}) == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(a_refused_change_is_audited_and_a_refused_look_is_not) {
    const auto nobody = identity("nobody", {});
    static_cast<void>(refused(nobody, "agents.create", {{"name", "x"}}));
    BOOST_TEST(audited("agents.create", "permission_denied") == 1U);
    static_cast<void>(refused(nobody, "agents.list"));
    BOOST_TEST(audited("agents.list", "permission_denied") == 0U);
    static_cast<void>(refused(admin, "agents.create", kBadParams));
    BOOST_TEST(audited("agents.create", "invalid_params") == 1U);
    // A change that succeeds is audited by its own transaction, once.
    static_cast<void>(create_agent("x"));
    BOOST_TEST(audited("agent.created") == 1U);
    BOOST_TEST(audited("agents.create") == 0U);
}

BOOST_AUTO_TEST_CASE(every_call_is_counted_and_strangers_choose_no_names) {
    static_cast<void>(refused(admin, "made.up.1"));
    static_cast<void>(ok(admin, "system.info"));
    BOOST_REQUIRE(observed.size() == 2U);
    BOOST_TEST(observed[0].method == "");
    BOOST_TEST(observed[0].outcome == "method_not_found");
    BOOST_TEST(observed[1].method == "system.info");
    BOOST_TEST(observed[1].outcome == "ok");
}

BOOST_AUTO_TEST_CASE(a_declared_method_without_a_handler_ends_the_start) {
    rpc::Registry incomplete;
    incomplete.bind<protocol::AgentsGet>(
        [](const rpc::Caller&, const protocol::AgentIdParams&) -> Result<protocol::AgentDetail> {
            return Error(Code::not_found);
        });
    BOOST_CHECK_EXCEPTION(incomplete.require_complete(), StartupError, [](const auto& problem) {
        const std::string text = problem.what();
        return text.find("agents.create") != std::string::npos &&
               text.find("agents.get") == std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_handler_may_answer_at_once) {
    rpc::Registry immediate;
    immediate.bind<protocol::AgentsGet>(
        [](const rpc::Caller&,
           const protocol::AgentIdParams& params) -> Result<protocol::AgentDetail> {
            protocol::AgentDetail detail;
            detail.summary.agent_id = params.agent_id;
            return detail;
        });
    const rpc::Dispatcher other({immediate, *store, clock, *log, calls, authenticator, {}});
    const boost::json::value params{{"agent_id", admin.agent_id}};
    const auto answer = run(other.call(admin, "agents.get", &params));
    BOOST_TEST(rekey::server::testing::parse(*answer).at("agent_id").as_string() == admin.agent_id);
}

BOOST_AUTO_TEST_SUITE_END()
