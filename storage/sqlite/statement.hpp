#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "storage/sqlite/connection.hpp"

#include <sqlite3.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rekey::storage::sqlite {

// Reads the columns of the row that a statement stands on, in order. What cannot be what was
// written is noted, and `finish` then answers `corrupt` instead of the row.
class Columns {
  public:
    explicit Columns(sqlite3_stmt* statement) : statement_(statement) {}

    [[nodiscard]] std::string_view view();  // until the next step
    [[nodiscard]] std::string text() { return std::string(view()); }
    [[nodiscard]] std::int64_t integer() { return sqlite3_column_int64(statement_, next_++); }
    [[nodiscard]] std::uint64_t number() { return static_cast<std::uint64_t>(integer()); }
    [[nodiscard]] Time time() { return Time(Milliseconds(integer())); }
    [[nodiscard]] std::optional<Time> optional_time();
    [[nodiscard]] Bytes bytes();
    [[nodiscard]] Bytes32 bytes32();
    [[nodiscard]] std::optional<Bytes32> optional_bytes32();

    [[nodiscard]] bool null() const {
        return sqlite3_column_type(statement_, next_) == SQLITE_NULL;
    }
    void skip(int columns) { next_ += columns; }
    void wrong(const char* what) { wrong_ = what; }

    template <class Row>
    [[nodiscard]] Result<Row> finish(Row row) const {
        if (wrong_ != nullptr)
            return Error(Code::corrupt, std::string("database: a row holds a wrong ") + wrong_);
        return row;
    }

  private:
    sqlite3_stmt* statement_;
    int next_ = 0;
    const char* wrong_ = nullptr;
};

// One execution of a prepared statement: bind in order, then step; reset when destroyed. What is
// bound must outlive it: nothing is copied.
class Execution {
  public:
    Execution(Connection& connection, sqlite3_stmt* statement, int prepared);
    ~Execution();
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;

    Execution& bind(std::string_view text);
    Execution& bind(ByteView bytes);
    Execution& bind(const Bytes32& bytes) { return bind(ByteView(bytes)); }
    Execution& bind(std::int64_t value);
    Execution& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
    Execution& bind(Time time) { return bind(std::int64_t{time.time_since_epoch().count()}); }
    Execution& bind_null();
    template <class Value>
    Execution& bind(const std::optional<Value>& value) {
        return value ? bind(*value) : bind_null();
    }

    // Is there a (next) row?
    [[nodiscard]] Result<bool> step();
    // Runs to the end; how many rows it changed.
    [[nodiscard]] Result<std::uint64_t> change();
    [[nodiscard]] Columns columns() const { return Columns(statement_); }

    // The first row as `decode(columns)` reads it, or `not_found`.
    template <class Decode>
    [[nodiscard]] auto one(std::string_view noun, Decode decode)
        -> decltype(decode(std::declval<Columns&>())) {
        REKEY_TRY_ASSIGN(found, step());
        if (!found) return Error(Code::not_found, "no such " + std::string(noun));
        Columns row = columns();
        return decode(row);
    }

    template <class Row, class Decode>
    [[nodiscard]] Result<std::vector<Row>> all(Decode decode) {
        std::vector<Row> rows;
        for (;;) {
            REKEY_TRY_ASSIGN(more, step());
            if (!more) return rows;
            Columns columns_of_row = columns();
            REKEY_TRY_ASSIGN(row, decode(columns_of_row));
            rows.push_back(std::move(row));
        }
    }

  private:
    void note(int result_code);

    Connection& connection_;
    sqlite3_stmt* statement_;
    int next_ = 1;
    int failure_ = SQLITE_OK;
};

// SQL, a literal, that is prepared at its first use and kept for the life of its connection.
class Statement {
  public:
    Statement(Connection& connection, const char* sql) : connection_(connection), sql_(sql) {}
    ~Statement() { sqlite3_finalize(statement_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    [[nodiscard]] Execution start();
    // Without parameters and results.
    [[nodiscard]] Result<> run();

  private:
    Connection& connection_;
    const char* sql_;
    sqlite3_stmt* statement_ = nullptr;
};

}  // namespace rekey::storage::sqlite
