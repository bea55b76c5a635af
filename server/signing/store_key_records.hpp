#pragma once

#include "base/clock.hpp"
#include "keys/key_record.hpp"
#include "storage/store.hpp"

#include <functional>
#include <utility>

namespace rekey::server::signing {

// May whoever asked for a change still have it? Asked in the change's own transaction.
using StillAllowed = std::function<Result<>(storage::Transaction&, Time)>;

// The provider's keys in the store. Each change and its row in the audit are one transaction.
// Blocks until the commit is on disk: never on a shard's or the store's own thread.
class StoreKeyRecords final : public keys::KeyRecords {
  public:
    StoreKeyRecords(storage::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

    [[nodiscard]] Result<keys::KeyRecord> load(std::string_view kid) override;
    [[nodiscard]] Result<std::vector<keys::KeyRecord>> load_all() override;
    [[nodiscard]] Result<> save(keys::KeyRecord& record, const keys::KeyChange& change) override;

    // While it lives, what is saved is somebody's wish: it was authorised before it waited for its
    // turn, and making an RSA key takes a while. On the thread that saves.
    class Wish {
      public:
        Wish(StoreKeyRecords& records, StillAllowed still_allowed) : records_(records) {
            records_.still_allowed_ = std::move(still_allowed);
        }
        ~Wish() { records_.still_allowed_ = nullptr; }
        Wish(const Wish&) = delete;
        Wish& operator=(const Wish&) = delete;

      private:
        StoreKeyRecords& records_;
    };

  private:
    storage::Store& store_;
    const Clock& clock_;
    StillAllowed still_allowed_;  // none: the system's own house-keeping
};

}  // namespace rekey::server::signing
