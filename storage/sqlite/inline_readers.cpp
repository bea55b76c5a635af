#include "storage/sqlite/inline_readers.hpp"

#include "base/limits.hpp"
#include "storage/sqlite/reader_pool.hpp"

#include <utility>

namespace rekey::storage::sqlite {

struct InlineReaders::Reader {
    Reader(const Clock& clock, std::unique_ptr<Connection> owned)
        : connection(std::move(owned)),
          tables(*connection),
          begin(*connection, "BEGIN DEFERRED"),
          end(*connection, "ROLLBACK") {
        connection->set_interrupt([this, &clock] { return clock.steady_now() > deadline; });
    }
    ~Reader() {
        connection->set_interrupt([] { return false; });
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    std::unique_ptr<Connection> connection;
    SqliteTransaction tables;
    Statement begin;
    Statement end;
    SteadyTime deadline = SteadyTime::max();
};

InlineReaders::InlineReaders(const Clock& clock,
                             std::vector<std::unique_ptr<Connection>> connections)
    : clock_(clock) {
    for (auto& connection : connections) {
        readers_.push_back(std::make_unique<Reader>(clock, std::move(connection)));
        idle_.push_back(readers_.back().get());
    }
}

InlineReaders::~InlineReaders() { stop(); }

Result<> InlineReaders::read(const Store::Unit& unit) {
    Reader* reader = nullptr;
    {
        std::unique_lock lock(mutex_);
        returned_.wait(lock, [this] { return stopping_ || !idle_.empty(); });
        if (stopping_) return Error(Code::unavailable, "the store is stopping");
        // The one used last: what it read is still in its cache.
        reader = idle_.back();
        idle_.pop_back();
    }
    reader->deadline = clock_.steady_now() + limits::kReadTransaction;
    Result<> result =
        run_read(*reader->connection, reader->tables, reader->begin, reader->end, unit);
    reader->deadline = SteadyTime::max();
    {
        const std::lock_guard lock(mutex_);
        idle_.push_back(reader);
    }
    returned_.notify_one();
    return result;
}

void InlineReaders::stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    returned_.notify_all();
    returned_.wait(lock, [this] { return idle_.size() == readers_.size(); });
}

}  // namespace rekey::storage::sqlite
