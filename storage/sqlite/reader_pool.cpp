#include "storage/sqlite/reader_pool.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"

#include <exception>
#include <utility>

namespace rekey::storage::sqlite {
Result<> run_read(Connection& connection, SqliteTransaction& tables, Statement& begin,
                  Statement& end, const Store::Unit& unit) {
    const auto attempt = [&]() -> Result<> {
        REKEY_TRY(begin.run());
        try {
            return unit(tables);
        } catch (const std::exception& exception) {
            return Error(Code::internal, std::string("a unit threw: ") + exception.what());
        }
    };
    Result<> result = attempt();
    if (connection.in_transaction()) {
        const Result<> ended = end.run();
        if (ended.has_error() && result.has_value()) result = ended.error();
    }
    if (!tables.audit().take_waiting().empty())
        return Error(Code::internal, "a unit wrote an audit row in a read transaction");
    return result;
}

ReaderPool::ReaderPool(const Clock& clock, std::vector<std::unique_ptr<Connection>> connections)
    : clock_(clock), connections_(std::move(connections)) {
    for (const auto& connection : connections_)
        threads_.emplace_back([this, &connection] { run(*connection); });
}

ReaderPool::~ReaderPool() { stop(); }

void ReaderPool::submit(Store::Unit unit, Store::Done done) {
    std::optional<Error> refused;
    {
        std::unique_lock lock(mutex_);
        if (stopping_)
            refused.emplace(Code::unavailable, "the store is stopping");
        else if (queue_.size() >= limits::kReadQueueUnits)
            refused.emplace(Code::overloaded, "too many reads wait");
        else {
            queue_.push_back({std::move(unit), std::move(done)});
            lock.unlock();  // whoever wakes needs it
            return wake_.notify_one();
        }
    }
    done(*refused);
}

void ReaderPool::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        REKEY_ASSERT(std::this_thread::get_id() != thread.get_id());
        if (thread.joinable()) thread.join();
    }
}

void ReaderPool::run(Connection& connection) {
    SqliteTransaction tables(connection);
    Statement begin(connection, "BEGIN DEFERRED");
    Statement end(connection, "ROLLBACK");
    SteadyTime deadline = SteadyTime::max();
    connection.set_interrupt([&] { return clock_.steady_now() > deadline; });
    for (;;) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) break;
        Entry entry = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        deadline = clock_.steady_now() + limits::kReadTransaction;
        Result<> result = run_read(connection, tables, begin, end, entry.unit);
        deadline = SteadyTime::max();
        entry.done(std::move(result));
    }
    connection.set_interrupt([] { return false; });
}

}  // namespace rekey::storage::sqlite
