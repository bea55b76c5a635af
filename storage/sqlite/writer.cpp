#include "storage/sqlite/writer.hpp"

#include "base/contract.hpp"
#include "base/fail_point.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace rekey::storage::sqlite {

WriterSession::WriterSession(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)),
      tables_(*connection_),
      begin_(*connection_, "BEGIN IMMEDIATE"),
      commit_(*connection_, "COMMIT"),
      savepoint_(*connection_, "SAVEPOINT unit"),
      release_(*connection_, "RELEASE unit"),
      rollback_to_(*connection_, "ROLLBACK TO unit") {}

Result<std::unique_ptr<WriterSession>> WriterSession::start(
    std::unique_ptr<Connection> connection) {
    std::unique_ptr<WriterSession> session(new WriterSession(std::move(connection)));
    REKEY_TRY_ASSIGN(head, session->tables_.audit().start_writing());
    session->committed_head_ = head;
    return session;
}

Result<> WriterSession::begin() {
    fail_point::reached(fail_point::Point::server_begin_transaction);
    head_ = committed_head_;
    return begin_.run();
}

Result<> WriterSession::run(const Store::Unit& unit) {
    const auto attempt = [&]() -> Result<> {
        REKEY_TRY(savepoint_.run());
        try {
            return unit(tables_);
        } catch (const std::exception& exception) {
            return Error(Code::internal, std::string("a unit threw: ") + exception.what());
        }
    };
    Result<> result = attempt();
    // After a full disk or an I/O error SQLite itself has rolled back all of the transaction.
    if (!connection_->in_transaction()) {
        broken_ = result.has_error() ? result.error() : Error(Code::unavailable, "rolled back");
        return result;
    }
    if (result.has_error()) {
        static_cast<void>(tables_.audit().take_waiting());
        const Result<> undone = rollback_to_.run();
        const Result<> released = undone.has_error() ? undone : release_.run();
        if (released.has_error()) broken_ = released.error();
        return result;
    }
    const Result<> kept = keep();
    if (kept.has_error()) broken_ = kept.error();
    return kept;
}

// The events get their places only now that nothing of the unit can be undone alone any more: a
// rolled-back unit leaves no gap.
Result<> WriterSession::keep() {
    REKEY_TRY(release_.run());
    for (AuditEvent& event : tables_.audit().take_waiting())
        REKEY_TRY(tables_.audit().insert(chain_event(kMainStream, std::move(event), head_)));
    return {};
}

Result<> WriterSession::commit() {
    fail_point::reached(fail_point::Point::server_before_commit);
    REKEY_TRY(commit_.run());
    fail_point::reached(fail_point::Point::server_after_commit);
    committed_head_ = head_;
    return {};
}

Writer::Writer(Connection::Location location, const Log& log,
               std::unique_ptr<WriterSession> session)
    : location_(std::move(location)),
      files_(location_.path),
      log_(log),
      session_(std::move(session)) {
    thread_ = std::thread([this] { run(); });
}

Writer::~Writer() { stop(); }

void Writer::submit(Store::Unit unit, Store::Done done) {
    std::optional<Error> refused;
    {
        std::unique_lock lock(mutex_);
        if (stopping_)
            refused.emplace(Code::unavailable, "the store is stopping");
        else if (queue_.size() >= limits::kWriteQueueUnits)
            refused.emplace(Code::overloaded, "too many writes wait");
        else {
            queue_.push_back({std::move(unit), std::move(done), {}});
            lock.unlock();  // whoever wakes needs it
            return wake_.notify_one();
        }
    }
    done(*refused);
}

void Writer::stop() {
    REKEY_ASSERT(std::this_thread::get_id() != thread_.get_id());
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

bool Writer::take(std::vector<Entry>& batch) {
    batch.clear();
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    const std::size_t count = std::min(queue_.size(), limits::kUnitsACommit);
    for (std::size_t i = 0; i < count; ++i) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return count > 0;
}

void Writer::run() {
    std::vector<Entry> batch;
    while (take(batch)) {
        const Result<> committed = commit(batch);
        if (committed.has_error()) {
            // One line when it begins to fail, not one a commit while the disk stays full.
            if (!std::exchange(failing_, true))
                log_.error("storage.commit_failed",
                           {{"reason", committed.error().message()}, {"units", batch.size()}});
            const Error answer(Code::unavailable,
                               "the database cannot commit: " + committed.error().message());
            for (Entry& entry : batch) entry.result = answer;
        } else if (std::exchange(failing_, false)) {
            log_.info("storage.commit_recovered");
        }
        for (Entry& entry : batch) entry.done(std::move(entry.result));
    }
}

Result<> Writer::commit(std::vector<Entry>& batch) {
    REKEY_TRY(files_.check());
    if (!session_) REKEY_TRY(reopen());
    const auto attempt = [&]() -> Result<> {
        REKEY_TRY(session_->begin());
        for (Entry& entry : batch) {
            entry.result = session_->run(entry.unit);
            if (session_->broken()) return *session_->broken();
        }
        return session_->commit();
    };
    Result<> result = attempt();
    // Closing the connection rolls back what is left, and a new one reads the file as it is: the
    // only state that a failed commit cannot have bent.
    if (result.has_error()) session_.reset();
    return result;
}

Result<> Writer::reopen() {
    REKEY_TRY_ASSIGN(connection, Connection::open(location_));
    REKEY_TRY(connection->tune(Connection::Role::writer));
    REKEY_TRY_ASSIGN(session, WriterSession::start(std::move(connection)));
    session_ = std::move(session);
    return {};
}

}  // namespace rekey::storage::sqlite
