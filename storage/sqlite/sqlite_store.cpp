#include "storage/sqlite/sqlite_store.hpp"

#include "base/contract.hpp"
#include "base/durable_file.hpp"
#include "storage/sqlite/inline_readers.hpp"
#include "storage/sqlite/migrations.hpp"
#include "storage/sqlite/reader_pool.hpp"
#include "storage/sqlite/writer.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace rekey::storage {
namespace sqlite {
namespace {

class SqliteStore final : public Store {
  public:
    SqliteStore(const SqliteOptions& options, FileLock lock, std::unique_ptr<WriterSession> session,
                std::vector<std::unique_ptr<Connection>> readers,
                std::vector<std::unique_ptr<Connection>> readers_here)
        : lock_(std::move(lock)),
          writer_({options.path, options.vfs}, options.log, std::move(session)),
          readers_(options.clock, std::move(readers)),
          readers_here_(options.clock, std::move(readers_here)) {}

    // While all members live: an answer given on the way down may still call read or write.
    ~SqliteStore() override { SqliteStore::stop(); }

    void write(Unit unit, Done done) override { writer_.submit(std::move(unit), std::move(done)); }
    void read(Unit unit, Done done) override { readers_.submit(std::move(unit), std::move(done)); }
    Result<> read_here(const Unit& unit) override { return readers_here_.read(unit); }
    void stop() override {
        writer_.stop();
        readers_.stop();
        readers_here_.stop();
    }

  private:
    // Destroyed from below: the readers' connections close before the writer's, whose close then
    // empties the log into the database; the lock goes last.
    FileLock lock_;
    Writer writer_;
    ReaderPool readers_;
    InlineReaders readers_here_;
};

template <class Value>
Value or_refuse(Result<Value> result, int exit_code) {
    if (result.has_error()) throw StartupError(result.error().message(), exit_code);
    return std::move(*result);
}

// SQLite counts what it allocates under one lock of the process, for figures that nobody reads:
// each connection would wait for all others there. Refused, and harmless, once SQLite is in use.
void leave_allocations_uncounted() { ::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

FileLock lock_database(const std::string& path) {
    Result<FileLock> lock = FileLock::acquire(path + ".lock");
    if (lock.has_value()) return std::move(*lock);
    if (lock.error().code() == Code::conflict)
        throw StartupError(lock.error().message() +
                               "; stop that rekeyd first, or give this one another --data-dir",
                           EX_TEMPFAIL);
    throw StartupError(
        lock.error().message() + "; give rekeyd a data directory that it can write to",
        EX_CANTCREAT);
}

// SQLite gives its -wal and -shm files the mode of the database, so all are private from their
// creation. Before SQLite opens the file: closing a descriptor of it later would drop its locks.
void make_private_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const bool done = file >= 0 && ::fchmod(file, 0600) == 0;
    const int reason = errno;
    if (file >= 0) ::close(file);
    if (!done)
        throw StartupError("cannot write database " + path + ": " +
                               std::generic_category().message(reason) +
                               "; give rekeyd a data directory that it can write to",
                           EX_CANTCREAT);
}

void require_write_ahead_log(Connection& connection) {
    if (connection.database().execAndGet("PRAGMA journal_mode").getString() == "wal") return;
    throw StartupError(connection.database().getFilename() +
                           " cannot have a write-ahead log here; put the data directory on a local "
                           "file system",
                       EX_CANTCREAT);
}

}  // namespace
}  // namespace sqlite

std::unique_ptr<Store> open_sqlite_store(const SqliteOptions& options) {
    using sqlite::Connection;
    // A reader's connection also keeps the log's index alive while the writer opens anew after a
    // failed commit; without it, SQLite would recover from the log what was answered as failed.
    REKEY_ASSERT(options.readers > 0 && options.readers_here > 0);
    FileLock lock = sqlite::lock_database(options.path);
    sqlite::leave_allocations_uncounted();
    sqlite::make_private_file(options.path);

    const Connection::Location location{options.path, options.vfs};
    const auto migrations = sqlite::embedded_migrations();
    auto connection = sqlite::or_refuse(Connection::open(location), EX_IOERR);
    sqlite::require_own_database(*connection, migrations.back().version);
    if (const auto tuned = connection->tune(Connection::Role::writer); tuned.has_error())
        throw StartupError(options.path + ": " + tuned.error().message(), EX_IOERR);
    sqlite::require_write_ahead_log(*connection);
    const std::size_t applied = sqlite::migrate(*connection, migrations, options.clock);
    if (applied > 0)
        options.log.info("storage.migrated",
                         {{"schema", migrations.back().version}, {"applied", applied}});
    auto session =
        sqlite::or_refuse(sqlite::WriterSession::start(std::move(connection)), EX_DATAERR);

    const auto open_readers = [&](unsigned count) {
        std::vector<std::unique_ptr<Connection>> readers;
        for (unsigned i = 0; i < count; ++i) {
            readers.push_back(sqlite::or_refuse(Connection::open(location), EX_IOERR));
            const auto tuned = readers.back()->tune(Connection::Role::reader);
            if (tuned.has_error())
                throw StartupError(options.path + ": " + tuned.error().message(), EX_IOERR);
        }
        return readers;
    };
    return std::make_unique<sqlite::SqliteStore>(options, std::move(lock), std::move(session),
                                                 open_readers(options.readers),
                                                 open_readers(options.readers_here));
}

}  // namespace rekey::storage
