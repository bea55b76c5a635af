#pragma once

#include "base/clock.hpp"
#include "storage/sqlite/tables.hpp"
#include "storage/store.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rekey::storage::sqlite {

// One read transaction: `begin`, the unit on `tables`, `end`. All belong to `connection`.
[[nodiscard]] Result<> run_read(Connection& connection, SqliteTransaction& tables, Statement& begin,
                                Statement& end, const Store::Unit& unit);

// A few threads, each with its own connection; a read is one deferred transaction, so one snapshot
// of all that was committed when it begins, and ends at limits::kReadTransaction.
class ReaderPool {
  public:
    // `connections` are tuned for reading.
    ReaderPool(const Clock& clock, std::vector<std::unique_ptr<Connection>> connections);
    ~ReaderPool();

    void submit(Store::Unit unit, Store::Done done);
    void stop();

  private:
    struct Entry {
        Store::Unit unit;
        Store::Done done;
    };

    void run(Connection& connection);

    const Clock& clock_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Entry> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace rekey::storage::sqlite
