#include "storage/audit_chain.hpp"
#include "tests/unit/storage/conformance.hpp"

#include <set>
#include <thread>

// Units, commits, snapshots, the audit chain and the end: what every engine does alike.
namespace rekey::storage::testing {
namespace {

Store::Unit insert_agent(unsigned number) {
    return [number](Transaction& transaction) -> Result<> {
        REKEY_TRY(transaction.agents().insert(make_agent(number)));
        transaction.audit().append(make_event("agent.created", id_of(number)));
        return {};
    };
}

Store::Unit insert_then_fail(unsigned number) {
    return [number](Transaction& transaction) -> Result<> {
        REKEY_TRY(insert_agent(number)(transaction));
        return Error(Code::wrong_state, "changed my mind");
    };
}

std::uint64_t count_agents(Store& store) {
    return read_now(store, [](Transaction& t) { return t.agents().totals(); }).value().agents;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_write_is_there_after_its_answer_and_a_restart, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), insert_agent(1));
    BOOST_TEST(count_agents(engine.store()) == 1U);
    engine.close();
    engine.open();
    BOOST_TEST(count_agents(engine.store()) == 1U);
    write_ok(engine.store(), insert_agent(2));
    const auto chain = read_chain(engine.store());
    BOOST_TEST(chain.size() == 2U);
    BOOST_TEST(!verify_chain(chain));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_failed_unit_is_rolled_back_alone, Engine, Engines) {
    Opened<Engine> engine;
    Gate gate(engine.store());
    auto first = write_later(engine.store(), insert_agent(1));
    auto failing = write_later(engine.store(), insert_then_fail(2));
    auto third = write_later(engine.store(), insert_agent(3));
    gate.release();
    require_ok(wait_for(std::move(first)));
    const auto failed = wait_for(std::move(failing));
    BOOST_CHECK(code_of(failed) == Code::wrong_state);
    BOOST_TEST(failed.error().message() == "changed my mind");
    require_ok(wait_for(std::move(third)));

    BOOST_TEST(count_agents(engine.store()) == 2U);
    BOOST_CHECK(code_of(read_now(engine.store(), [](Transaction& t) {
                    return t.agents().find(id_of(2));
                })) == Code::not_found);
    // Only kept units have audit rows, and the chain has no gap where the failed one stood.
    const auto chain = read_chain(engine.store());
    BOOST_REQUIRE_EQUAL(chain.size(), 2U);
    BOOST_TEST(chain[0].event.subject == id_of(1));
    BOOST_TEST(chain[1].event.subject == id_of(3));
    BOOST_TEST(!verify_chain(chain));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_kind_of_change_is_rolled_back, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), [](Transaction& t) { return t.agents().insert(make_agent(1)); });
    const auto failed = write_now(engine.store(), [now](Transaction& t) -> Result<> {
        REKEY_TRY_ASSIGN(row, t.agents().find(id_of(1)));
        row.name = "renamed";
        REKEY_TRY(t.agents().update(row));
        REKEY_TRY(t.agents().touch_last_seen({{id_of(1), now}}));
        REKEY_TRY(t.tombstones().insert({id_of(1), TombstoneKind::token, sha256("t"), 1, now}));
        REKEY_TRY(t.enrollment_codes().insert(
            {id_of(2), id_of(1), sha256("c"), "admin", now, now, {}, {}, {}}));
        REKEY_TRY(t.api_keys().insert({id_of(3), id_of(1), "k", sha256("k"), {}, now, {}, {}}));
        REKEY_TRY(t.capabilities().grant(id_of(1), "agents:read", "admin", now));
        REKEY_TRY(t.rotations().insert(
            {id_of(4), id_of(1), 1, RotationCause::admin, "admin", now, {}, {}, {}}));
        REKEY_TRY(t.settings().set("heartbeat_seconds", 30));
        REKEY_TRY(t.meta().set("check", Bytes{1}));
        return Error(Code::conflict);
    });
    BOOST_CHECK(code_of(failed) == Code::conflict);
    // Looked at on the store's thread, judged on this one: Boost.Test is for one thread.
    const auto kept = read_now(engine.store(), [](Transaction& t) -> Result<std::string> {
        REKEY_TRY_ASSIGN(row, t.agents().find_by_name("agent-1"));
        std::string names;
        const auto note = [&](bool found, const char* name) {
            if (found) names.append(name).append(" ");
        };
        note(row.row_version != 0U, "row_version");
        note(row.last_seen_at.has_value(), "last_seen_at");
        note(t.agents().find_by_name("renamed").has_value(), "name");
        note(*t.tombstones().contains(id_of(1), sha256("t")), "tombstone");
        note(t.enrollment_codes().find(id_of(2)).has_value(), "enrollment_code");
        note(t.api_keys().find(id_of(3)).has_value(), "api_key");
        note(!t.capabilities().list(id_of(1))->empty(), "capability");
        note(t.rotations().find(id_of(4)).has_value(), "rotation");
        note(!t.settings().all()->empty(), "setting");
        note(t.meta().get("check")->has_value(), "meta");
        return names;
    });
    BOOST_REQUIRE(kept.has_value());
    BOOST_TEST(*kept == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_unit_that_throws_is_an_internal_error, Engine, Engines) {
    Opened<Engine> engine;
    const auto failed = write_now(engine.store(), [](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().insert(make_agent(1)));
        throw std::runtime_error("boom");
    });
    BOOST_CHECK(code_of(failed) == Code::internal);
    BOOST_TEST(count_agents(engine.store()) == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_unit_sees_what_units_before_it_wrote, Engine, Engines) {
    Opened<Engine> engine;
    Gate gate(engine.store());
    auto first = write_later(engine.store(), insert_agent(1));
    auto second = write_later(engine.store(), [](Transaction& t) -> Result<> {
        REKEY_TRY_ASSIGN(row, t.agents().find(id_of(1)));
        row.owner = "second";
        REKEY_TRY(t.agents().update(row));
        REKEY_TRY_ASSIGN(again, t.agents().find(id_of(1)));
        return again.owner == "second" ? Result<>() : Error(Code::internal, "not read back");
    });
    gate.release();
    require_ok(wait_for(std::move(first)));
    require_ok(wait_for(std::move(second)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_sees_every_answered_commit, Engine, Engines) {
    Opened<Engine> engine;
    for (unsigned i = 1; i <= 50; ++i) {
        write_ok(engine.store(), insert_agent(i));
        BOOST_REQUIRE_EQUAL(count_agents(engine.store()), i);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_cannot_write, Engine, Engines) {
    Opened<Engine> engine;
    BOOST_CHECK(code_of(read_now(engine.store(), [](Transaction& t) -> Result<int> {
                    REKEY_TRY(t.agents().insert(make_agent(1)));
                    return 1;
                })) == Code::internal);
    BOOST_CHECK(code_of(read_now(engine.store(), [](Transaction& t) -> Result<int> {
                    t.audit().append(make_event("sneaked.in"));
                    return 1;
                })) == Code::internal);
    write_ok(engine.store(), insert_agent(1));
    BOOST_TEST(read_chain(engine.store()).size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_chain_is_linked_and_keeps_its_details, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        t.audit().append(make_event("rotation.started", "a"));
        t.audit().append(make_event("rotation.promoted", "b"));
        return {};
    });
    const auto chain = read_chain(engine.store());
    BOOST_REQUIRE_EQUAL(chain.size(), 2U);
    BOOST_TEST(chain[0].stream_id == kMainStream);
    BOOST_TEST(chain[0].seq == 1U);
    BOOST_TEST((chain[0].previous_hash == Bytes32{}));
    BOOST_TEST((chain[1].previous_hash == chain[0].hash));
    BOOST_TEST((chain[1].event.details == make_event("x").details));
    BOOST_TEST((chain[1].event.time == make_event("x").time));
    BOOST_TEST(!verify_chain(chain));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(audit_rows_are_found_by_their_fields, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        for (const char* action :
             {"rotation.started", "rotation.promoted", "rotation_x", "agent.created"}) {
            t.audit().append(make_event(action, "one"));
            AuditEvent by_admin = make_event(action, "two");
            by_admin.actor = "admin";
            t.audit().append(by_admin);
        }
        return {};
    });
    const auto count = [&](const AuditFilter& filter, std::size_t limit = 100) {
        return read_now(engine.store(),
                        [&](Transaction& t) { return t.audit().query(filter, limit); })
            ->size();
    };
    BOOST_TEST(count({}) == 8U);
    BOOST_TEST(count({}, 3) == 3U);
    BOOST_TEST(count({.subject = "one"}) == 4U);
    BOOST_TEST(count({.actor = "admin"}) == 4U);
    BOOST_TEST(count({.action = "rotation.started"}) == 2U);
    BOOST_TEST(count({.action = "rotation.*"}) == 4U);
    BOOST_TEST(count({.subject = "two", .action = "rotation.*", .after_seq = 2}) == 1U);
    BOOST_TEST(count({.action = "rotation"}) == 0U);
    BOOST_TEST(count({.after_seq = 8}) == 0U);
    BOOST_TEST(count({.after_seq = 9}) == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(audit_is_read_from_either_end, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        for (int i = 0; i < 6; ++i)
            t.audit().append(make_event("agent.created", i % 2 == 0 ? "even" : "odd"));
        return {};
    });
    const auto seqs = [&](const AuditFilter& filter, std::size_t limit = 100) {
        std::string text;
        const auto rows = read_now(engine.store(),
                                   [&](Transaction& t) { return t.audit().query(filter, limit); });
        for (const AuditRow& row : *rows) text += std::to_string(row.seq);
        return text;
    };
    constexpr auto kNewest = AuditFilter::Order::newest_first;
    BOOST_TEST(seqs({}) == "123456");
    BOOST_TEST(seqs({.order = kNewest}) == "654321");
    BOOST_TEST(seqs({.order = kNewest}, 2) == "65");
    BOOST_TEST(seqs({.before_seq = 5, .order = kNewest}, 2) == "43");
    BOOST_TEST(seqs({.before_seq = 1, .order = kNewest}).empty());
    BOOST_TEST(seqs({.before_seq = 100, .order = kNewest}) == "654321");
    BOOST_TEST(seqs({.after_seq = 2, .before_seq = 5}) == "34");
    BOOST_TEST(seqs({.after_seq = 2, .before_seq = 5, .order = kNewest}) == "43");
    BOOST_TEST(seqs({.subject = "odd", .before_seq = 6, .order = kNewest}) == "42");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_threads_write_at_once, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), insert_agent(0));
    constexpr unsigned kThreads = 8;
    constexpr unsigned kEach = 50;
    std::atomic<unsigned> answered{0};
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (unsigned thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&, thread] {
            for (unsigned i = 0; i < kEach; ++i) {
                const unsigned number = 1 + thread * kEach + i;
                engine.store().write(
                    [number](Transaction& t) -> Result<> {
                        REKEY_TRY_ASSIGN(shared, t.agents().find(id_of(0)));
                        ++shared.rotation_count;
                        REKEY_TRY(t.agents().update(shared));
                        if (number % 5 == 0) return insert_then_fail(number)(t);
                        return insert_agent(number)(t);
                    },
                    [&](const Result<>&) { ++answered; });
            }
        });
    for (auto& thread : threads) thread.join();
    write_ok(engine.store(), [](Transaction&) -> Result<> { return {}; });
    BOOST_TEST(answered == kThreads * kEach);

    constexpr unsigned kKept = kThreads * kEach * 4 / 5;
    const auto shared =
        read_now(engine.store(), [](Transaction& t) { return t.agents().find(id_of(0)); });
    BOOST_TEST(shared->rotation_count == kKept);
    BOOST_TEST(shared->row_version == kKept);
    BOOST_TEST(count_agents(engine.store()) == kKept + 1);
    const auto chain = read_chain(engine.store());
    BOOST_TEST(chain.size() == kKept + 1);
    BOOST_TEST(!verify_chain(chain));
    std::set<std::string> subjects;
    for (const AuditRow& row : chain) subjects.insert(row.event.subject);
    BOOST_TEST(subjects.size() == chain.size());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(stop_finishes_what_waits_and_refuses_the_rest, Engine, Engines) {
    Opened<Engine> engine;
    std::vector<std::future<Result<>>> answers;
    for (unsigned i = 1; i <= 20; ++i)
        answers.push_back(write_later(engine.store(), insert_agent(i)));
    engine.store().stop();
    for (auto& answer : answers) require_ok(wait_for(std::move(answer)));
    BOOST_CHECK(code_of(write_now(engine.store(), insert_agent(99))) == Code::unavailable);
    BOOST_CHECK(code_of(read_now(engine.store(), [](Transaction& t) {
                    return t.agents().totals();
                })) == Code::unavailable);
    engine.store().stop();
    engine.close();
    engine.open();
    BOOST_TEST(count_agents(engine.store()) == 20U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
