#include "storage/memory/memory_tables.hpp"

namespace rekey::storage::memory {

Result<ProviderKeyRow> MemoryProviderKeys::find(std::string_view kid) {
    const auto found = data.provider_keys.find(kid);
    if (found == data.provider_keys.end()) return Error(Code::not_found, "no such key");
    return found->second;
}

Result<std::vector<ProviderKeyRow>> MemoryProviderKeys::list(std::string_view after,
                                                             std::size_t limit) {
    std::vector<ProviderKeyRow> rows;
    for (auto at = data.provider_keys.upper_bound(after);
         at != data.provider_keys.end() && rows.size() < limit; ++at)
        rows.push_back(at->second);
    return rows;
}

Result<> MemoryProviderKeys::put(ProviderKeyRow& row) {
    REKEY_TRY(journal.require_write());
    const auto found = data.provider_keys.find(row.kid);
    if (row.row_version == 0 && found != data.provider_keys.end())
        return Error(Code::already_exists, "the key is there already");
    const std::uint64_t stored = found == data.provider_keys.end() ? 0 : found->second.row_version;
    if (stored != row.row_version) return Error(Code::conflict, "the key was changed meanwhile");
    journal.remember(data.provider_keys, row.kid);
    ++row.row_version;
    data.provider_keys.insert_or_assign(row.kid, row);
    return {};
}

}  // namespace rekey::storage::memory
