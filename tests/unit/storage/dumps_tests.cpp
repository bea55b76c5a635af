#include "storage/sqlite/migrations.hpp"
#include "tests/unit/storage/dump_rows.hpp"
#include "tests/unit/storage/dumps.hpp"

#include <tuple>

// Databases of older schemas become those of this one; those of schema 5 and 6 with all that they
// hold.
namespace rekey::storage::testing {
namespace {

struct Dumped : DumpEngine {
    explicit Dumped(const std::string& name) {
        load_dump(name);
        open();
    }
    template <class Unit>
    auto read(Unit unit) {
        auto value = read_now(store(), std::move(unit));
        BOOST_REQUIRE_MESSAGE(value.has_value(),
                              (value.has_error() ? value.error().message() : std::string()));
        return *value;
    }
};

constexpr const char* kSchema5 = "schema_0005.sql";
constexpr const char* kSchema6 = "schema_0006.sql";
constexpr const char* kBoth[] = {kSchema5, kSchema6};

auto all_of(const ApiKeyRow& key) {
    return std::tie(key.key_id, key.agent_id, key.name, key.key_hash, key.capabilities,
                    key.created_at, key.expires_at, key.revoked_at, key.created_by,
                    key.first_used_at, key.last_used_at, key.valid_until, key.successor_key_id,
                    key.predecessor_key_id);
}
auto all_of(const IdempotentAnswerRow& answer) {
    return std::tie(answer.caller_id, answer.idempotency_key_hash, answer.method,
                    answer.params_hash, answer.sealed_answer, answer.key_id, answer.expires_at);
}
auto all_of(const CapabilityRow& row) {
    return std::tie(row.capability_id, row.name, row.description, row.created_by, row.created_at);
}
auto all_of(const Report& report) {
    return std::tie(report.agent_id, report.kind, report.name, report.details);
}
auto all_of(const ProviderKeyRow& key) {
    return std::tie(key.kid, key.spec, key.next_version, key.row_version, key.created_at,
                    key.versions);
}
auto all_of(const EnrollmentCodeRow& code) {
    return std::tie(code.code_id, code.agent_id, code.code_hash, code.created_by, code.created_at,
                    code.expires_at, code.bound_public_key, code.used_at, code.rotation_id,
                    code.maker_capabilities);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(dumps_tests)

// A program that reads them differently than a new database would need another migration.
BOOST_AUTO_TEST_CASE(each_dump_becomes_the_schema_that_a_new_database_has) {
    constexpr const char* kSchema =
        "SELECT group_concat(sql, ';') FROM "
        "(SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name)";
    DumpEngine fresh;
    fresh.open();
    fresh.close();
    for (const char* name :
         {"schema_0001.sql", "schema_0002.sql", "schema_0004.sql", kSchema5, kSchema6}) {
        Dumped dumped(name);
        dumped.close();
        BOOST_TEST(dumped.text(kSchema) == fresh.text(kSchema), name);
        BOOST_TEST(dumped.number("PRAGMA user_version") ==
                   sqlite::embedded_migrations().back().version);
        BOOST_TEST(dumped.number("SELECT count(*) FROM pragma_foreign_key_check") == 0);
        BOOST_TEST(dumped.text("PRAGMA integrity_check") == "ok");
    }
}

// Those of schema 7 are kept by triggers: they begin with what is there.
BOOST_AUTO_TEST_CASE(the_totals_are_those_of_the_rows) {
    for (const char* name : {"schema_0001.sql", kSchema5, kSchema6}) {
        Dumped dumped(name);
        const auto totals = dumped.read([](Transaction& t) { return t.agents().totals(); });
        write_ok(dumped.store(), [](Transaction& t) { return t.agents().insert(make_agent(90)); });
        const auto more = dumped.read([](Transaction& t) { return t.agents().totals(); });
        dumped.close();
        BOOST_TEST(totals.agents + 1 == more.agents);
        BOOST_TEST(dumped.number("SELECT count(*) FROM agents") ==
                   static_cast<std::int64_t>(more.agents));
        BOOST_TEST(dumped.number("SELECT count(*) FROM agents WHERE type = 'admin'") ==
                   static_cast<std::int64_t>(more.admins));
    }
}

BOOST_AUTO_TEST_CASE(api_keys_keep_their_use_their_rotation_and_the_answer_that_was_lost) {
    for (const char* name : kBoth) {
        Dumped dumped(name);
        const auto keys = dumped.read([](Transaction& t) { return t.api_keys().list(id_of(1)); });
        BOOST_REQUIRE(keys.size() == 4U);
        for (unsigned number = 61; number <= 63; ++number)
            BOOST_CHECK(all_of(keys[number - 60]) == all_of(dumped_key(number)));
        // From before keys rotated.
        BOOST_TEST(keys[0].key_id == id_of(60));
        BOOST_TEST(keys[0].created_by.empty());
        BOOST_TEST(keys[0].successor_key_id.empty());
        BOOST_CHECK(!keys[0].first_used_at && !keys[0].valid_until);

        const auto answer = dumped.read([](Transaction& t) {
            return t.idempotent_answers().find(id_of(1), sha256("idempotency key"));
        });
        BOOST_CHECK(all_of(answer) == all_of(dumped_answer()));
        bool is_first_use = false;
        std::uint64_t removed_answers = 0;
        write_ok(dumped.store(), [&](Transaction& t) -> Result<> {
            REKEY_TRY_ASSIGN(first, t.api_keys().mark_first_used(id_of(62), after(400)));
            REKEY_TRY_ASSIGN(removed, t.idempotent_answers().remove_of_key(id_of(62)));
            is_first_use = first;
            removed_answers = removed;
            return {};
        });
        BOOST_TEST(is_first_use);
        BOOST_TEST(removed_answers == 1U);
    }
}

BOOST_AUTO_TEST_CASE(capabilities_keep_their_registry_and_who_granted_them) {
    for (const char* name : kBoth) {
        Dumped dumped(name);
        const auto registry =
            dumped.read([](Transaction& t) { return t.capability_registry().list("", 100); });
        BOOST_TEST(registry.size() == 8U);  // seven are Rekey's own
        const auto own = dumped.read(
            [](Transaction& t) { return t.capability_registry().find_by_name("files:read"); });
        BOOST_CHECK(all_of(own) == all_of(dumped_capability()));
        const auto grant = dumped.read(
            [](Transaction& t) { return t.capabilities().find(id_of(3), "files:read"); });
        BOOST_TEST(grant.granted_by == id_of(1));
        BOOST_CHECK(grant.granted_at == after(2));
        const auto admins =
            dumped.read([](Transaction& t) { return t.capabilities().list(id_of(1)); });
        BOOST_TEST(admins == std::vector<std::string>{"admin:*"});
    }
}

BOOST_AUTO_TEST_CASE(reports_keep_what_was_said_when_and_how_often) {
    for (const char* name : kBoth) {
        Dumped dumped(name);
        const auto reports = dumped.read([](Transaction& t) { return t.reports().list(id_of(1)); });
        BOOST_REQUIRE(reports.size() == 3U);
        for (const ReportRow& row : reports) {
            const bool twice = row.report.kind == ReportKind::mcp_server;
            BOOST_CHECK(all_of(row.report) == all_of(dumped_report(row.report.kind)));
            BOOST_CHECK(row.first_seen_at == after(10));
            BOOST_CHECK(row.last_seen_at == after(twice ? 20 : 10));
            BOOST_TEST(row.times == (twice ? 2U : 1U));
        }
        const auto noted = dumped.read([](Transaction& t) { return t.reports().list(id_of(2)); });
        BOOST_TEST(noted.empty());
    }
}

BOOST_AUTO_TEST_CASE(signing_keys_keep_each_version_and_are_changed_further) {
    for (const char* name : kBoth) {
        Dumped dumped(name);
        auto keys = dumped.read([](Transaction& t) { return t.provider_keys().list("", 100); });
        BOOST_REQUIRE(keys.size() == 2U);
        BOOST_CHECK(all_of(keys[0]) == all_of(dumped_signing_key()));
        BOOST_CHECK(all_of(keys[1]) == all_of(dumped_symmetric_key()));
        ProviderKeyRow& key = keys[0];
        key.versions[2].state = ProviderKeyState::retiring;
        key.versions[2].retired_at = after(500);
        key.versions[3].state = ProviderKeyState::active;
        write_ok(dumped.store(), [&](Transaction& t) { return t.provider_keys().put(key); });
        BOOST_TEST(key.row_version == 3U);
        const auto again =
            dumped.read([](Transaction& t) { return t.provider_keys().find(id_of(80)); });
        BOOST_CHECK(all_of(again) == all_of(key));
    }
}

BOOST_AUTO_TEST_CASE(checkpoints_keep_their_places_in_a_chain_that_goes_on) {
    for (const char* name : kBoth) {
        Dumped dumped(name);
        auto chain = read_chain(dumped.store());
        BOOST_REQUIRE(chain.size() == kDumpedAuditRows);
        const auto checkpoints =
            dumped.read([](Transaction& t) { return t.audit_checkpoints().list(0, 100); });
        std::vector<AuditCheckpointRow> expected;
        for (const std::uint64_t seq : kDumpedCheckpoints)
            expected.push_back(dumped_checkpoint(seq, chain[seq - 1].hash));
        BOOST_CHECK(checkpoints == expected);
        write_ok(dumped.store(), [](Transaction& t) -> Result<> {
            t.audit().append(make_event("server.started"));
            return {};
        });
        chain = read_chain(dumped.store());
        BOOST_TEST(chain.size() == kDumpedAuditRows + 1);
        BOOST_TEST(!verify_chain(chain));
    }
}

// Nobody knows what the maker of an older code could do, so it gives nothing.
BOOST_AUTO_TEST_CASE(codes_of_schema_5_have_makers_who_could_do_nothing) {
    for (const char* name : kBoth) {
        Dumped dumped(name);
        const auto old =
            dumped.read([](Transaction& t) { return t.enrollment_codes().find(id_of(50)); });
        BOOST_TEST(old.agent_id == id_of(2));
        BOOST_TEST(old.maker_capabilities.empty());
    }
    Dumped dumped(kSchema6);
    const auto code =
        dumped.read([](Transaction& t) { return t.enrollment_codes().find(id_of(51)); });
    BOOST_CHECK(all_of(code) == all_of(dumped_code()));
}

// What came from schema 4 and stands below all of it.
BOOST_AUTO_TEST_CASE(agents_keep_their_tokens_and_alarms) {
    for (const char* name : kBoth) {
        Dumped dumped(name);
        const AgentRow read = dumped.read([](Transaction& t) { return t.agents().find(id_of(1)); });
        BOOST_CHECK(read.credentials == make_full_agent(1).credentials);
        BOOST_TEST(dumped.read([](Transaction& t) { return t.recoveries().grants(id_of(3)); }) ==
                   1U);
        // With an agent goes all that hangs on it, also in the tables of schema 5.
        write_ok(dumped.store(), [](Transaction& t) { return t.agents().remove(id_of(1)); });
        dumped.close();
        for (const char* table : {"idempotent_answers", "agent_reports", "api_keys"})
            BOOST_TEST(dumped.number("SELECT count(*) FROM " + std::string(table)) == 0, table);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
