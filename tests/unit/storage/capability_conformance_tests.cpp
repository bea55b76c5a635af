#include "base/limits.hpp"
#include "storage/own_capabilities.hpp"
#include "tests/unit/storage/conformance.hpp"

#include <algorithm>

// What agents may, what can be granted, whom a list finds and what a removal takes along, alike in
// every engine.
namespace rekey::storage::testing {
namespace {

using Names = std::vector<std::string>;

Result<> grant_in(Transaction& t, unsigned agent, std::string_view capability, Time now) {
    return t.capabilities().grant(id_of(agent), capability, "granter", now);
}

template <class Engine>
Names found(Opened<Engine>& engine, const AgentFilter& filter) {
    Names names;
    const auto rows =
        read_now(engine.store(), [&](Transaction& t) { return t.agents().list(filter, "", 100); });
    BOOST_REQUIRE(rows.has_value());
    for (const AgentRow& row : *rows) names.push_back(row.name);
    return names;
}

CapabilityRow make_capability(unsigned number, std::string name) {
    CapabilityRow row;
    row.capability_id = id_of(number);
    row.name = std::move(name);
    row.description = "what it is";
    row.created_by = id_of(1);
    row.created_at = Time(Milliseconds(1'800'000'000'007));
    return row;
}

bool alike(const CapabilityRow& left, const CapabilityRow& right) {
    return left.capability_id == right.capability_id && left.name == right.name &&
           left.description == right.description && left.created_by == right.created_by &&
           left.created_at == right.created_at;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(capability_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_grant_says_by_whom_and_ends_when_revoked, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), [now](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().insert(make_agent(1)));
        REKEY_TRY(t.agents().insert(make_agent(2)));
        REKEY_TRY(grant_in(t, 1, "files:read", now));
        REKEY_TRY(grant_in(t, 1, "admin:*", now));
        // A second grant changes nothing.
        REKEY_TRY(t.capabilities().grant(id_of(1), "admin:*", "another", now + Milliseconds(1)));
        return grant_in(t, 2, "admin:*", now);
    });
    const auto grants =
        read_now(engine.store(), [](Transaction& t) { return t.capabilities().grants(id_of(1)); });
    BOOST_REQUIRE(grants->size() == 2U);
    const GrantRow& first = grants->front();
    BOOST_TEST(first.agent_id == id_of(1));
    BOOST_TEST(first.capability == "admin:*");
    BOOST_TEST(first.granted_by == "granter");
    BOOST_TEST((first.granted_at == now));
    BOOST_TEST(grants->back().capability == "files:read");
    const auto one = read_now(engine.store(), [](Transaction& t) {
        return t.capabilities().find(id_of(1), "files:read");
    });
    BOOST_TEST(one->granted_by == "granter");
    const auto missing = read_now(engine.store(), [](Transaction& t) {
        return t.capabilities().find(id_of(2), "files:read");
    });
    BOOST_TEST((code_of(missing) == Code::not_found));

    const auto holders = [&](const std::string& after, std::size_t limit) {
        return *read_now(engine.store(), [&](Transaction& t) {
            return t.capabilities().holders("admin:*", after, limit);
        });
    };
    BOOST_TEST((holders("", 10) == Names{id_of(1), id_of(2)}));
    BOOST_TEST((holders("", 1) == Names{id_of(1)}));
    BOOST_TEST((holders(id_of(1), 10) == Names{id_of(2)}));

    const auto revoke = [&](unsigned agent, std::string_view capability) {
        return write_now(engine.store(), [=](Transaction& t) {
            return t.capabilities().revoke(id_of(agent), capability);
        });
    };
    require_ok(revoke(1, "admin:*"));
    BOOST_TEST((code_of(revoke(1, "admin:*")) == Code::not_found));
    BOOST_TEST((code_of(revoke(1, "files:*")) == Code::not_found));
    BOOST_TEST((holders("", 10) == Names{id_of(2)}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_registry_begins_with_what_rekey_itself_asks_for, Engine,
                              Engines) {
    Opened<Engine> engine;
    const auto rows = *read_now(
        engine.store(), [](Transaction& t) { return t.capability_registry().list("", 100); });
    auto own = kOwnCapabilities;
    std::ranges::sort(own, {}, &OwnCapability::name);
    BOOST_TEST_REQUIRE(rows.size() == own.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        BOOST_TEST(rows[i].name == own[i].name);
        BOOST_TEST(rows[i].capability_id == own[i].capability_id);
        BOOST_TEST(rows[i].description == own[i].description);
        BOOST_TEST(rows[i].created_by.empty());
        BOOST_TEST((rows[i].created_at == Time{}));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(capabilities_are_registered_once_and_paged_by_name, Engine, Engines) {
    Opened<Engine> engine;
    const auto insert = [&](const CapabilityRow& row) {
        return write_now(engine.store(),
                         [row](Transaction& t) { return t.capability_registry().insert(row); });
    };
    require_ok(insert(make_capability(31, "files:write")));
    require_ok(insert(make_capability(32, "files:read")));
    require_ok(insert(make_capability(33, "file_s:x")));
    BOOST_TEST((code_of(insert(make_capability(34, "files:read"))) == Code::already_exists));
    BOOST_TEST((code_of(insert(make_capability(31, "files:list"))) == Code::already_exists));
    const auto read = [&](const auto& find) { return read_now(engine.store(), find); };
    BOOST_TEST(alike(*read([](Transaction& t) { return t.capability_registry().find(id_of(32)); }),
                     make_capability(32, "files:read")));
    BOOST_TEST(alike(
        *read([](Transaction& t) { return t.capability_registry().find_by_name("files:write"); }),
        make_capability(31, "files:write")));
    BOOST_TEST((code_of(read([](Transaction& t) {
                    return t.capability_registry().find_by_name("files:*");
                })) == Code::not_found));
    BOOST_TEST((code_of(read([](Transaction& t) {
                    return t.capability_registry().find(id_of(39));
                })) == Code::not_found));
    const auto page =
        *read([](Transaction& t) { return t.capability_registry().list("audit:read", 2); });
    BOOST_TEST_REQUIRE(page.size() == 2U);
    BOOST_TEST(page[0].name == "file_s:x");
    BOOST_TEST(page[1].name == "files:read");
    const auto any_under = [&](const std::string& prefix) {
        return *read(
            [prefix](Transaction& t) { return t.capability_registry().any_under(prefix); });
    };
    BOOST_TEST(any_under("files:"));
    BOOST_TEST(any_under("audit:"));
    BOOST_TEST(!any_under("file:"));
    BOOST_TEST(!any_under("zoo:"));
    BOOST_TEST(!any_under("fil_s:"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_list_takes_owner_labels_enrollment_and_grants, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), [now](Transaction& t) -> Result<> {
        AgentRow one = make_agent(1, "one");
        one.owner = "ops";
        one.labels = {{"site", "paris"}, {"tier", "1"}};
        AgentRow two = make_agent(2, "two");
        two.owner = "dev";
        two.labels = {{"site", "paris"}, {"tier", "2"}};
        two.enrolled_at = now;
        AgentRow three = make_agent(3, "three");
        three.identity_public_key = sha256("key");
        for (const AgentRow& row : {one, two, three}) REKEY_TRY(t.agents().insert(row));
        REKEY_TRY(grant_in(t, 1, "files:read", now));
        REKEY_TRY(grant_in(t, 1, "files:*", now));
        return grant_in(t, 3, "admin:*", now);
    });
    BOOST_TEST((found(engine, {.owner = "ops"}) == Names{"one"}));
    BOOST_TEST((found(engine, {.labels = {{"site", "paris"}}}) == Names{"one", "two"}));
    BOOST_TEST((found(engine, {.labels = {{"site", "paris"}, {"tier", "2"}}}) == Names{"two"}));
    BOOST_TEST(found(engine, {.labels = {{"site", ""}}}).empty());
    BOOST_TEST(found(engine, {.labels = {{"rack", "1"}}}).empty());
    BOOST_TEST((found(engine, {.enrolled = true}) == Names{"two", "three"}));
    BOOST_TEST((found(engine, {.enrolled = false}) == Names{"one"}));
    BOOST_TEST((found(engine, {.granted_any_of = {"files:read"}}) == Names{"one"}));
    BOOST_TEST((found(engine, {.granted_any_of = {"files:*", "files:read", "admin:*"}}) ==
                Names{"one", "three"}));
    BOOST_TEST(found(engine, {.owner = "dev", .granted_any_of = {"admin:*"}}).empty());
    BOOST_TEST(found(engine, {.type = "daemon"}).size() == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_code_keeps_what_its_maker_could, Engine, Engines) {
    Opened<Engine> engine;
    EnrollmentCodeRow code;
    code.code_id = id_of(50);
    code.agent_id = id_of(1);
    code.maker_capabilities = {"agents:write", "files:*"};
    write_ok(engine.store(), [code](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().insert(make_agent(1)));
        return t.enrollment_codes().insert(code);
    });
    const auto read = read_now(engine.store(),
                               [](Transaction& t) { return t.enrollment_codes().find(id_of(50)); });
    BOOST_TEST((read->maker_capabilities == code.maker_capabilities));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_removed_agent_leaves_its_trail_and_its_rotations, Engine, Engines) {
    Opened<Engine> engine;
    const Time now = engine.clock.now();
    write_ok(engine.store(), [now](Transaction& t) -> Result<> {
        for (const unsigned agent : {1U, 2U}) {
            REKEY_TRY(t.agents().insert(make_agent(agent)));
            REKEY_TRY(grant_in(t, agent, "files:read", now));
            REKEY_TRY(
                t.tombstones().insert({id_of(agent), TombstoneKind::token, sha256("old"), 1, now}));
            EnrollmentCodeRow code;
            code.code_id = id_of(50 + agent);
            code.agent_id = id_of(agent);
            REKEY_TRY(t.enrollment_codes().insert(code));
            ApiKeyRow key;
            key.key_id = id_of(60 + agent);
            key.agent_id = id_of(agent);
            REKEY_TRY(t.api_keys().insert(key));
            IdempotentAnswerRow answer;
            answer.caller_id = id_of(agent);
            answer.key_id = key.key_id;
            answer.expires_at = now + std::chrono::minutes(1);
            REKEY_TRY(t.idempotent_answers().put(answer));
            RotationRow rotation;
            rotation.rotation_id = id_of(70 + agent);
            rotation.agent_id = id_of(agent);
            REKEY_TRY(t.rotations().insert(rotation));
            REKEY_TRY(t.recoveries().charge(id_of(agent), now, id_of(70 + agent)));
            REKEY_TRY(t.recoveries().grant(id_of(agent)));
        }
        t.audit().append(make_event("agent.created", id_of(1)));
        return {};
    });
    const auto remove = [&](unsigned agent) {
        return write_now(engine.store(),
                         [agent](Transaction& t) { return t.agents().remove(id_of(agent)); });
    };
    // A unit that fails takes nothing along.
    const auto failed = write_now(engine.store(), [](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().remove(id_of(1)));
        return Error(Code::conflict, "undo it");
    });
    BOOST_TEST((code_of(failed) == Code::conflict));
    BOOST_TEST(read_now(engine.store(), [](Transaction& t) {
                   return t.api_keys().find(id_of(61));
               }).has_value());
    require_ok(remove(1));
    BOOST_TEST((code_of(remove(1)) == Code::not_found));

    const auto left = [&](unsigned agent) {
        return *read_now(engine.store(), [agent](Transaction& t) -> Result<std::size_t> {
            const std::string id = id_of(agent);
            std::size_t count = t.agents().find(id).has_value() ? 1 : 0;
            count += t.agents().find_by_name("agent-" + std::to_string(agent)).has_value() ? 1 : 0;
            count += t.capabilities().list(id)->size();
            count += *t.tombstones().contains(id, sha256("old")) ? 1 : 0;
            count += t.enrollment_codes().find(id_of(50 + agent)).has_value() ? 1 : 0;
            count += t.api_keys().find(id_of(60 + agent)).has_value() ? 1 : 0;
            count += t.recoveries().charged_since(id, Time{}, 10)->size();
            count += *t.recoveries().grants(id);
            count += *t.idempotent_answers().count(id);
            return count;
        });
    };
    BOOST_TEST(left(1) == 0U);
    BOOST_TEST(left(2) == 9U);
    BOOST_TEST(read_now(engine.store(), [](Transaction& t) {
                   return t.rotations().find(id_of(71));
               }).has_value());
    BOOST_TEST(read_chain(engine.store()).size() == 1U);
    // Its name is free, for another id.
    write_ok(engine.store(),
             [](Transaction& t) { return t.agents().insert(make_agent(3, "agent-1")); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
