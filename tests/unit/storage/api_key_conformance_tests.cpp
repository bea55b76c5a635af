#include "base/limits.hpp"
#include "tests/unit/storage/conformance.hpp"

// API keys that rotate, and the sealed answers that held one, alike in every engine.
namespace rekey::storage::testing {
namespace {

ApiKeyRow make_key(unsigned number, Time now) {
    ApiKeyRow row;
    row.key_id = id_of(number);
    row.agent_id = id_of(1);
    row.name = "ci";
    row.key_hash = sha256(row.key_id);
    row.created_at = now;
    row.created_by = id_of(7);
    return row;
}

ApiKeyRow make_successor(unsigned number, unsigned predecessor, Time now) {
    ApiKeyRow row = make_key(number, now);
    row.predecessor_key_id = id_of(predecessor);
    return row;
}

IdempotentAnswerRow make_answer(unsigned caller, std::string_view key, unsigned api_key,
                                Time expires_at) {
    return {.caller_id = id_of(caller),
            .idempotency_key_hash = sha256(key),
            .method = "keys.rotate",
            .params_hash = sha256("params"),
            .sealed_answer = Bytes{1, 0, 255},
            .key_id = id_of(api_key),
            .expires_at = expires_at};
}

template <class Engine>
struct Keys : Opened<Engine> {
    Keys() {
        write_ok(this->store(), [now = now()](Transaction& t) -> Result<> {
            REKEY_TRY(t.agents().insert(make_agent(1)));
            REKEY_TRY(t.agents().insert(make_agent(2)));
            return t.api_keys().insert(make_key(20, now));
        });
    }
    [[nodiscard]] Time now() const { return this->clock.now(); }
    ApiKeyRow find(unsigned key) {
        return *read_now(this->store(),
                         [key](Transaction& t) { return t.api_keys().find(id_of(key)); });
    }
    Result<> succeed(const ApiKeyRow& row, const std::string& replaced, Time valid_until) {
        return write_now(this->store(), [=](Transaction& t) {
            return t.api_keys().succeed(row, replaced, valid_until);
        });
    }
    Result<IdempotentAnswerRow> answer(unsigned caller, std::string_view key) {
        return read_now(this->store(), [=, hash = sha256(key)](Transaction& t) {
            return t.idempotent_answers().find(id_of(caller), hash);
        });
    }
    Result<> put(const IdempotentAnswerRow& row) {
        return write_now(this->store(),
                         [=](Transaction& t) { return t.idempotent_answers().put(row); });
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(api_key_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_field_of_a_key_is_kept, Engine, Engines) {
    Keys<Engine> keys;
    ApiKeyRow row = make_successor(21, 20, keys.now());
    row.first_used_at = keys.now() + Milliseconds(1);
    row.last_used_at = keys.now() + Milliseconds(2);
    row.valid_until = keys.now() + Milliseconds(3);
    row.successor_key_id = id_of(22);
    write_ok(keys.store(), [=](Transaction& t) { return t.api_keys().insert(row); });
    const ApiKeyRow found = keys.find(21);
    BOOST_TEST(found.created_by == id_of(7));
    BOOST_CHECK(found.first_used_at == row.first_used_at);
    BOOST_CHECK(found.last_used_at == row.last_used_at);
    BOOST_CHECK(found.valid_until == row.valid_until);
    BOOST_TEST(found.successor_key_id == id_of(22));
    BOOST_TEST(found.predecessor_key_id == id_of(20));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_two_who_rotate_a_key_one_wins, Engine, Engines) {
    Keys<Engine> keys;
    const Time until = keys.now() + Milliseconds(50);
    require_ok(keys.succeed(make_successor(21, 20, keys.now()), "", until));
    BOOST_TEST(keys.find(20).successor_key_id == id_of(21));
    BOOST_CHECK(keys.find(20).valid_until == until);
    BOOST_TEST(keys.find(21).predecessor_key_id == id_of(20));
    // Who believes that there is no successor, or another one, comes too late and leaves nothing.
    BOOST_CHECK(code_of(keys.succeed(make_successor(22, 20, keys.now()), "", until)) ==
                Code::conflict);
    BOOST_CHECK(code_of(keys.succeed(make_successor(22, 20, keys.now()), id_of(23), until)) ==
                Code::conflict);
    BOOST_CHECK(code_of(keys.succeed(make_successor(22, 29, keys.now()), "", until)) ==
                Code::conflict);
    BOOST_CHECK(code_of(read_now(keys.store(), [](Transaction& t) {
                    return t.api_keys().find(id_of(22));
                })) == Code::not_found);
    // Who names the one that stands there replaces it.
    const Time sooner = until - Milliseconds(1);
    require_ok(keys.succeed(make_successor(22, 20, keys.now()), id_of(21), sooner));
    BOOST_TEST(keys.find(20).successor_key_id == id_of(22));
    BOOST_CHECK(keys.find(20).valid_until == sooner);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_first_use_is_marked_once, Engine, Engines) {
    Keys<Engine> keys;
    const Time first = keys.now() + Milliseconds(1);
    const auto mark = [&](unsigned key, Time time) {
        bool marked = false;
        write_ok(keys.store(), [&, key, time](Transaction& t) -> Result<> {
            REKEY_TRY_ASSIGN(now_marked, t.api_keys().mark_first_used(id_of(key), time));
            marked = now_marked;
            return {};
        });
        return marked;
    };
    BOOST_TEST(mark(20, first));
    BOOST_TEST(!mark(20, first + Milliseconds(1)));
    BOOST_TEST(!mark(29, first));
    BOOST_CHECK(keys.find(20).first_used_at == first);
    BOOST_CHECK(keys.find(20).last_used_at == first);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_last_use_only_moves_on, Engine, Engines) {
    Keys<Engine> keys;
    const Time later = keys.now() + Milliseconds(9);
    const auto touch = [&](Time time) {
        write_ok(keys.store(), [=](Transaction& t) {
            return t.api_keys().touch_last_used({{id_of(20), time}, {id_of(29), time}});
        });
    };
    touch(later);
    BOOST_CHECK(keys.find(20).last_used_at == later);
    touch(keys.now());
    BOOST_CHECK(keys.find(20).last_used_at == later);
    touch(later + Milliseconds(1));
    BOOST_CHECK(keys.find(20).last_used_at == later + Milliseconds(1));
    BOOST_TEST(!keys.find(20).first_used_at);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_the_keys_that_work_no_more_the_newest_are_kept, Engine, Engines) {
    Keys<Engine> keys;
    const Time now = keys.now();
    write_ok(keys.store(), [now](Transaction& t) -> Result<> {
        ApiKeyRow revoked = make_key(21, now);
        revoked.revoked_at = now;
        ApiKeyRow expired = make_key(22, now);
        expired.expires_at = now;
        ApiKeyRow rotated = make_key(23, now);
        rotated.valid_until = now;
        ApiKeyRow working = make_key(24, now);
        working.valid_until = now + Milliseconds(1);
        for (const auto& row : {revoked, expired, rotated, working})
            REKEY_TRY(t.api_keys().insert(row));
        REKEY_TRY_ASSIGN(trimmed, t.api_keys().trim_dead(id_of(1), now, 1));
        REKEY_TRY_ASSIGN(again, t.api_keys().trim_dead(id_of(1), now, 1));
        REKEY_TRY_ASSIGN(others, t.api_keys().trim_dead(id_of(2), now, 0));
        return trimmed == 2 && again == 0 && others == 0
                   ? Result<>()
                   : Error(Code::internal, "trimmed another number");
    });
    const auto left =
        *read_now(keys.store(), [](Transaction& t) { return t.api_keys().list(id_of(1)); });
    BOOST_REQUIRE(left.size() == 3U);
    BOOST_TEST(left[0].key_id == id_of(20));
    BOOST_TEST(left[1].key_id == id_of(23));
    BOOST_TEST(left[2].key_id == id_of(24));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_answer_is_found_by_its_caller_and_key_alone, Engine, Engines) {
    Keys<Engine> keys;
    const Time later = keys.now() + Milliseconds(9);
    require_ok(keys.put(make_answer(1, "a", 20, later)));
    const auto found = keys.answer(1, "a");
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->caller_id == id_of(1));
    BOOST_CHECK(found->idempotency_key_hash == sha256("a"));
    BOOST_TEST(found->method == "keys.rotate");
    BOOST_CHECK(found->params_hash == sha256("params"));
    BOOST_CHECK((found->sealed_answer == Bytes{1, 0, 255}));
    BOOST_TEST(found->key_id == id_of(20));
    BOOST_CHECK(found->expires_at == later);
    BOOST_CHECK(code_of(keys.answer(1, "b")) == Code::not_found);
    BOOST_CHECK(code_of(keys.answer(2, "a")) == Code::not_found);
    BOOST_CHECK(code_of(keys.put(make_answer(9, "a", 20, later))) == Code::not_found);
    // A newer one takes the place of an older one.
    require_ok(keys.put(make_answer(1, "a", 21, later)));
    BOOST_TEST(keys.answer(1, "a")->key_id == id_of(21));
    BOOST_TEST(*read_now(keys.store(), [](Transaction& t) {
        return t.idempotent_answers().count(id_of(1));
    }) == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(answers_go_with_their_key_and_with_time, Engine, Engines) {
    Keys<Engine> keys;
    const Time soon = keys.now() + Milliseconds(1);
    const Time later = keys.now() + Milliseconds(9);
    for (const auto& row : {make_answer(1, "a", 20, later), make_answer(1, "b", 21, soon),
                            make_answer(2, "a", 20, later), make_answer(2, "c", 22, later)}) {
        require_ok(keys.put(row));
    }
    std::uint64_t removed = 0;
    write_ok(keys.store(), [&](Transaction& t) -> Result<> {
        REKEY_TRY_ASSIGN(count, t.idempotent_answers().remove_of_key(id_of(20)));
        removed = count;
        return {};
    });
    BOOST_TEST(removed == 2U);
    const auto left =
        *read_now(keys.store(), [](Transaction& t) { return t.idempotent_answers().all(); });
    BOOST_REQUIRE(left.size() == 2U);
    for (const IdempotentAnswerRow& row : left) BOOST_TEST(!row.sealed_answer.empty());
    BOOST_TEST(keys.answer(1, "b").has_value());
    write_ok(keys.store(), [&](Transaction& t) -> Result<> {
        REKEY_TRY_ASSIGN(count, t.idempotent_answers().remove_expired(soon));
        removed = count;
        return {};
    });
    BOOST_TEST(removed == 1U);
    BOOST_CHECK(code_of(keys.answer(1, "b")) == Code::not_found);
    BOOST_TEST(keys.answer(2, "c").has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rolled_back_unit_changes_no_key_and_no_answer, Engine, Engines) {
    Keys<Engine> keys;
    const Time later = keys.now() + Milliseconds(9);
    require_ok(keys.put(make_answer(1, "a", 20, later)));
    const auto failed = write_now(keys.store(), [&](Transaction& t) -> Result<> {
        REKEY_TRY(t.api_keys().mark_first_used(id_of(20), later));
        REKEY_TRY(t.api_keys().succeed(make_successor(21, 20, later), "", later));
        REKEY_TRY(t.idempotent_answers().remove_of_key(id_of(20)));
        return Error(Code::wrong_state, "undo all of it");
    });
    BOOST_CHECK(code_of(failed) == Code::wrong_state);
    BOOST_TEST(!keys.find(20).first_used_at);
    BOOST_TEST(keys.find(20).successor_key_id.empty());
    BOOST_TEST(keys.answer(1, "a").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
