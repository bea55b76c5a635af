#include "storage/names.hpp"
#include "storage/sqlite/json_columns.hpp"
#include "storage/sqlite/tables.hpp"

namespace rekey::storage::sqlite {
namespace {

Result<ProviderKeyRow> read_key(Columns& columns) {
    ProviderKeyRow row;
    row.kid = columns.text();
    row.spec = read_object(columns);
    row.next_version = columns.number();
    row.row_version = columns.number();
    row.created_at = columns.time();
    return columns.finish(std::move(row));
}

Result<ProviderKeyVersionRow> read_version(Columns& columns) {
    ProviderKeyVersionRow row;
    row.version = columns.number();
    const auto state = provider_key_state_of(columns.view());
    if (!state) columns.wrong("key state");
    row.state = state.value_or(ProviderKeyState::destroyed);
    row.public_key = columns.bytes();
    if (columns.null())
        columns.skip(1);
    else
        row.sealed_secret = columns.bytes();
    row.created_at = columns.time();
    row.activated_at = columns.optional_time();
    row.retired_at = columns.optional_time();
    row.destroy_at = columns.optional_time();
    row.destroyed_at = columns.optional_time();
    return columns.finish(std::move(row));
}

}  // namespace

SqliteProviderKeys::SqliteProviderKeys(Connection& connection)
    : find_(connection,
            "SELECT kid, spec, next_version, row_version, created_at FROM provider_keys "
            "WHERE kid = ?"),
      list_(connection,
            "SELECT kid, spec, next_version, row_version, created_at FROM provider_keys "
            "WHERE kid > ? ORDER BY kid LIMIT ?"),
      versions_(connection,
                "SELECT version, state, public_key, sealed_secret, created_at, activated_at, "
                "retired_at, destroy_at, destroyed_at FROM provider_key_versions "
                "WHERE kid = ? ORDER BY version"),
      insert_(connection,
              "INSERT INTO provider_keys (kid, spec, next_version, row_version, created_at) "
              "VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING"),
      update_(connection,
              "UPDATE provider_keys SET spec = ?, next_version = ?, row_version = row_version + 1 "
              "WHERE kid = ? AND row_version = ?"),
      put_version_(connection,
                   "INSERT INTO provider_key_versions (kid, version, state, public_key, "
                   "sealed_secret, created_at, activated_at, retired_at, destroy_at, destroyed_at) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kid, version) DO UPDATE SET "
                   "state = excluded.state, sealed_secret = excluded.sealed_secret, "
                   "activated_at = excluded.activated_at, retired_at = excluded.retired_at, "
                   "destroy_at = excluded.destroy_at, destroyed_at = excluded.destroyed_at") {}

Result<> SqliteProviderKeys::add_versions(ProviderKeyRow& row) {
    REKEY_TRY_ASSIGN(
        versions,
        versions_.start().bind(std::string_view(row.kid)).all<ProviderKeyVersionRow>(read_version));
    row.versions = std::move(versions);
    return {};
}

Result<ProviderKeyRow> SqliteProviderKeys::find(std::string_view kid) {
    REKEY_TRY_ASSIGN(row, find_.start().bind(kid).one("key", read_key));
    REKEY_TRY(add_versions(row));
    return std::move(row);
}

Result<std::vector<ProviderKeyRow>> SqliteProviderKeys::list(std::string_view after,
                                                             std::size_t limit) {
    REKEY_TRY_ASSIGN(
        rows, list_.start().bind(after).bind(std::uint64_t{limit}).all<ProviderKeyRow>(read_key));
    for (ProviderKeyRow& row : rows) REKEY_TRY(add_versions(row));
    return std::move(rows);
}

Result<> SqliteProviderKeys::put(ProviderKeyRow& row) {
    const std::string spec = object_text(row.spec);
    const std::string_view kid = row.kid;
    if (row.row_version == 0) {
        REKEY_TRY_ASSIGN(made, insert_.start()
                                   .bind(kid)
                                   .bind(std::string_view(spec))
                                   .bind(row.next_version)
                                   .bind(row.created_at)
                                   .change());
        if (made == 0) return Error(Code::already_exists, "the key is there already");
    } else {
        REKEY_TRY_ASSIGN(changed, update_.start()
                                      .bind(std::string_view(spec))
                                      .bind(row.next_version)
                                      .bind(kid)
                                      .bind(row.row_version)
                                      .change());
        if (changed == 0) return Error(Code::conflict, "the key was changed meanwhile");
    }
    for (const ProviderKeyVersionRow& version : row.versions) {
        Execution put = put_version_.start();
        put.bind(kid).bind(version.version).bind(name_of(version.state));
        put.bind(ByteView(version.public_key));
        if (version.sealed_secret)
            put.bind(ByteView(*version.sealed_secret));
        else
            put.bind_null();
        REKEY_TRY(put.bind(version.created_at)
                      .bind(version.activated_at)
                      .bind(version.retired_at)
                      .bind(version.destroy_at)
                      .bind(version.destroyed_at)
                      .change());
    }
    ++row.row_version;
    return {};
}

}  // namespace rekey::storage::sqlite
