#pragma once

#include "base/clock.hpp"
#include "storage/sqlite/tables.hpp"
#include "storage/store.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace rekey::storage::sqlite {

// Read transactions on the threads of whoever asks, each on a connection that is idle: as many at
// once as there are connections, more wait. Safe from any thread.
class InlineReaders {
  public:
    // `connections` are tuned for reading.
    InlineReaders(const Clock& clock, std::vector<std::unique_ptr<Connection>> connections);
    ~InlineReaders();
    InlineReaders(const InlineReaders&) = delete;
    InlineReaders& operator=(const InlineReaders&) = delete;

    [[nodiscard]] Result<> read(const Store::Unit& unit);
    // `unavailable` from now on; returns when none is being read.
    void stop();

  private:
    struct Reader;

    const Clock& clock_;
    std::vector<std::unique_ptr<Reader>> readers_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<Reader*> idle_;
    bool stopping_ = false;
};

}  // namespace rekey::storage::sqlite
