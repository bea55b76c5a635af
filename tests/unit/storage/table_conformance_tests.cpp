#include "base/limits.hpp"
#include "tests/unit/storage/conformance.hpp"

// What hangs on an agent, settings and facts, alike in every engine.
namespace rekey::storage::testing {
namespace {

Store::Unit insert_row(AgentRow row) {
    return [row = std::move(row)](Transaction& t) { return t.agents().insert(row); };
}

using Ids = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(table_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(the_newest_tombstones_of_an_agent_stay, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), insert_row(make_agent(1)));
    write_ok(engine.store(), insert_row(make_agent(2)));
    const auto bury = [&](unsigned agent, unsigned number) {
        write_ok(engine.store(), [=](Transaction& t) {
            return t.tombstones().insert({id_of(agent), TombstoneKind::token,
                                          sha256(std::to_string(number)), number,
                                          now + Milliseconds(number)});
        });
    };
    const auto buried = [&](unsigned agent, unsigned number) {
        return *read_now(engine.store(), [=](Transaction& t) {
            return t.tombstones().contains(id_of(agent), sha256(std::to_string(number)));
        });
    };
    bury(2, 1);
    constexpr unsigned kMore = 5;
    for (unsigned i = 1; i <= limits::kTombstonesAnAgent + kMore; ++i) bury(1, i);
    for (unsigned i = 1; i <= kMore; ++i) BOOST_TEST(!buried(1, i));
    for (unsigned i = kMore + 1; i <= limits::kTombstonesAnAgent + kMore; ++i)
        BOOST_TEST(buried(1, i));
    const auto newest = limits::kTombstonesAnAgent + kMore;
    const auto found = read_now(engine.store(), [&](Transaction& t) {
        return t.tombstones().find(id_of(1), sha256(std::to_string(newest)));
    });
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->agent_id == id_of(1));
    BOOST_TEST(found->generation == newest);
    BOOST_TEST((found->kind == TombstoneKind::token));
    BOOST_TEST((found->retired_at == now + Milliseconds(newest)));
    const auto other = read_now(engine.store(), [&](Transaction& t) {
        return t.tombstones().find(id_of(2), sha256(std::to_string(newest)));
    });
    BOOST_TEST((other.error().code() == Code::not_found));
    BOOST_TEST(buried(2, 1));
    bury(1, kMore + 1);  // twice
    BOOST_TEST(buried(1, kMore + 1));

    const auto remove = [&](Time before) {
        std::uint64_t removed = 0;
        write_ok(engine.store(), [&](Transaction& t) -> Result<> {
            REKEY_TRY_ASSIGN(count, t.tombstones().remove_older_than(before));
            removed = count;
            return {};
        });
        return removed;
    };
    BOOST_TEST(remove(now + Milliseconds(kMore + 2)) == 2U);  // of agent 2, and the oldest of 1
    BOOST_TEST(!buried(2, 1));
    BOOST_TEST(!buried(1, kMore + 1));
    BOOST_TEST(buried(1, kMore + 2));
    BOOST_CHECK(code_of(write_now(engine.store(), [now](Transaction& t) {
                    return t.tombstones().insert(
                        {id_of(9), TombstoneKind::token, sha256("x"), 1, now});
                })) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_two_racers_with_one_code_one_wins, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), insert_row(make_agent(1)));
    EnrollmentCodeRow code{
        id_of(50), id_of(1), sha256("code"), "admin", now, now + Milliseconds(600'000), {}, {}, {}};
    write_ok(engine.store(), [code](Transaction& t) { return t.enrollment_codes().insert(code); });
    BOOST_CHECK(code_of(write_now(engine.store(), [code](Transaction& t) {
                    return t.enrollment_codes().insert(code);
                })) == Code::already_exists);
    const auto race = [&](const char* key, const char* rotation_id) {
        return write_later(engine.store(), [=](Transaction& t) {
            return t.enrollment_codes().bind(id_of(50), sha256(key), now, rotation_id);
        });
    };
    Gate gate(engine.store());
    auto winner = race("first", "r1");
    auto loser = race("second", "r2");
    gate.release();
    require_ok(wait_for(std::move(winner)));
    const Result<> lost = wait_for(std::move(loser));
    BOOST_CHECK(code_of(lost) == Code::conflict);
    const auto bound = read_now(
        engine.store(), [](Transaction& t) { return t.enrollment_codes().find(id_of(50)); });
    BOOST_CHECK(bound->bound_public_key == sha256("first"));
    BOOST_CHECK(bound->used_at == now);
    BOOST_TEST(bound->rotation_id == "r1");
    BOOST_CHECK(bound->code_hash == sha256("code"));
    BOOST_TEST(bound->created_by == "admin");
    BOOST_CHECK(bound->expires_at == code.expires_at);
    BOOST_CHECK(code_of(write_now(engine.store(), [now](Transaction& t) {
                    return t.enrollment_codes().bind(id_of(51), sha256("k"), now, "r");
                })) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(unused_codes_of_an_agent_become_worthless, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    const Time later = now + Milliseconds(1000);
    write_ok(engine.store(), insert_row(make_agent(1)));
    write_ok(engine.store(), insert_row(make_agent(2)));
    write_ok(engine.store(), [=](Transaction& t) -> Result<> {
        for (const auto& [code, agent, expires] :
             {std::tuple(10U, 1U, later), std::tuple(11U, 1U, later), std::tuple(12U, 2U, later),
              std::tuple(13U, 1U, now - Milliseconds(5))})
            REKEY_TRY(t.enrollment_codes().insert(
                {id_of(code), id_of(agent), sha256("c"), "admin", now, expires, {}, {}, {}}));
        REKEY_TRY(t.enrollment_codes().bind(id_of(11), sha256("k"), now, "r"));
        return t.enrollment_codes().expire_unused(id_of(1), now);
    });
    const auto expiry = [&](unsigned code) {
        return read_now(engine.store(),
                        [=](Transaction& t) { return t.enrollment_codes().find(id_of(code)); })
            ->expires_at;
    };
    BOOST_CHECK(expiry(10) == now);
    BOOST_CHECK(expiry(11) == later);
    BOOST_CHECK(expiry(12) == later);
    BOOST_CHECK(expiry(13) == now - Milliseconds(5));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(api_keys_are_kept_listed_and_revoked, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), insert_row(make_agent(1)));
    ApiKeyRow row{id_of(20),
                  id_of(1),
                  "ci",
                  sha256("key"),
                  std::vector<std::string>{"agents:read", "audit:read"},
                  now,
                  now + Milliseconds(7),
                  {}};
    ApiKeyRow wide{id_of(21), id_of(1), "all", sha256("wide"), {}, now, {}, {}};
    ApiKeyRow none{id_of(22), id_of(1), "none", sha256("none"), std::vector<std::string>{},
                   now,       {},       {}};
    write_ok(engine.store(), [=](Transaction& t) -> Result<> {
        REKEY_TRY(t.api_keys().insert(row));
        REKEY_TRY(t.api_keys().insert(wide));
        return t.api_keys().insert(none);
    });
    const auto find = [&](unsigned key) {
        return *read_now(engine.store(),
                         [=](Transaction& t) { return t.api_keys().find(id_of(key)); });
    };
    BOOST_CHECK(find(20).capabilities == row.capabilities);
    BOOST_CHECK(find(20).key_hash == row.key_hash);
    BOOST_CHECK(find(20).expires_at == row.expires_at);
    BOOST_TEST(find(20).name == "ci");
    BOOST_TEST(!find(21).capabilities);
    BOOST_CHECK(find(22).capabilities == none.capabilities);
    BOOST_TEST(read_now(engine.store(), [](Transaction& t) {
                   return t.api_keys().list(id_of(1));
               })->size() == 3U);

    write_ok(engine.store(), [=](Transaction& t) -> Result<> {
        REKEY_TRY(t.api_keys().revoke(id_of(20), now));
        REKEY_TRY(t.api_keys().revoke(id_of(20), now + Milliseconds(3)));
        REKEY_TRY_ASSIGN(revoked, t.api_keys().revoke_all(id_of(1), now + Milliseconds(4)));
        return revoked == 2 ? Result<>() : Error(Code::internal, "revoked another number");
    });
    BOOST_CHECK(find(20).revoked_at == now);
    BOOST_CHECK(find(21).revoked_at == now + Milliseconds(4));
    BOOST_CHECK(code_of(write_now(engine.store(), [=](Transaction& t) {
                    return t.api_keys().revoke(id_of(29), now);
                })) == Code::not_found);
    BOOST_CHECK(code_of(write_now(engine.store(), [=](Transaction& t) mutable {
                    row.key_id = id_of(30);
                    row.agent_id = id_of(9);
                    return t.api_keys().insert(row);
                })) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(capabilities_are_granted_once, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), insert_row(make_agent(1)));
    write_ok(engine.store(), [=](Transaction& t) -> Result<> {
        REKEY_TRY(t.capabilities().grant(id_of(1), "audit:read", "admin", now));
        REKEY_TRY(t.capabilities().grant(id_of(1), "agents:read", "admin", now));
        return t.capabilities().grant(id_of(1), "audit:read", "other", now);
    });
    BOOST_CHECK((*read_now(engine.store(), [](Transaction& t) {
        return t.capabilities().list(id_of(1));
    }) == Ids{"agents:read", "audit:read"}));
    BOOST_CHECK(read_now(engine.store(), [](Transaction& t) {
                    return t.capabilities().list(id_of(2));
                })->empty());
    BOOST_CHECK(code_of(write_now(engine.store(), [=](Transaction& t) {
                    return t.capabilities().grant(id_of(2), "a", "admin", now);
                })) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(rotations_are_listed_newest_first_and_marked_once, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), [=](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().insert(make_agent(1)));
        REKEY_TRY(t.agents().insert(make_agent(2)));
        for (unsigned i = 1; i <= 6; ++i)
            REKEY_TRY(t.rotations().insert({id_of(100 + i),
                                            id_of(1 + i % 2),
                                            i,
                                            RotationCause::agent,
                                            "who",
                                            now,
                                            {},
                                            {},
                                            {},
                                            {}}));
        return {};
    });
    const auto list = [&](const RotationFilter& filter, const std::string& after,
                          std::size_t limit) {
        Ids ids;
        for (const auto& row : *read_now(engine.store(), [&](Transaction& t) {
                 return t.rotations().list(filter, after, limit);
             }))
            ids.push_back(row.rotation_id);
        return ids;
    };
    BOOST_CHECK((list({}, "", 3) == Ids{id_of(106), id_of(105), id_of(104)}));
    BOOST_CHECK((list({}, id_of(104), 9) == Ids{id_of(103), id_of(102), id_of(101)}));
    BOOST_CHECK((list({.agent_id = id_of(1)}, "", 2) == Ids{id_of(106), id_of(104)}));
    BOOST_CHECK((list({.agent_id = id_of(1)}, id_of(104), 2) == Ids{id_of(102)}));
    BOOST_CHECK(list({.agent_id = id_of(3)}, "", 2).empty());

    write_ok(engine.store(), [=](Transaction& t) -> Result<> {
        for (const std::uint32_t attempt : {1U, 2U}) {
            const Time time = now + Milliseconds(attempt - 1);
            const OfferHistory offers{attempt + 4, time - Milliseconds(9), "disk_full"};
            REKEY_TRY(t.rotations().mark_committed(id_of(101), time, offers));
            REKEY_TRY(t.rotations().mark_activated(id_of(102), time));
            REKEY_TRY(t.rotations().mark_ended(id_of(103), time, offers));
            REKEY_TRY(t.rotations().mark_ended(id_of(999), time, offers));
        }
        return {};
    });
    const auto find = [&](unsigned number) {
        return *read_now(engine.store(),
                         [=](Transaction& t) { return t.rotations().find(id_of(number)); });
    };
    BOOST_CHECK(find(101).committed_at == now && !find(101).activated_at && !find(101).ended_at);
    BOOST_CHECK(find(102).activated_at == now && !find(102).committed_at);
    BOOST_CHECK(find(103).ended_at == now && !find(103).committed_at);
    const OfferHistory first{5, now - Milliseconds(9), "disk_full"};
    BOOST_CHECK(find(101).offers == first && find(103).offers == first);
    BOOST_CHECK(find(102).offers == OfferHistory{} && find(104).offers == OfferHistory{});
    BOOST_TEST(find(103).generation == 3U);
    BOOST_TEST(find(103).actor == "who");
    BOOST_CHECK(find(103).started_at == now);
    BOOST_CHECK(
        code_of(write_now(engine.store(), [=](Transaction& t) {
            return t.rotations().insert(
                {id_of(200), id_of(9), 1, RotationCause::agent, "who", now, {}, {}, {}, {}});
        })) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(settings_and_facts_are_replaced, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        REKEY_TRY(t.settings().set("heartbeat_seconds", 30));
        REKEY_TRY(t.settings().set("heartbeat_seconds", 45));
        REKEY_TRY(t.settings().set("rotate_at_fraction_min", 0.5));
        REKEY_TRY(t.settings().set("expired_token_policy", "recover"));
        REKEY_TRY(t.meta().set("check", Bytes{0, 1}));
        REKEY_TRY(t.meta().set("check", Bytes{0, 2, 0}));
        return t.meta().set("empty", Bytes{});
    });
    const auto settings =
        read_now(engine.store(), [](Transaction& t) { return t.settings().all(); });
    const boost::json::object expected{{"heartbeat_seconds", 45},
                                       {"rotate_at_fraction_min", 0.5},
                                       {"expired_token_policy", "recover"}};
    BOOST_CHECK(*settings == expected);
    const auto fact = [&](std::string_view name) {
        return read_now(engine.store(), [=](Transaction& t) -> Result<Bytes> {
            REKEY_TRY_ASSIGN(value, t.meta().get(name));
            if (!value) return Error(Code::not_found);
            return *value;
        });
    };
    BOOST_CHECK((*fact("check") == Bytes{0, 2, 0}));
    BOOST_CHECK(*fact("empty") == Bytes());
    BOOST_CHECK(code_of(fact("missing")) == Code::not_found);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
