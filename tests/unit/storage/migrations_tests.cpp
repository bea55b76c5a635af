#include "storage/audit_chain.hpp"
#include "storage/sqlite/migrations.hpp"
#include "tests/unit/storage/dumps.hpp"
#include "tests/unit/storage/failing_disk.hpp"

#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace rekey::storage::testing {
namespace {

using sqlite::Connection;
using sqlite::Migration;

struct Fixture : DumpEngine {
    std::unique_ptr<Connection> connect() {
        std::ofstream(path(), std::ios::app).flush();  // the store makes the file by itself
        auto connection = Connection::open({path(), vfs});
        BOOST_REQUIRE(connection.has_value());
        require_ok((*connection)->tune(Connection::Role::writer));
        return std::move(*connection);
    }
    std::size_t migrate_to(const std::vector<Migration>& migrations) {
        return sqlite::migrate(*connect(), migrations, clock);
    }
    static std::vector<Migration> embedded_and(const Migration& one) {
        const auto embedded = sqlite::embedded_migrations();
        std::vector<Migration> migrations(embedded.begin(), embedded.end());
        migrations.push_back(one);
        migrations.back().version = static_cast<std::int64_t>(migrations.size());
        return migrations;
    }
    static std::int64_t newest() { return sqlite::embedded_migrations().back().version; }
};

constexpr Migration kAddRegion{0, "add_region", "aa",
                               "ALTER TABLE agents ADD COLUMN region TEXT;"
                               "UPDATE agents SET region = 'eu';"};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(migrations_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_fresh_database_gets_the_newest_schema_and_says_so) {
    open();
    close();
    BOOST_TEST(number("PRAGMA user_version") == newest());
    BOOST_TEST(number("PRAGMA application_id") == sqlite::kApplicationId);
    BOOST_TEST(number("SELECT count(*) FROM schema_migrations WHERE length(checksum) = 64") ==
               newest());
    BOOST_TEST(number("SELECT applied_at FROM schema_migrations WHERE version = 1") ==
               clock.now().time_since_epoch().count());
    BOOST_TEST(number("SELECT count(*) FROM pragma_foreign_key_check") == 0);
    clock.advance(Milliseconds(1));
    open();
    close();
    BOOST_TEST(number("SELECT applied_at FROM schema_migrations WHERE version = 1") ==
               clock.now().time_since_epoch().count() - 1);
}

BOOST_AUTO_TEST_CASE(a_database_of_schema_1_is_migrated_with_its_agents) {
    load_dump("schema_0001.sql");
    open();
    AgentRow full = make_full_agent(1);
    full.credentials.reuse_floor = full.credentials.next_generation;
    full.credentials.reuse.reset();
    full.credentials.contested.reset();
    const auto read = read_now(store(), [](Transaction& t) { return t.agents().find(id_of(1)); });
    BOOST_REQUIRE(read.has_value());
    BOOST_CHECK(read->credentials == full.credentials);
    BOOST_CHECK(read->labels == full.labels);
    // Of a rotation from before its offers were kept, nothing is known.
    const auto rotation = read_now(
        store(), [](Transaction& t) { return t.rotations().list({.agent_id = id_of(1)}, "", 1); });
    BOOST_REQUIRE(rotation.has_value() && rotation->size() == 1U);
    BOOST_CHECK(rotation->front().offers == OfferHistory{});
    const auto old = read_now(store(), [](Transaction& t) { return t.agents().find(id_of(3)); });
    BOOST_REQUIRE(old->credentials.current);
    BOOST_TEST(!old->credentials.current->expires_at);
    BOOST_TEST(read_now(store(), [](Transaction& t) { return t.agents().totals(); })->agents == 3U);
    BOOST_TEST(*read_now(store(), [](Transaction& t) {
        return t.tombstones().contains(id_of(1), sha256("buried"));
    }));

    write_ok(store(), [](Transaction& t) -> Result<> {
        REKEY_TRY_ASSIGN(row, t.agents().find(id_of(1)));
        REKEY_TRY(t.agents().update(row));
        t.audit().append(make_event("agent.updated", id_of(1)));
        return {};
    });
    // What later schemas brought is there for the agents of the old one.
    write_ok(store(), [now = clock.now()](Transaction& t) -> Result<> {
        REKEY_TRY(t.recoveries().charge(id_of(1), now, id_of(60)));
        return t.recoveries().grant(id_of(3));
    });
    const auto chain = read_chain(store());
    BOOST_TEST(chain.size() == 4U);
    BOOST_TEST(!verify_chain(chain));
    close();
    BOOST_TEST(number("PRAGMA user_version") == newest());
}

BOOST_AUTO_TEST_CASE(a_database_of_schema_2_keeps_what_its_rotations_needed) {
    load_dump("schema_0002.sql");
    open();
    const auto rotation = read_now(
        store(), [](Transaction& t) { return t.rotations().list({.agent_id = id_of(1)}, "", 1); });
    BOOST_REQUIRE(rotation.has_value() && rotation->size() == 1U);
    const OfferHistory offers{3, Time(std::chrono::milliseconds(1799999999000)), "disk_full"};
    BOOST_CHECK(rotation->front().offers == offers);
    BOOST_TEST(!verify_chain(read_chain(store())));
    close();
    BOOST_TEST(number("PRAGMA user_version") == newest());
}

BOOST_AUTO_TEST_CASE(a_database_of_the_fourth_schema_keeps_its_alarms_and_what_recoveries_cost) {
    load_dump("schema_0004.sql");
    open();
    const auto read = read_now(store(), [](Transaction& t) { return t.agents().find(id_of(1)); });
    BOOST_REQUIRE(read.has_value());
    const AgentRow full = make_full_agent(1);
    BOOST_CHECK(read->credentials.reuse == full.credentials.reuse);
    BOOST_CHECK(read->credentials.contested == full.credentials.contested);
    BOOST_TEST(read->credentials.reuse_floor == full.credentials.reuse_floor);
    BOOST_TEST(!verify_chain(read_chain(store())));
    close();
    BOOST_TEST(number("SELECT count(*) FROM recovery_charges") == 1);
    BOOST_TEST(number("SELECT units FROM recovery_grants") == 1);
    BOOST_TEST(number("PRAGMA user_version") == newest());
}

BOOST_AUTO_TEST_CASE(a_later_migration_is_applied_once_and_keeps_the_rows) {
    load_dump("schema_0001.sql");
    // One more than the program has, and one was applied before the dump.
    BOOST_TEST(migrate_to(embedded_and(kAddRegion)) == static_cast<std::size_t>(newest()));
    BOOST_TEST(number("SELECT count(*) FROM agents WHERE region = 'eu'") == 3);
    BOOST_TEST(number("PRAGMA user_version") == newest() + 1);
    BOOST_TEST(migrate_to(embedded_and(kAddRegion)) == 0U);
    BOOST_CHECK_THROW(open(), StartupError);  // newer than the program
}

BOOST_AUTO_TEST_CASE(a_failed_migration_leaves_no_trace) {
    load_dump("schema_0001.sql");
    Migration broken = kAddRegion;
    broken.sql = "ALTER TABLE agents ADD COLUMN region TEXT; UPDATE agents SET nonsense = 1;";
    BOOST_CHECK_EXCEPTION(
        migrate_to(embedded_and(broken)), StartupError, [](const StartupError& error) {
            const std::string line = error.what();
            return line.find("cannot migrate to schema") != line.npos &&
                   line.find("add_region") != line.npos && line.find("nonsense") != line.npos;
        });
    BOOST_TEST(number("PRAGMA user_version") == newest());
    BOOST_TEST(number("SELECT count(*) FROM pragma_table_info('agents') WHERE name = 'region'") ==
               0);
    BOOST_TEST(migrate_to(embedded_and(kAddRegion)) == 1U);
}

BOOST_AUTO_TEST_CASE(a_migration_that_orphans_rows_is_refused) {
    load_dump("schema_0001.sql");
    Migration broken = kAddRegion;
    broken.sql = "DELETE FROM agents WHERE agent_id IN (SELECT agent_id FROM tombstones);";
    BOOST_CHECK_THROW(migrate_to(embedded_and(broken)), StartupError);
    BOOST_TEST(number("SELECT count(*) FROM agents") == 3);
}

// Killed in front of its first write, its second and so on, until one is not reached any more: the
// next start finds the old schema or the new one, whole.
BOOST_AUTO_TEST_CASE(an_interrupted_migration_is_done_by_the_next_start) {
    for (const bool fresh : {true, false}) {
        bool finished = false;
        for (int write = 1; !finished; ++write) {
            BOOST_REQUIRE(write < 1000);
            for (const char* end : {"", "-wal", "-shm", "-journal"})
                ::unlink((path() + end).c_str());
            if (!fresh) load_dump("schema_0001.sql");
            const pid_t child = ::fork();
            BOOST_REQUIRE(child >= 0);
            if (child == 0) {
                FailingDisk disk;
                disk.die_at_write = write;
                vfs = FailingDisk::name();
                migrate_to(embedded_and(kAddRegion));
                ::_exit(0);
            }
            int status = 0;
            BOOST_REQUIRE_EQUAL(::waitpid(child, &status, 0), child);
            BOOST_REQUIRE(WIFEXITED(status));
            finished = WEXITSTATUS(status) == 0;
            BOOST_REQUIRE(finished || WEXITSTATUS(status) == 9);
            migrate_to(embedded_and(kAddRegion));
            BOOST_TEST(number("SELECT count(*) FROM agents WHERE region = 'eu'") ==
                       (fresh ? 0 : 3));
            BOOST_TEST(number("PRAGMA user_version") == newest() + 1);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
