#include "server/signing/store_key_records.hpp"

#include "base/limits.hpp"
#include "storage/store_async.hpp"

#include <boost/json/array.hpp>

#include <future>
#include <utility>

namespace rekey::server::signing {
namespace {

template <class T, class Unit, class Start>
Result<T> wait_for(Start start, storage::Store& store, Unit unit) {
    std::promise<Result<T>> answer;
    start(
        store, [](auto action) { action(); }, std::move(unit),
        [&answer](Result<T> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
}

template <class T, class Unit>
Result<T> read(storage::Store& store, Unit unit) {
    return wait_for<T>(
        [](auto&&... all) { storage::read_as<T>(std::forward<decltype(all)>(all)...); }, store,
        std::move(unit));
}

template <class T, class Unit>
Result<T> write(storage::Store& store, Unit unit) {
    return wait_for<T>(
        [](auto&&... all) { storage::write_as<T>(std::forward<decltype(all)>(all)...); }, store,
        std::move(unit));
}

// The states have the same order in both enums; storage/ knows nothing of keys/.
static_assert(static_cast<int>(storage::ProviderKeyState::destroyed) ==
              static_cast<int>(keys::KeyState::destroyed));

storage::ProviderKeyRow to_row(const keys::KeyRecord& record) {
    storage::ProviderKeyRow row{record.kid,          keys::to_json(record.spec, record.policy),
                                record.next_version, record.row_version,
                                record.created_at,   {}};
    for (const keys::KeyVersionRecord& version : record.versions)
        row.versions.push_back(
            {version.version, static_cast<storage::ProviderKeyState>(version.state),
             version.public_key, version.sealed_secret, version.created_at, version.activated_at,
             version.retired_at, version.destroy_at, version.destroyed_at});
    return row;
}

Result<keys::KeyRecord> to_record(storage::ProviderKeyRow row) {
    REKEY_TRY_ASSIGN(stored, keys::spec_from_json(row.spec));
    keys::KeyRecord record{std::move(row.kid),
                           std::move(stored.spec),
                           stored.policy,
                           row.next_version,
                           row.row_version,
                           row.created_at,
                           {}};
    for (storage::ProviderKeyVersionRow& version : row.versions)
        record.versions.push_back({version.version, static_cast<keys::KeyState>(version.state),
                                   std::move(version.public_key), std::move(version.sealed_secret),
                                   version.created_at, version.activated_at, version.retired_at,
                                   version.destroy_at, version.destroyed_at});
    return record;
}

storage::AuditEvent event_of(const storage::ProviderKeyRow& row, const keys::KeyChange& change,
                             Time now) {
    storage::AuditEvent event{now,  change.by.actor, std::string(change.action), row.kid,
                              "ok", change.by.origin};
    boost::json::array versions;
    for (const std::uint64_t version : change.versions)
        versions.emplace_back(static_cast<std::int64_t>(version));
    event.details["versions"] = std::move(versions);
    return event;
}

}  // namespace

Result<keys::KeyRecord> StoreKeyRecords::load(std::string_view kid) {
    auto row = read<storage::ProviderKeyRow>(
        store_, [name = std::string(kid)](storage::Transaction& transaction) {
            return transaction.provider_keys().find(name);
        });
    if (row.has_error()) return std::move(row).error();
    return to_record(std::move(*row));
}

Result<std::vector<keys::KeyRecord>> StoreKeyRecords::load_all() {
    std::vector<keys::KeyRecord> records;
    for (;;) {
        const std::string after = records.empty() ? "" : records.back().kid;
        auto page = read<std::vector<storage::ProviderKeyRow>>(
            store_, [after](storage::Transaction& transaction) {
                return transaction.provider_keys().list(after, limits::kPageRows);
            });
        if (page.has_error()) return std::move(page).error();
        if (page->empty()) return records;
        for (storage::ProviderKeyRow& row : *page) {
            REKEY_TRY_ASSIGN(record, to_record(std::move(row)));
            records.push_back(std::move(record));
        }
    }
}

Result<> StoreKeyRecords::save(keys::KeyRecord& record, const keys::KeyChange& change) {
    const Time now = clock_.now();
    auto stored =
        write<std::uint64_t>(store_,
                             [row = to_row(record), change, still_allowed = still_allowed_,
                              now](storage::Transaction& transaction) -> Result<std::uint64_t> {
                                 if (still_allowed) REKEY_TRY(still_allowed(transaction, now));
                                 // A copy, because the unit may run twice.
                                 storage::ProviderKeyRow written = row;
                                 REKEY_TRY(transaction.provider_keys().put(written));
                                 transaction.audit().append(event_of(row, change, now));
                                 return written.row_version;
                             });
    if (stored.has_error()) return std::move(stored).error();
    record.row_version = *stored;
    return {};
}

}  // namespace rekey::server::signing
