#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Keys of the local key provider (keys/key_record.hpp), as rows and as the table that holds them.
namespace rekey::storage {

enum class ProviderKeyState : std::uint8_t { pre_published, active, retiring, destroyed };

struct ProviderKeyVersionRow {
    std::uint64_t version = 0;
    ProviderKeyState state = ProviderKeyState::pre_published;
    Bytes public_key;                    // empty: a symmetric key
    std::optional<Bytes> sealed_secret;  // absent: destroyed, and only then
    Time created_at{};
    std::optional<Time> activated_at;
    std::optional<Time> retired_at;
    std::optional<Time> destroy_at;
    std::optional<Time> destroyed_at;
    friend bool operator==(const ProviderKeyVersionRow&, const ProviderKeyVersionRow&) = default;
};

struct ProviderKeyRow {
    std::string kid;
    boost::json::object spec;
    std::uint64_t next_version = 1;
    std::uint64_t row_version = 0;  // compare-and-swap; 0: not stored yet
    Time created_at{};
    std::vector<ProviderKeyVersionRow> versions;  // by number
};

// Errors as in tables.hpp.
class ProviderKeysTable {
  public:
    virtual ~ProviderKeysTable() = default;
    [[nodiscard]] virtual Result<ProviderKeyRow> find(std::string_view kid) = 0;
    // By kid; all versions of each.
    [[nodiscard]] virtual Result<std::vector<ProviderKeyRow>> list(std::string_view after,
                                                                   std::size_t limit) = 0;
    // Writes the key and all its versions if row_version is the stored one, and increments it in
    // both. A row_version of 0 makes a new key: `already_exists` if there is one.
    [[nodiscard]] virtual Result<> put(ProviderKeyRow& row) = 0;
};

}  // namespace rekey::storage
