#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "storage/store.hpp"

#include <memory>
#include <string>

namespace rekey::storage {

struct SqliteOptions {
    std::string path;      // the database file; beside it appear -wal, -shm and .lock
    const Clock& clock;    // outlives the store
    const Log& log;        // outlives the store
    unsigned readers = 2;  // threads
    // The sqlite3_vfs to work on; empty: SQLite's own. A test registers one whose disk fails.
    std::string vfs;
    unsigned readers_here = 2;  // connections for read_here: as many at once, more wait
};

// Opens the database, making and migrating it where needed, and starts one writer and
// `options.readers` reader threads. Throws StartupError, with one line that names the file and the
// way out: directory not writable, not a database, a database of another program, a schema newer
// than this program, an altered or failed migration, or held by another process. Blocks.
[[nodiscard]] std::unique_ptr<Store> open_sqlite_store(const SqliteOptions& options);

}  // namespace rekey::storage
