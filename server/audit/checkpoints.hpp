#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "server/audit/checkpoint_key.hpp"
#include "storage/store.hpp"

#include <functional>

namespace rekey::server::audit {

// Signs places of the chain: one every limits::kCheckpointRows rows, and the newest row when it is
// not signed within limits::kCheckpointAge. Nothing is signed while nothing is written,
// nor on top of a chain that is not the one that was signed before (`corrupt`).
class Checkpoints {
  public:
    struct Parts {
        storage::Store& store;
        const CheckpointKey& key;
        const Clock& clock;
        const Log& log;
    };
    explicit Checkpoints(Parts parts) : parts_(parts) {}

    enum class Newest : std::uint8_t { when_old, always };
    // Reads, signs and writes what is due; `done` comes on a thread of the store, with an error if
    // it was not written: the next time will. Each place that was signed is a line of the log, so
    // that a copy of the log holds heads of the chain.
    void look(Newest newest, std::function<void(Result<>)> done);

  private:
    Parts parts_;
};

}  // namespace rekey::server::audit
