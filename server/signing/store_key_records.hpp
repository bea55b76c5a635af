#pragma once

#include "base/clock.hpp"
#include "keys/key_record.hpp"
#include "storage/store.hpp"

namespace rekey::server::signing {

// The provider's keys in the store. Each change and its row in the audit are one transaction, in
// which an initiator who is not the system must still be active and hold admin:*
// (permission_denied). Blocks until the commit is on disk: never on a shard's or the store's own
// thread.
class StoreKeyRecords final : public keys::KeyRecords {
  public:
    StoreKeyRecords(storage::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

    [[nodiscard]] Result<keys::KeyRecord> load(std::string_view kid) override;
    [[nodiscard]] Result<std::vector<keys::KeyRecord>> load_all() override;
    [[nodiscard]] Result<> save(keys::KeyRecord& record, const keys::KeyChange& change) override;

  private:
    storage::Store& store_;
    const Clock& clock_;
};

}  // namespace rekey::server::signing
