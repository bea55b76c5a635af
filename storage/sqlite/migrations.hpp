#pragma once

#include "base/clock.hpp"
#include "storage/sqlite/connection.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// The schema's history: storage/migrations/NNNN_name.sql, embedded at build time. A file that has
// been released is never edited; a change is a new file.
namespace rekey::storage::sqlite {

struct Migration {
    std::int64_t version;  // from 1, without gaps
    std::string_view name;
    std::string_view checksum;  // SHA-256 of the file, in hexadecimal
    std::string_view sql;
};

[[nodiscard]] std::span<const Migration> embedded_migrations();

// In the header of every database of ours: "RKEY".
inline constexpr std::int64_t kApplicationId = 0x524B4559;

// Refuses what is no database of ours or a newer one, before anything is written to it.
void require_own_database(Connection& connection, std::int64_t newest_version);

// Brings the schema to the newest of `migrations`: one transaction each, then all that are applied
// are compared with what is embedded. Both throw StartupError with the reason; a migration that
// failed or was interrupted leaves no trace. Returns how many were applied now.
std::size_t migrate(Connection& connection, std::span<const Migration> migrations,
                    const Clock& clock);

}  // namespace rekey::storage::sqlite
