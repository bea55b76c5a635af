#include "server/sessions/registry.hpp"
#include "tests/unit/server/support/fake_session.hpp"

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::sessions;

namespace {

using rekey::server::testing::FakeSession;

struct Fixture {
    testing::ManualClock clock;
    Shards shards{2, clock};
    SessionRegistry registry{shards};

    std::shared_ptr<FakeSession> add(const std::string& id, std::size_t shard,
                                     std::uint64_t bound = 1) {
        auto session = std::make_shared<FakeSession>(id, registry.next_connection(), bound);
        registry.add(shards.at(shard), session);
        return session;
    }
    void ready(const FakeSession& session) {
        registry.set_ready(session.agent_id(), session.connection_generation(), true);
    }
    void remove(const FakeSession& session) {
        registry.remove(session.agent_id(), session.connection_generation());
    }
    void poll() {
        shards.for_each([](Shard& shard) {
            shard.context().restart();
            shard.context().poll();
        });
    }
    // The connection that with() finds; 0 if there is none.
    std::uint64_t found(const std::string& id) {
        std::uint64_t connection = 0;
        registry.with(
            id, [&](rotation::AgentLink& link) { connection = link.connection_generation(); }, {});
        poll();
        return connection;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(registry_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_session_is_found_once_it_is_ready) {
    const auto session = add("a", 0);
    BOOST_TEST(!registry.connected("a"));
    BOOST_TEST(found("a") == 0U);
    BOOST_TEST(registry.connections() == 1U);
    ready(*session);
    BOOST_TEST(registry.connected("a"));
    BOOST_TEST(registry.count() == 1U);
    BOOST_TEST(found("a") == session->connection_generation());
    remove(*session);
    BOOST_TEST(!registry.connected("a"));
    BOOST_TEST(registry.count() == 0U);
    BOOST_TEST(registry.connections() == 0U);
}

// I17.
BOOST_AUTO_TEST_CASE(an_old_end_never_unregisters_a_newer_connection) {
    const auto old = add("a", 0);
    ready(*old);
    remove(*old);
    const auto young = add("a", 1);
    ready(*young);
    remove(*old);
    registry.set_ready("a", old->connection_generation(), false);
    BOOST_TEST(found("a") == young->connection_generation());
}

BOOST_AUTO_TEST_CASE(the_newest_of_the_older_ones_is_asked_first) {
    const auto first = add("a", 0);
    const auto second = add("a", 1);
    const auto third = add("a", 0);
    BOOST_TEST(!registry.older_than("a", first->connection_generation()));
    const auto older = registry.older_than("a", third->connection_generation());
    BOOST_REQUIRE(older.has_value());
    BOOST_TEST(older->connection == second->connection_generation());
    BOOST_TEST(older->shard->index() == 1U);
    remove(*second);
    BOOST_TEST(registry.older_than("a", third->connection_generation())->connection ==
               first->connection_generation());
}

BOOST_AUTO_TEST_CASE(an_action_runs_on_the_session_s_shard_only) {
    const auto session = add("a", 1);
    ready(*session);
    bool ran = false;
    registry.with("a", [&](rotation::AgentLink&) { ran = true; }, {});
    shards.at(0).context().poll();
    BOOST_TEST(!ran);
    shards.at(1).context().poll();
    BOOST_TEST(ran);
}

BOOST_AUTO_TEST_CASE(what_stands_beside_the_sessions_hears_when_all_are_closed) {
    std::vector<std::pair<std::string, std::uint16_t>> told;
    registry.when_all_close(
        [&](std::string_view agent_id, std::uint16_t code) { told.emplace_back(agent_id, code); });
    static_cast<void>(add("a", 0));
    registry.close("a", 4004, "re_authenticate", 1);
    BOOST_TEST(told.empty());
    registry.close("a", 4010, "suspended", std::nullopt);
    registry.close("without a session", 4500, "revoked", std::nullopt);
    BOOST_TEST((told == decltype(told){{"a", 4010}, {"without a session", 4500}}));
    poll();
}

BOOST_AUTO_TEST_CASE(who_ended_on_the_way_is_absent) {
    const auto session = add("a", 0);
    ready(*session);
    bool absent = false;
    bool ran = false;
    registry.with("a", [&](rotation::AgentLink&) { ran = true; }, [&] { absent = true; });
    remove(*session);
    poll();
    BOOST_TEST(absent);
    BOOST_TEST(!ran);
    absent = false;
    registry.with("nobody", [&](rotation::AgentLink&) {}, [&] { absent = true; });
    BOOST_TEST(absent);
}

BOOST_AUTO_TEST_CASE(a_newer_session_takes_what_was_on_its_way_to_the_old_one) {
    const auto old = add("a", 0);
    ready(*old);
    std::uint64_t reached = 0;
    registry.with("a", [&](rotation::AgentLink& link) { reached = link.connection_generation(); },
                  {});
    remove(*old);
    const auto young = add("a", 1);
    ready(*young);
    poll();
    BOOST_TEST(reached == young->connection_generation());
}

BOOST_AUTO_TEST_CASE(close_reaches_those_that_are_not_ready_and_those_bound_to_a_generation) {
    const auto old = add("a", 0, 1);
    const auto young = add("a", 1, 2);
    registry.close("a", 4004, "", 1);
    poll();
    BOOST_TEST(old->closed_with() == 4004U);
    BOOST_TEST(young->closed_with() == 0U);
    registry.close("a", 4500, "", std::nullopt);
    poll();
    BOOST_TEST(young->closed_with() == 4500U);
}

BOOST_AUTO_TEST_CASE(for_each_reaches_every_ready_session_on_its_own_shard) {
    for (int index = 0; index < 100; ++index) {
        const auto session = add("agent-" + std::to_string(index), index % 2 == 0 ? 0 : 1);
        if (index % 10 != 0) ready(*session);
    }
    int reached = 0;
    registry.for_each([&](rotation::AgentLink&) { ++reached; });
    shards.at(0).context().poll();
    BOOST_TEST(reached == 40);
    shards.at(1).context().poll();
    BOOST_TEST(reached == 90);
}

BOOST_AUTO_TEST_SUITE_END()
