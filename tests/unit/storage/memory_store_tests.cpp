#include "storage/memory/memory_store.hpp"
#include "tests/unit/storage/conformance.hpp"

// What the in-memory engine gives a simulation beyond the suite: its schedule, faults, backups.
namespace rekey::storage::testing {
namespace {

Store::Unit insert_agent(unsigned number) {
    return [number](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().insert(make_agent(number)));
        t.audit().append(make_event("agent.created"));
        return {};
    };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_store_tests)

BOOST_AUTO_TEST_CASE(without_a_schedule_units_run_inside_the_call) {
    auto database = std::make_shared<MemoryDatabase>();
    MemoryStore store(database);
    bool answered = false;
    store.write(insert_agent(1), [&](const Result<>& result) {
        answered = result.has_value();
        // An answer may write again.
        store.write(insert_agent(2), [](const Result<>&) {});
    });
    BOOST_TEST(answered);
    BOOST_TEST(database->agents.size() == 2U);
    BOOST_TEST(database->audit.size() == 2U);
}

BOOST_AUTO_TEST_CASE(units_run_when_the_schedule_says_and_are_lost_with_it) {
    auto database = std::make_shared<MemoryDatabase>();
    std::vector<std::function<void()>> waiting;
    int answers = 0;
    {
        MemoryStore store(database, {.schedule = [&](std::function<void()> work) {
                              waiting.push_back(std::move(work));
                          }});
        for (unsigned i = 1; i <= 3; ++i)
            store.write(insert_agent(i), [&](const Result<>&) { ++answers; });
        BOOST_TEST(database->agents.empty());
        waiting[0]();
        waiting[1]();
    }
    waiting.clear();  // a crash: the third was never committed
    BOOST_TEST(answers == 2);
    MemoryStore restarted(database);
    BOOST_TEST(read_now(restarted, [](Transaction& t) { return t.agents().totals(); })->agents ==
               2U);
}

BOOST_AUTO_TEST_CASE(a_commit_that_fails_leaves_nothing) {
    auto database = std::make_shared<MemoryDatabase>();
    bool full = false;
    MemoryStore store(database, {.before_commit = [&]() -> Result<> {
                          if (full) return Error(Code::unavailable, "disk full");
                          return {};
                      }});
    write_ok(store, insert_agent(1));
    full = true;
    BOOST_CHECK(code_of(write_now(store, insert_agent(2))) == Code::unavailable);
    BOOST_TEST(database->agents.size() == 1U);
    full = false;
    write_ok(store, insert_agent(3));
    BOOST_TEST(database->agents.size() == 2U);
    BOOST_TEST(!verify_chain(database->audit));
}

BOOST_AUTO_TEST_CASE(a_copy_is_a_backup) {
    auto database = std::make_shared<MemoryDatabase>();
    MemoryStore store(database);
    write_ok(store, insert_agent(1));
    MemoryDatabase backup = *database;
    write_ok(store, insert_agent(2));
    *database = std::move(backup);
    write_ok(store, insert_agent(3));
    BOOST_TEST(database->agents.size() == 2U);
    BOOST_TEST(!verify_chain(database->audit));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
