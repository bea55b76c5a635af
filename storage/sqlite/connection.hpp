#pragma once

#include "base/result.hpp"

#include <SQLiteCpp/Database.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;

namespace rekey::storage::sqlite {

// One connection to the database, for one thread at a time. SQLiteCpp opens and closes it; the hot
// path uses statement.hpp on the raw handle, because SQLiteCpp's statements throw for what is
// expected here (a lost race, a full disk) and copy what they read.
class Connection {
  public:
    enum class Role { writer, reader };

    struct Location {
        std::string path;
        std::string vfs;  // empty: SQLite's own
    };

    // Opens a file that is there, without touching its content; `tune` follows once the file is
    // known to be ours.
    [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const Location& location);
    // WAL, synchronous=FULL and the rest of what a role needs.
    [[nodiscard]] Result<> tune(Role role);

    // Statements without parameters and results; several, separated by semicolons.
    [[nodiscard]] Result<> execute(const char* sql);
    // Ends statements that run for long: asked every few thousand steps of SQLite's machine,
    // `expired` answers whether to interrupt.
    void set_interrupt(std::function<bool()> expired);

    [[nodiscard]] sqlite3* handle() const { return database_.getHandle(); }
    // For start-up work, where an SQLite::Exception is as good as a value.
    [[nodiscard]] SQLite::Database& database() { return database_; }
    // Is a transaction open? SQLite ends one by itself after some failures.
    [[nodiscard]] bool in_transaction() const;

    // What an SQLite result code means to the callers of the store.
    [[nodiscard]] Error error(int result_code, std::string_view doing) const;

  private:
    explicit Connection(const Location& location);

    SQLite::Database database_;
    Role role_ = Role::writer;
    std::function<bool()> expired_;
};

}  // namespace rekey::storage::sqlite
