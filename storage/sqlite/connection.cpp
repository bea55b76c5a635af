#include "storage/sqlite/connection.hpp"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <memory>
#include <utility>

namespace rekey::storage::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;
// Often enough to end a read within milliseconds of its limit, rare enough to cost nothing.
constexpr int kStepsBetweenInterruptChecks = 4000;

// A checkpoint every 16,000 pages (64 MB) instead of every 1,000: p99 of a commit 3 ms, not 12.
constexpr const char* kWriterPragmas =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA wal_autocheckpoint = 16000;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -32768;";
constexpr const char* kReaderPragmas =
    "PRAGMA query_only = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -8192;";

Code code_of(int extended_code) {
    switch (extended_code) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
            return Code::already_exists;
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return Code::not_found;
        default:
            break;
    }
    switch (extended_code & 0xFF) {
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_NOMEM:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_INTERRUPT:
            return Code::unavailable;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Code::corrupt;
        default:
            return Code::internal;
    }
}

// SQLite calls a read that failed with EIO a corrupt database; what the system said to the file's
// last failed call tells it from one that is. It is not forgotten by a later success, so that of a
// disk that was broken once "try again" is said of real damage, too.
bool reading_failed(sqlite3* database) {
    for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
        sqlite3_file* file = nullptr;
        int number = 0;
        if (sqlite3_file_control(database, "main", which, static_cast<void*>(&file)) == SQLITE_OK &&
            file != nullptr && file->pMethods != nullptr &&
            file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number) == SQLITE_OK &&
            number != 0)
            return true;
    }
    return false;
}

// `parameter` is the std::function that the connection keeps.
int interrupt_when_expired(void* parameter) {
    return (*static_cast<std::function<bool()>*>(parameter))() ? 1 : 0;
}

}  // namespace

Connection::Connection(const Location& location)
    : database_(location.path,
                SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                kBusyTimeoutMs, location.vfs) {}

Result<std::unique_ptr<Connection>> Connection::open(const Location& location) {
    try {
        return std::unique_ptr<Connection>(new Connection(location));
    } catch (const SQLite::Exception& exception) {
        return Error(code_of(exception.getExtendedErrorCode()),
                     "cannot open " + location.path + ": " + exception.what());
    }
}

Result<> Connection::tune(Role role) {
    role_ = role;
    return execute(role == Role::writer ? kWriterPragmas : kReaderPragmas);
}

Result<> Connection::execute(const char* sql) {
    const int result_code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
    if (result_code != SQLITE_OK) return error(result_code, "execute");
    return {};
}

void Connection::set_interrupt(std::function<bool()> expired) {
    expired_ = std::move(expired);
    sqlite3_progress_handler(handle(), kStepsBetweenInterruptChecks, interrupt_when_expired,
                             &expired_);
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }

Error Connection::error(int result_code, std::string_view doing) const {
    if (role_ == Role::reader && (result_code & 0xFF) == SQLITE_READONLY)
        return Error(Code::internal, "a unit wrote to the database in a read transaction");
    Code code = code_of(result_code);
    const std::string_view cause = sqlite3_errmsg(handle());
    if (code == Code::corrupt && reading_failed(handle())) code = Code::unavailable;
    if (code == Code::already_exists) {
        // "UNIQUE constraint failed: agents.name"
        const std::size_t colon = cause.rfind(": ");
        const std::string_view column = colon == cause.npos ? cause : cause.substr(colon + 2);
        return Error(code, "taken already: " + std::string(column));
    }
    if (code == Code::not_found) return Error(code, "no such agent");
    std::string message = "database: cannot ";
    message.append(doing).append(": ");
    if ((result_code & 0xFF) == SQLITE_INTERRUPT)
        message += "it took longer than a read may";
    else
        message += cause;
    return Error(code, std::move(message));
}

}  // namespace rekey::storage::sqlite
