#include "base/limits.hpp"
#include "storage/names.hpp"
#include "tests/unit/storage/conformance.hpp"

// The agents' rows: compare-and-swap, names, pages and sweeps, alike in every engine.
namespace rekey::storage::testing {
namespace {

AgentRow find_agent(Store& store, unsigned number) {
    auto row = read_now(store, [&](Transaction& t) { return t.agents().find(id_of(number)); });
    BOOST_REQUIRE(row.has_value());
    return *row;
}

Store::Unit insert_row(AgentRow row) {
    return [row = std::move(row)](Transaction& t) { return t.agents().insert(row); };
}

Store::Unit update_row(AgentRow row) {
    return [row = std::move(row)](Transaction& t) mutable { return t.agents().update(row); };
}

void check_equal(const AgentRow& left, const AgentRow& right) {
    BOOST_TEST(left.agent_id == right.agent_id);
    BOOST_TEST(left.name == right.name);
    BOOST_TEST(left.type == right.type);
    BOOST_TEST(left.owner == right.owner);
    BOOST_CHECK(left.labels == right.labels);
    BOOST_CHECK(left.metadata == right.metadata);
    BOOST_CHECK(left.created_at == right.created_at);
    BOOST_CHECK(left.updated_at == right.updated_at);
    BOOST_CHECK(left.last_seen_at == right.last_seen_at);
    BOOST_CHECK(left.enrolled_at == right.enrolled_at);
    BOOST_CHECK(left.identity_public_key == right.identity_public_key);
    BOOST_TEST(left.hostname == right.hostname);
    BOOST_TEST(left.version == right.version);
    BOOST_TEST(left.rotation_count == right.rotation_count);
    BOOST_TEST(left.row_version == right.row_version);
    BOOST_CHECK(left.credentials == right.credentials);
}

template <class Rows>
std::vector<std::string> ids_of(const Rows& rows) {
    std::vector<std::string> ids;
    ids.reserve(rows.size());
    for (const auto& row : rows) ids.push_back(row.agent_id);
    return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(agents_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_agent_comes_back_as_it_was_written, Engine, Engines) {
    Opened<Engine> engine;
    const AgentRow full = make_full_agent(1);
    const AgentRow bare = make_agent(2);
    write_ok(engine.store(), insert_row(full));
    write_ok(engine.store(), insert_row(bare));
    check_equal(find_agent(engine.store(), 1), full);
    check_equal(find_agent(engine.store(), 2), bare);

    AgentRow swapped = make_full_agent(2);
    write_ok(engine.store(), update_row(swapped));
    swapped.row_version = 1;
    check_equal(find_agent(engine.store(), 2), swapped);
    AgentRow emptied = make_agent(1);
    write_ok(engine.store(), update_row(emptied));
    emptied.row_version = 1;
    check_equal(find_agent(engine.store(), 1), emptied);
    BOOST_CHECK(code_of(read_now(engine.store(), [](Transaction& t) {
                    return t.agents().find(id_of(3));
                })) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_word_of_an_enum_is_stored, Engine, Engines) {
    Opened<Engine> engine;
    unsigned number = 0;
    for (const auto status : {AgentStatus::active, AgentStatus::suspended, AgentStatus::revoked}) {
        AgentRow row = make_agent(++number);
        row.credentials.status = status;
        write_ok(engine.store(), insert_row(row));
        BOOST_CHECK(find_agent(engine.store(), number).credentials.status == status);
        BOOST_CHECK(agent_status_of(name_of(status)) == status);
    }
    for (const auto cause :
         {RotationCause::schedule, RotationCause::admin, RotationCause::emergency,
          RotationCause::agent, RotationCause::enrollment, RotationCause::recovery}) {
        AgentRow row = make_agent(++number);
        row.credentials.requested = RotationRequest{cause, "who", engine.clock.now()};
        write_ok(engine.store(), insert_row(row));
        BOOST_CHECK(find_agent(engine.store(), number).credentials == row.credentials);
        write_ok(engine.store(), [&](Transaction& t) {
            return t.rotations().insert(
                {id_of(number), row.agent_id, 1, cause, "who", engine.clock.now(), {}, {}, {}});
        });
        BOOST_CHECK(read_now(engine.store(), [&](Transaction& t) {
                        return t.rotations().find(id_of(number));
                    })->cause == cause);
        BOOST_CHECK(rotation_cause_of(name_of(cause)) == cause);
    }
    for (const auto kind : {TombstoneKind::token, TombstoneKind::identity_key}) {
        const Bytes32 hash = sha256(name_of(kind));
        write_ok(engine.store(), [&](Transaction& t) {
            return t.tombstones().insert({id_of(1), kind, hash, 1, engine.clock.now()});
        });
        BOOST_CHECK(tombstone_kind_of(name_of(kind)) == kind);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_token_without_an_expiry_has_none, Engine, Engines) {
    Opened<Engine> engine;
    AgentRow row = make_full_agent(1);
    row.credentials.current->expires_at.reset();
    row.credentials.previous->expires_at.reset();
    row.credentials.previous->retire_after.reset();
    row.credentials.rotate_at.reset();
    write_ok(engine.store(), insert_row(row));
    check_equal(find_agent(engine.store(), 1), row);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_second_of_two_updates_of_one_version_is_a_conflict, Engine,
                              Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), insert_row(make_agent(1)));
    AgentRow first = find_agent(engine.store(), 1);
    AgentRow second = first;
    first.owner = "first";
    second.owner = "second";
    Gate gate(engine.store());
    auto one = write_later(engine.store(), update_row(first));
    auto two = write_later(engine.store(), update_row(second));
    gate.release();
    require_ok(wait_for(std::move(one)));
    const Result<> lost = wait_for(std::move(two));
    BOOST_CHECK(code_of(lost) == Code::conflict);
    const AgentRow stored = find_agent(engine.store(), 1);
    BOOST_TEST(stored.owner == "first");
    BOOST_TEST(stored.row_version == 1U);
    BOOST_CHECK(code_of(write_now(engine.store(), update_row(make_agent(2)))) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(update_moves_the_version_of_the_callers_row, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        AgentRow row = make_agent(1);
        REKEY_TRY(t.agents().insert(row));
        for (int i = 0; i < 3; ++i) REKEY_TRY(t.agents().update(row));
        return row.row_version == 3 ? Result<>() : Error(Code::internal, "version");
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(names_are_unique_and_can_change, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), insert_row(make_agent(1, "one")));
    write_ok(engine.store(), insert_row(make_agent(2, "two")));
    BOOST_CHECK(code_of(write_now(engine.store(), insert_row(make_agent(3, "one")))) ==
                Code::already_exists);
    BOOST_CHECK(code_of(write_now(engine.store(), insert_row(make_agent(1, "three")))) ==
                Code::already_exists);
    AgentRow row = find_agent(engine.store(), 1);
    row.name = "two";
    BOOST_CHECK(code_of(write_now(engine.store(), update_row(row))) == Code::already_exists);
    row.name = "uno";
    row.owner = "changed too";
    write_ok(engine.store(), update_row(row));
    row.row_version = 1;
    check_equal(
        *read_now(engine.store(), [](Transaction& t) { return t.agents().find_by_name("uno"); }),
        row);
    BOOST_CHECK(code_of(read_now(engine.store(), [](Transaction& t) {
                    return t.agents().find_by_name("one");
                })) == Code::not_found);
    write_ok(engine.store(), insert_row(make_agent(3, "one")));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(agents_are_listed_in_pages_and_filtered, Engine, Engines) {
    Opened<Engine> engine;
    for (unsigned i = 1; i <= 9; ++i) {
        AgentRow row = make_agent(i, (i % 3 == 0 ? "web-" : "db-") + std::to_string(i));
        row.type = i % 2 == 0 ? "service" : "daemon";
        if (i >= 8) row.credentials.status = AgentStatus::suspended;
        write_ok(engine.store(), insert_row(row));
    }
    const auto list = [&](const AgentFilter& filter, const std::string& after, std::size_t limit) {
        return ids_of(*read_now(
            engine.store(), [&](Transaction& t) { return t.agents().list(filter, after, limit); }));
    };
    BOOST_CHECK((list({}, "", 4) == Ids{id_of(1), id_of(2), id_of(3), id_of(4)}));
    BOOST_CHECK((list({}, id_of(4), 4) == Ids{id_of(5), id_of(6), id_of(7), id_of(8)}));
    BOOST_CHECK((list({}, id_of(8), 4) == Ids{id_of(9)}));
    BOOST_CHECK(list({}, id_of(9), 4).empty());
    BOOST_CHECK((list({.status = AgentStatus::suspended}, "", 9) == Ids{id_of(8), id_of(9)}));
    BOOST_CHECK((list({.name_prefix = "web-"}, "", 9) == Ids{id_of(3), id_of(6), id_of(9)}));
    BOOST_CHECK((list({.type = "service", .name_prefix = "web-"}, "", 9) == Ids{id_of(6)}));
    BOOST_CHECK(list({.name_prefix = "%"}, "", 9).empty());
    BOOST_CHECK(list({}, "", 0).empty());
    BOOST_TEST(
        read_now(engine.store(), [](Transaction& t) { return t.agents().totals(); })->agents == 9U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(totals_follow_what_is_kept, Engine, Engines) {
    Opened<Engine> engine;
    const auto totals = [&] {
        const auto read =
            read_now(engine.store(), [](Transaction& t) { return t.agents().totals(); });
        return std::pair(read->agents, read->admins);
    };
    const auto retype = [&](std::string_view type) {
        write_ok(engine.store(), [&](Transaction& t) -> Result<> {
            REKEY_TRY_ASSIGN(row, t.agents().find(id_of(2)));
            row.type = type;
            return t.agents().update(row);
        });
    };
    BOOST_CHECK((totals() == std::pair(0UL, 0UL)));
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        for (unsigned i = 1; i <= 3; ++i) {
            AgentRow row = make_agent(i);
            row.type = i == 1 ? kAdminType : "daemon";
            REKEY_TRY(t.agents().insert(row));
        }
        return {};
    });
    BOOST_CHECK((totals() == std::pair(3UL, 1UL)));
    retype(kAdminType);
    BOOST_CHECK((totals() == std::pair(3UL, 2UL)));
    retype(kAdminType);
    retype("service");
    BOOST_CHECK((totals() == std::pair(3UL, 1UL)));
    const auto undone = write_now(engine.store(), [](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().remove(id_of(1)));
        return Error(Code::wrong_state, "changed my mind");
    });
    BOOST_CHECK(code_of(undone) == Code::wrong_state);
    BOOST_CHECK((totals() == std::pair(3UL, 1UL)));
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().remove(id_of(1)));
        return t.agents().remove(id_of(3));
    });
    BOOST_CHECK((totals() == std::pair(1UL, 0UL)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_page_has_a_largest_size, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        for (unsigned i = 0; i < limits::kPageRows + 1; ++i)
            REKEY_TRY(t.agents().insert(make_agent(i)));
        return {};
    });
    BOOST_TEST(read_now(engine.store(), [](Transaction& t) {
                   return t.agents().list({}, "", 1'000'000);
               })->size() == limits::kPageRows);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(predecessors_are_due_when_their_grace_is_over, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    // 1: no previous, 2: grace not begun, 3: over last, 4: running, 5: over first, 6: over now.
    for (unsigned i = 1; i <= 6; ++i) {
        AgentRow row = make_agent(i);
        row.credentials.next_generation = 2;
        if (i > 1) row.credentials.previous = PreviousToken{1, "r", sha256("p"), now, {}};
        if (i == 3) row.credentials.previous->retire_after = now - Milliseconds(1);
        if (i == 4) row.credentials.previous->retire_after = now + Milliseconds(1);
        if (i == 5) row.credentials.previous->retire_after = now - Milliseconds(9);
        if (i == 6) row.credentials.previous->retire_after = now;
        write_ok(engine.store(), insert_row(row));
    }
    const auto due = [&](std::size_t limit) {
        return *read_now(engine.store(),
                         [&](Transaction& t) { return t.agents().due_for_retirement(now, limit); });
    };
    BOOST_CHECK((due(10) == Ids{id_of(5), id_of(3), id_of(6)}));
    BOOST_CHECK((due(2) == Ids{id_of(5), id_of(3)}));
    AgentRow retired = find_agent(engine.store(), 5);
    retired.credentials.previous.reset();
    write_ok(engine.store(), update_row(retired));
    BOOST_CHECK((due(10) == Ids{id_of(3), id_of(6)}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(sealed_data_is_noticed, Engine, Engines) {
    Opened<Engine> engine;
    const auto any = [&] {
        return *read_now(engine.store(), [](Transaction& t) { return t.agents().any_sealed(); });
    };
    write_ok(engine.store(), insert_row(make_agent(1)));
    BOOST_TEST(!any());
    write_ok(engine.store(), insert_row(make_full_agent(2)));
    BOOST_TEST(any());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(last_seen_only_goes_forward_and_leaves_the_version, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), insert_row(make_agent(1)));
    write_ok(engine.store(), insert_row(make_agent(2)));
    const auto touch = [&](Time time) {
        write_ok(engine.store(), [time](Transaction& t) {
            return t.agents().touch_last_seen({{id_of(1), time}, {id_of(77), time}});
        });
    };
    touch(now);
    touch(now - Milliseconds(5));
    const AgentRow row = find_agent(engine.store(), 1);
    BOOST_CHECK(row.last_seen_at == now);
    BOOST_TEST(row.row_version == 0U);
    BOOST_TEST(!find_agent(engine.store(), 2).last_seen_at);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
