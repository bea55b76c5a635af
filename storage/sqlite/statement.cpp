#include "storage/sqlite/statement.hpp"

#include "base/contract.hpp"

#include <algorithm>

namespace rekey::storage::sqlite {

std::string_view Columns::view() {
    const int column = next_++;
    // The order matters: column_text may convert, and column_bytes then counts what it made.
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return text == nullptr ? std::string_view() : std::string_view(text, size);
}

std::optional<Time> Columns::optional_time() {
    if (null()) {
        skip(1);
        return std::nullopt;
    }
    return time();
}

Bytes Columns::bytes() {
    const int column = next_++;
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    const int size = sqlite3_column_bytes(statement_, column);
    return data == nullptr ? Bytes() : Bytes(data, data + size);
}

Bytes32 Columns::bytes32() {
    const int column = next_++;
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    Bytes32 result{};
    if (data == nullptr || sqlite3_column_bytes(statement_, column) != 32)
        wrong("hash or key");
    else
        std::copy_n(data, result.size(), result.begin());
    return result;
}

std::optional<Bytes32> Columns::optional_bytes32() {
    if (null()) {
        skip(1);
        return std::nullopt;
    }
    return bytes32();
}

Execution::Execution(Connection& connection, sqlite3_stmt* statement, int prepared)
    : connection_(connection), statement_(statement), failure_(prepared) {}

Execution::~Execution() {
    // Bindings stay: the next execution binds every parameter again before it steps.
    sqlite3_reset(statement_);
}

void Execution::note(int result_code) {
    if (failure_ == SQLITE_OK) failure_ = result_code;
}

Execution& Execution::bind(std::string_view text) {
    // A null pointer would bind NULL, and an empty view may have one.
    const char* data = text.data() == nullptr ? "" : text.data();
    note(sqlite3_bind_text64(statement_, next_++, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
    return *this;
}

Execution& Execution::bind(ByteView bytes) {
    if (bytes.empty())
        note(sqlite3_bind_zeroblob(statement_, next_++, 0));
    else
        note(sqlite3_bind_blob64(statement_, next_++, bytes.data(), bytes.size(), SQLITE_STATIC));
    return *this;
}

Execution& Execution::bind(std::int64_t value) {
    note(sqlite3_bind_int64(statement_, next_++, value));
    return *this;
}

Execution& Execution::bind_null() {
    note(sqlite3_bind_null(statement_, next_++));
    return *this;
}

Result<bool> Execution::step() {
    if (failure_ != SQLITE_OK) return connection_.error(failure_, "prepare a statement");
    const int result_code = sqlite3_step(statement_);
    if (result_code == SQLITE_ROW) return true;
    if (result_code == SQLITE_DONE) return false;
    failure_ = result_code;
    return connection_.error(result_code, "run a statement");
}

Result<std::uint64_t> Execution::change() {
    REKEY_TRY_ASSIGN(row, step());
    REKEY_ASSERT(!row);
    return static_cast<std::uint64_t>(sqlite3_changes64(connection_.handle()));
}

Execution Statement::start() {
    int result_code = SQLITE_OK;
    if (statement_ == nullptr)
        result_code = sqlite3_prepare_v3(connection_.handle(), sql_, -1, SQLITE_PREPARE_PERSISTENT,
                                         &statement_, nullptr);
    return Execution(connection_, statement_, result_code);
}

Result<> Statement::run() {
    Execution execution = start();
    REKEY_TRY_ASSIGN(changed, execution.change());
    static_cast<void>(changed);
    return {};
}

}  // namespace rekey::storage::sqlite
