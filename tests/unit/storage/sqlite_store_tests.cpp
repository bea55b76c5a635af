#include "base/durable_file.hpp"
#include "base/limits.hpp"
#include "storage/audit_chain.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "tests/unit/storage/conformance.hpp"
#include "tests/unit/storage/failing_disk.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>
#include <sys/stat.h>

// What only a database in a file can do wrong: refusals at start, a failing disk, rows from
// outside.
namespace rekey::storage::testing {
namespace {

struct Fixture : SqliteEngine {
    // The one line that the start ends with; empty if it succeeds.
    std::string refusal() {
        try {
            open();
        } catch (const StartupError& error) {
            return error.what();
        }
        close();
        return "";
    }
    void execute(const std::string& sql) const {
        SQLite::Database(path(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
    }
    [[nodiscard]] unsigned mode(const std::string& file) const {
        struct stat status{};
        BOOST_REQUIRE_EQUAL(::stat(file.c_str(), &status), 0);
        return status.st_mode & 0777U;
    }
    std::uint64_t count() {
        return read_now(store(), [](Transaction& t) { return t.agents().totals(); })->agents;
    }
};

bool says(const std::string& line, std::string_view words) {
    return line.find(words) != std::string::npos;
}

Store::Unit insert_agent(unsigned number) {
    return [number](Transaction& t) -> Result<> {
        REKEY_TRY(t.agents().insert(make_agent(number)));
        t.audit().append(make_event("agent.created", id_of(number)));
        return {};
    };
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(sqlite_store_tests, Fixture)

BOOST_AUTO_TEST_CASE(its_files_are_private) {
    open();
    write_ok(store(), insert_agent(1));
    for (const char* end : {"", "-wal", "-shm", ".lock"}) BOOST_TEST(mode(path() + end) == 0600U);
    close();
    BOOST_REQUIRE_EQUAL(::chmod(path().c_str(), 0644), 0);
    open();
    BOOST_TEST(mode(path()) == 0600U);
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_not_there_is_named) {
    const std::string lost = path() + "/nowhere/rekey.db";
    BOOST_CHECK_EXCEPTION(static_cast<void>(open_sqlite_store({lost, clock, *log, 2, {}})),
                          StartupError,
                          [&](const StartupError& error) { return says(error.what(), lost); });
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_database_is_refused_and_stays) {
    for (const std::string& content : {std::string("short"), std::string(9000, 'x')}) {
        BOOST_REQUIRE(!write_durably(path(), content));
        BOOST_TEST(says(refusal(), path() + " is not a database"));
        BOOST_TEST(*rekey::read_file(path(), 10'000) == content);
    }
}

BOOST_AUTO_TEST_CASE(a_database_of_another_program_is_refused_and_stays) {
    execute("CREATE TABLE notes (text); PRAGMA user_version = 1");
    const std::string before = *rekey::read_file(path(), 1'000'000);
    BOOST_TEST(says(refusal(), path() + " is a database of another program"));
    execute("PRAGMA application_id = 12345");
    BOOST_TEST(says(refusal(), "another program"));
    execute("PRAGMA application_id = 0");
    BOOST_TEST(rekey::read_file(path(), 1'000'000)->size() == before.size());
}

BOOST_AUTO_TEST_CASE(a_newer_schema_is_refused) {
    BOOST_TEST(refusal() == "");
    execute("PRAGMA user_version = 99");
    BOOST_TEST(says(refusal(), "has schema 99"));
}

BOOST_AUTO_TEST_CASE(an_altered_migration_is_refused) {
    BOOST_TEST(refusal() == "");
    execute("UPDATE schema_migrations SET checksum = 'ff'");
    BOOST_TEST(says(refusal(), "another migration 1"));
    execute("DELETE FROM schema_migrations");
    BOOST_TEST(says(refusal(), "lists 0 migrations"));
}

BOOST_AUTO_TEST_CASE(a_second_process_is_refused) {
    open();
    BOOST_CHECK_EXCEPTION(static_cast<void>(open_sqlite_store({path(), clock, *log, 2, {}})),
                          StartupError, [](const StartupError& error) {
                              return says(error.what(), "held by another process (pid ") &&
                                     error.exit_code() == 75;
                          });
    write_ok(store(), insert_agent(1));
}

BOOST_AUTO_TEST_CASE(nothing_is_committed_to_files_that_were_taken_away) {
    open();
    write_ok(store(), insert_agent(1));
    for (const std::string& file : {path(), path() + "-wal"}) {
        const std::string away = file + ".away";
        BOOST_REQUIRE_EQUAL(::rename(file.c_str(), away.c_str()), 0);
        BOOST_CHECK(code_of(write_now(store(), insert_agent(2))) == Code::unavailable);
        BOOST_TEST(rekey::read_file(file, 1).error().message().find("cannot open") == 0U);
        BOOST_TEST(count() == 1U);
        BOOST_REQUIRE(!write_durably(file, "another one"));
        BOOST_CHECK(code_of(write_now(store(), insert_agent(2))) == Code::unavailable);
        BOOST_REQUIRE_EQUAL(::rename(away.c_str(), file.c_str()), 0);
    }
    write_ok(store(), insert_agent(2));
    close();
    open();
    BOOST_TEST(count() == 2U);
}

BOOST_AUTO_TEST_CASE(a_commit_that_fails_fails_for_all_and_is_forgotten) {
    FailingDisk disk;
    vfs = FailingDisk::name();
    open();
    write_ok(store(), insert_agent(1));

    Gate gate(store());
    disk.syncs_fail = true;
    auto gated = write_later(store(), insert_agent(2));
    auto refused =
        write_later(store(), [](Transaction&) -> Result<> { return Error(Code::wrong_state); });
    auto other = write_later(store(), insert_agent(3));
    gate.release();  // its own commit has nothing to write
    for (auto* answer : {&gated, &refused, &other})
        BOOST_CHECK(code_of(wait_for(std::move(*answer))) == Code::unavailable);
    BOOST_TEST(count() == 1U);
    BOOST_CHECK(code_of(write_now(store(), insert_agent(4))) == Code::unavailable);

    // The writer is started again by the next write, and nothing of the failed ones is left.
    disk.syncs_fail = false;
    write_ok(store(), insert_agent(5));
    BOOST_TEST(count() == 2U);
    close();
    open();
    BOOST_TEST(count() == 2U);
    const auto chain = read_chain(store());
    BOOST_REQUIRE_EQUAL(chain.size(), 2U);
    BOOST_TEST(chain[1].event.subject == id_of(5));
    BOOST_TEST(!verify_chain(chain));
    close();
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_unavailable_until_there_is_room) {
    FailingDisk disk;
    vfs = FailingDisk::name();
    std::ostringstream lines;
    log = std::make_unique<Log>(
        LogLevel::info, LogFormat::logfmt,
        std::make_shared<spdlog::logger>(
            "", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines, true)));
    open();
    write_ok(store(), insert_agent(1));
    disk.full = true;
    for (unsigned i = 2; i < 6; ++i) {
        const auto failed = write_now(store(), insert_agent(i));
        BOOST_CHECK(code_of(failed) == Code::unavailable);
        BOOST_TEST(says(failed.error().message(), "full"));
        BOOST_TEST(count() == 1U);
    }
    disk.full = false;
    write_ok(store(), insert_agent(6));
    BOOST_TEST(count() == 2U);
    BOOST_TEST(!verify_chain(read_chain(store())));
    close();
    // One line when it begins and one when it ends, not one a commit.
    const std::string text = lines.str();
    const std::size_t failed = text.find("storage.commit_failed");
    const std::size_t recovered = text.find("storage.commit_recovered");
    BOOST_TEST(failed < recovered);
    BOOST_TEST(recovered != text.npos);
    BOOST_TEST(text.find("storage.commit_failed", failed + 1) == text.npos);
}

BOOST_AUTO_TEST_CASE(a_transaction_that_runs_full_in_a_unit_is_lost_whole) {
    open();
    write_ok(store(), insert_agent(1));
    close();
    // Real SQLITE_FULL, from a statement: SQLite then ends the transaction by itself.
    FailingDisk disk;
    vfs = FailingDisk::name();
    open();
    Gate gate(store());
    auto first = write_later(store(), insert_agent(2));
    // More pages than the writer's cache holds, so that some are written before the commit.
    auto greedy = write_later(store(), [&disk](Transaction& t) -> Result<> {
        disk.full = true;
        const Bytes megabyte(1'000'000);
        for (int i = 0; i < 64; ++i)
            REKEY_TRY(t.meta().set("greedy-" + std::to_string(i), megabyte));
        return {};
    });
    auto third = write_later(store(), insert_agent(3));
    gate.release();
    for (auto* answer : {&first, &greedy, &third})
        BOOST_CHECK(code_of(wait_for(std::move(*answer))) == Code::unavailable);
    disk.full = false;
    write_ok(store(), insert_agent(4));
    BOOST_TEST(count() == 2U);
    close();
}

BOOST_AUTO_TEST_CASE(a_read_sees_nothing_of_an_open_transaction) {
    open();
    auto inserted = std::make_shared<std::promise<void>>();
    auto go_on = std::make_shared<std::promise<void>>();
    auto written = write_later(store(), [=](Transaction& t) -> Result<> {
        REKEY_TRY(insert_agent(1)(t));
        inserted->set_value();
        go_on->get_future().wait();
        return {};
    });
    inserted->get_future().wait();
    const std::uint64_t before = count();
    go_on->set_value();
    require_ok(wait_for(std::move(written)));
    BOOST_TEST(before == 0U);
    BOOST_TEST(count() == 1U);
}

BOOST_AUTO_TEST_CASE(a_read_that_takes_too_long_is_ended) {
    open(1);
    write_ok(store(), [](Transaction& t) -> Result<> {
        for (unsigned i = 0; i < 400; ++i) REKEY_TRY(t.agents().insert(make_agent(i)));
        return {};
    });
    const auto list_after = [&](Milliseconds wait) {
        return read_now(store(), [&, wait](Transaction& t) {
            clock.advance(wait);
            return t.agents().list({}, "", 400);
        });
    };
    BOOST_CHECK(code_of(list_after(limits::kReadTransaction + Milliseconds(1))) ==
                Code::unavailable);
    BOOST_TEST(list_after(limits::kReadTransaction)->size() == 400U);
}

BOOST_AUTO_TEST_CASE(too_many_writes_are_refused_at_once) {
    open();
    Gate gate(store());
    std::atomic<std::size_t> kept = 0;
    std::atomic<std::size_t> refused = 0;
    for (std::size_t i = 0; i < limits::kWriteQueueUnits + 3; ++i)
        store().write([](Transaction&) -> Result<> { return {}; },
                      [&](const Result<>& result) {
                          if (result.has_value())
                              ++kept;
                          else if (result.error().code() == Code::overloaded)
                              ++refused;
                      });
    BOOST_TEST(refused == 3U);
    gate.release();
    close();
    BOOST_TEST(kept == limits::kWriteQueueUnits);
}

BOOST_AUTO_TEST_CASE(the_schema_refuses_words_that_the_program_does_not_know) {
    BOOST_TEST(refusal() == "");
    open();
    write_ok(store(), [](Transaction& t) { return t.agents().insert(make_full_agent(1)); });
    close();
    for (const char* column : {"status", "requested_cause"})
        BOOST_CHECK_THROW(execute("UPDATE agents SET " + std::string(column) + " = 'other'"),
                          SQLite::Exception);
    for (const char* sql :
         {"UPDATE agents SET token_hash = x'00'", "UPDATE agents SET token_hash = NULL",
          "UPDATE agents SET sealed_pending_token = NULL", "UPDATE agents SET next_generation = 1",
          "UPDATE agents SET created_at = 'today'"})
        BOOST_CHECK_THROW(execute(sql), SQLite::Exception);
}

BOOST_AUTO_TEST_CASE(a_row_that_cannot_be_read_is_corrupt_and_not_guessed_at) {
    open();
    write_ok(store(), insert_agent(1));
    write_ok(store(), insert_agent(2));
    close();
    for (const char* damage :
         {"status = 'unknown'", "labels = '[1]'", "labels = '{\"a\":1}'", "metadata = '{'"}) {
        execute("PRAGMA ignore_check_constraints = ON; UPDATE agents SET " + std::string(damage) +
                " WHERE agent_id = '" + id_of(1) + "'");
        open();
        BOOST_CHECK(code_of(read_now(store(), [](Transaction& t) {
                        return t.agents().find(id_of(1));
                    })) == Code::corrupt);
        BOOST_TEST(read_now(store(), [](Transaction& t) {
                       return t.agents().find(id_of(2));
                   }).has_value());
        close();
        execute("UPDATE agents SET status = 'active', labels = '{}', metadata = '{}'");
    }
}

BOOST_AUTO_TEST_CASE(a_token_of_an_older_schema_has_no_expiry) {
    open();
    write_ok(store(), [](Transaction& t) { return t.agents().insert(make_full_agent(1)); });
    close();
    execute("UPDATE agents SET token_expires_at = NULL");
    open();
    const auto row = read_now(store(), [](Transaction& t) { return t.agents().find(id_of(1)); });
    BOOST_REQUIRE(row->credentials.current);
    BOOST_TEST(!row->credentials.current->expires_at);
}

BOOST_AUTO_TEST_CASE(an_altered_audit_row_is_found_in_the_database) {
    open();
    for (unsigned i = 1; i <= 5; ++i) write_ok(store(), insert_agent(i));
    BOOST_TEST(!verify_chain(read_chain(store())));
    close();
    execute("UPDATE audit SET details = 'no JSON' WHERE seq = 4");
    open();
    auto fault = verify_chain(read_chain(store()));
    BOOST_REQUIRE(fault);
    BOOST_CHECK(fault->kind == ChainFaultKind::altered);
    BOOST_TEST(fault->seq == 4U);
    close();
    execute("DELETE FROM audit WHERE seq = 3");
    open();
    fault = verify_chain(read_chain(store()));
    BOOST_REQUIRE(fault);
    BOOST_CHECK(fault->kind == ChainFaultKind::missing);
    BOOST_TEST(fault->seq == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
