#include "storage/sqlite/migrations.hpp"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <string>
#include <sysexits.h>

namespace rekey::storage::sqlite {
namespace {

constexpr const char* kMigrationsTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "  version INTEGER NOT NULL PRIMARY KEY,"
    "  name TEXT NOT NULL,"
    "  checksum TEXT NOT NULL,"
    "  applied_at INTEGER NOT NULL"
    ") STRICT";

[[noreturn]] void refuse(Connection& connection, const std::string& reason) {
    throw StartupError(connection.database().getFilename() + " " + reason, EX_DATAERR);
}

std::int64_t pragma(Connection& connection, const char* sql) {
    return connection.database().execAndGet(sql).getInt64();
}

void apply(Connection& connection, const Migration& migration, const Clock& clock) {
    SQLite::Database& database = connection.database();
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(kMigrationsTable);
    database.exec(std::string(migration.sql));
    SQLite::Statement note(database, "INSERT INTO schema_migrations VALUES (?, ?, ?, ?)");
    note.bind(1, migration.version);
    note.bind(2, std::string(migration.name));
    note.bind(3, std::string(migration.checksum));
    note.bind(4, std::int64_t{clock.now().time_since_epoch().count()});
    note.exec();
    SQLite::Statement broken(database, "PRAGMA foreign_key_check");
    if (broken.executeStep())
        throw SQLite::Exception("rows of " + broken.getColumn(0).getString() +
                                " refer to rows that are not there");
    database.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    database.exec("PRAGMA user_version = " + std::to_string(migration.version));
    transaction.commit();
}

// Every applied migration is the one that this program has under its number.
void verify_applied(Connection& connection, std::span<const Migration> migrations,
                    std::int64_t version) {
    SQLite::Statement applied(
        connection.database(),
        "SELECT version, name, checksum FROM schema_migrations ORDER BY version");
    std::int64_t seen = 0;
    while (applied.executeStep()) {
        const std::int64_t number = applied.getColumn(0).getInt64();
        if (number != ++seen || static_cast<std::size_t>(number) > migrations.size())
            refuse(connection, "lists its schema's migrations with a gap; restore a backup");
        const Migration& known = migrations[static_cast<std::size_t>(number - 1)];
        if (applied.getColumn(1).getString() != known.name ||
            applied.getColumn(2).getString() != known.checksum)
            refuse(connection, "was made with another migration " + std::to_string(number) +
                                   " than this program's (" + std::string(known.name) +
                                   "); use the program that made it");
    }
    if (seen != version)
        refuse(connection, "says schema " + std::to_string(version) + " but lists " +
                               std::to_string(seen) + " migrations; restore a backup");
}

}  // namespace

void require_own_database(Connection& connection, std::int64_t newest_version) {
    try {
        const std::int64_t application = pragma(connection, "PRAGMA application_id");
        const std::int64_t objects = pragma(connection, "SELECT count(*) FROM sqlite_schema");
        const std::int64_t version = pragma(connection, "PRAGMA user_version");
        if (application != kApplicationId && (application != 0 || objects != 0))
            refuse(connection,
                   "is a database of another program; give rekeyd a data directory of its own");
        if (version > newest_version)
            refuse(connection, "has schema " + std::to_string(version) +
                                   ", this program knows none after " +
                                   std::to_string(newest_version) +
                                   "; run the newer rekeyd that made it, or restore a backup");
    } catch (const SQLite::Exception& exception) {
        if (exception.getErrorCode() == SQLITE_NOTADB)
            refuse(connection, "is not a database; move it away, or give another --data-dir");
        refuse(connection, std::string("cannot be read: ") + exception.what());
    }
}

std::size_t migrate(Connection& connection, std::span<const Migration> migrations,
                    const Clock& clock) {
    std::size_t applied_now = 0;
    std::string doing = "read the schema's version";
    try {
        SQLite::Database& database = connection.database();
        const std::int64_t version = pragma(connection, "PRAGMA user_version");
        if (version > 0) verify_applied(connection, migrations, version);
        // A migration may rebuild a table that others refer to; what it leaves is checked whole.
        database.exec("PRAGMA foreign_keys = OFF");
        for (const Migration& migration : migrations) {
            if (migration.version <= version) continue;
            doing = "migrate to schema " + std::to_string(migration.version) + " (" +
                    std::string(migration.name) + ")";
            apply(connection, migration, clock);
            ++applied_now;
        }
        database.exec("PRAGMA foreign_keys = ON");
        verify_applied(connection, migrations, pragma(connection, "PRAGMA user_version"));
    } catch (const SQLite::Exception& exception) {
        throw StartupError(connection.database().getFilename() + ": cannot " + doing + ": " +
                               exception.what() + "; the database is as it was before",
                           EX_IOERR);
    }
    return applied_now;
}

}  // namespace rekey::storage::sqlite
