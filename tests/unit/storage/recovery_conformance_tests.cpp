#include "base/limits.hpp"
#include "tests/unit/storage/conformance.hpp"

// What recoveries cost, alike in every engine.
namespace rekey::storage::testing {
namespace {

using Times = std::vector<Time>;

template <class Engine>
Times charged(Opened<Engine>& engine, unsigned agent, Time since, std::size_t limit = 100) {
    return *read_now(engine.store(), [=](Transaction& t) {
        return t.recoveries().charged_since(id_of(agent), since, limit);
    });
}

template <class Engine>
std::uint64_t granted(Opened<Engine>& engine, unsigned agent) {
    return *read_now(engine.store(),
                     [=](Transaction& t) { return t.recoveries().grants(id_of(agent)); });
}

template <class Engine>
void insert_agents(Opened<Engine>& engine) {
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().insert(make_agent(1)));
        return t.agents().insert(make_agent(2));
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recovery_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(charges_are_counted_by_agent_and_window, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    insert_agents(engine);
    const auto charge = [&](unsigned agent, Time time, unsigned rotation) {
        return write_now(engine.store(), [=](Transaction& t) {
            return t.recoveries().charge(id_of(agent), time, id_of(rotation));
        });
    };
    const Time later = now + Milliseconds(5);
    require_ok(charge(1, now, 70));
    require_ok(charge(1, later, 71));
    require_ok(charge(2, now, 72));
    BOOST_CHECK((charged(engine, 1, now - Milliseconds(1)) == Times{later, now}));
    BOOST_CHECK((charged(engine, 1, now) == Times{later}));
    BOOST_CHECK((charged(engine, 1, now - Milliseconds(1), 1) == Times{later}));
    BOOST_CHECK((charged(engine, 2, Time{}) == Times{now}));
    BOOST_CHECK(charged(engine, 3, Time{}).empty());
    // No window reaches so far back: what is older is forgotten, of this agent.
    const Time much_later = now + limits::kRecoveryWindow;
    require_ok(charge(1, much_later, 73));
    BOOST_CHECK((charged(engine, 1, Time{}) == Times{much_later, later}));
    BOOST_CHECK((charged(engine, 2, Time{}) == Times{now}));
    BOOST_CHECK(code_of(charge(9, now, 74)) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(grants_are_spent_one_by_one, Engine, Engines) {
    Opened<Engine> engine;
    insert_agents(engine);
    const auto grant = [&](unsigned agent) {
        return write_now(engine.store(),
                         [=](Transaction& t) { return t.recoveries().grant(id_of(agent)); });
    };
    const auto spend = [&](unsigned agent) {
        return write_now(engine.store(),
                         [=](Transaction& t) { return t.recoveries().spend_grant(id_of(agent)); });
    };
    BOOST_TEST(granted(engine, 1) == 0U);
    BOOST_CHECK(code_of(spend(1)) == Code::conflict);
    require_ok(grant(1));
    require_ok(grant(1));
    BOOST_TEST(granted(engine, 1) == 2U);
    BOOST_TEST(granted(engine, 2) == 0U);
    require_ok(spend(1));
    BOOST_TEST(granted(engine, 1) == 1U);
    require_ok(spend(1));
    BOOST_CHECK(code_of(spend(1)) == Code::conflict);
    BOOST_CHECK(code_of(grant(9)) == Code::not_found);
    for (std::uint64_t i = 0; i < limits::kRecoveryGrants; ++i) require_ok(grant(2));
    BOOST_CHECK(code_of(grant(2)) == Code::wrong_state);
    BOOST_TEST(granted(engine, 2) == limits::kRecoveryGrants);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_unit_that_fails_leaves_no_charge, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    insert_agents(engine);
    write_ok(engine.store(), [](Transaction& t) { return t.recoveries().grant(id_of(1)); });
    const auto failed = write_now(engine.store(), [now](Transaction& t) -> Result<> {
        REKEY_TRY(t.recoveries().charge(id_of(1), now, id_of(70)));
        REKEY_TRY(t.recoveries().spend_grant(id_of(1)));
        REKEY_TRY(t.recoveries().grant(id_of(2)));
        return Error(Code::conflict, "no");
    });
    BOOST_CHECK(code_of(failed) == Code::conflict);
    BOOST_CHECK(charged(engine, 1, Time{}).empty());
    BOOST_TEST(granted(engine, 1) == 1U);
    BOOST_TEST(granted(engine, 2) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
