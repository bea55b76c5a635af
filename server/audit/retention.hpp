#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "server/audit/checkpoint_key.hpp"
#include "server/settings.hpp"
#include "storage/store.hpp"

#include <functional>

namespace rekey::server::audit {

// Removes rows that are older than audit_retention_days, the oldest first and always up to a
// checkpoint, at most limits::kSweepRows in a transaction. That checkpoint is signed once more, now
// as the beginning of what is left; an audit row, in the same transaction, says what went.
class Retention {
  public:
    struct Parts {
        storage::Store& store;
        const CheckpointKey& key;
        const Clock& clock;
        const LiveSettings& settings;
        const Log& log;
    };
    explicit Retention(Parts parts) : parts_(parts), started_(Moment::of(parts.clock)) {}

    enum class Outcome : std::uint8_t { nothing_due, removed };
    // One sweep. `done` comes on the caller's or a store's thread. Does nothing while the wall
    // clock is more than limits::kRetentionClockJump off what it was at the start: a clock that
    // jumped ahead would make everything old.
    void sweep(std::function<void(Result<Outcome>)> done);

  private:
    Parts parts_;
    Moment started_;
};

}  // namespace rekey::server::audit
