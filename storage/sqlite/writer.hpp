#pragma once

#include "base/log.hpp"
#include "storage/audit_chain.hpp"
#include "storage/sqlite/files_in_place.hpp"
#include "storage/sqlite/tables.hpp"
#include "storage/store.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rekey::storage::sqlite {

// The writing connection with all that hangs on it; given up whole after a failed commit.
class WriterSession {
  public:
    // `connection` is tuned for writing.
    [[nodiscard]] static Result<std::unique_ptr<WriterSession>> start(
        std::unique_ptr<Connection> connection);

    [[nodiscard]] Result<> begin();
    // The unit's own result; it is rolled back alone if that is an error. After it, `broken` tells
    // whether the whole transaction is lost.
    [[nodiscard]] Result<> run(const Store::Unit& unit);
    [[nodiscard]] Result<> commit();
    [[nodiscard]] const std::optional<Error>& broken() const { return broken_; }

  private:
    explicit WriterSession(std::unique_ptr<Connection> connection);
    [[nodiscard]] Result<> keep();

    std::unique_ptr<Connection> connection_;
    SqliteTransaction tables_;
    Statement begin_, commit_, savepoint_, release_, rollback_to_;
    ChainHead committed_head_;
    ChainHead head_;
    std::optional<Error> broken_;
};

// One thread that commits for everybody (store.hpp): what waits while a commit is on its way to the
// disk goes into the next one together.
class Writer {
  public:
    Writer(Connection::Location location, const Log& log, std::unique_ptr<WriterSession> session);
    ~Writer();

    void submit(Store::Unit unit, Store::Done done);
    void stop();

  private:
    struct Entry {
        Store::Unit unit;
        Store::Done done;
        Result<> result;
    };

    void run();
    [[nodiscard]] bool take(std::vector<Entry>& batch);
    [[nodiscard]] Result<> commit(std::vector<Entry>& batch);
    [[nodiscard]] Result<> reopen();

    const Connection::Location location_;
    const FilesInPlace files_;
    const Log& log_;
    std::unique_ptr<WriterSession> session_;  // empty after a failed commit
    bool failing_ = false;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Entry> queue_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace rekey::storage::sqlite
