#pragma once

#include "base/durable_file.hpp"
#include "tests/unit/storage/conformance.hpp"

#include <SQLiteCpp/Database.h>

// Databases of older programs, as tests/unit/storage/dumps holds them.
namespace rekey::storage::testing {

struct DumpEngine : SqliteEngine {
    void load_dump(const std::string& name) const {
        const auto dump = rekey::read_file(REKEY_DUMPS "/" + name, 1'000'000);
        BOOST_REQUIRE(dump.has_value());
        SQLite::Database database(path(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        database.exec("PRAGMA synchronous = OFF");
        database.exec(*dump);
    }
    // Of the file itself, while no store has it open.
    [[nodiscard]] std::int64_t number(const std::string& sql) const {
        return SQLite::Database(path()).execAndGet(sql).getInt64();
    }
    [[nodiscard]] std::string text(const std::string& sql) const {
        return SQLite::Database(path()).execAndGet(sql).getString();
    }
};

}  // namespace rekey::storage::testing
