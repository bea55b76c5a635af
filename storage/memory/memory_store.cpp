#include "storage/memory/memory_store.hpp"

#include "storage/memory/memory_tables.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <utility>

namespace rekey::storage {

using memory::Access;
using memory::Journal;

// Shared with the work that `schedule` holds, which may outlive the store.
struct MemoryStore::State {
    std::mutex mutex;
    std::shared_ptr<MemoryDatabase> database;
    MemoryOptions options;
    std::atomic<bool> stopped = false;  // read by callers while a unit runs

    Result<> run(const Unit& unit, Access access) {
        const std::lock_guard lock(mutex);
        Journal journal(access);
        memory::MemoryTransaction tables(*database, journal);
        Result<> result = attempt(unit, tables);
        if (access == Access::read) {
            if (!journal.events.empty())
                return Error(Code::internal, "a unit wrote an audit row in a read transaction");
            return result;
        }
        if (result.has_value() && options.before_commit) result = options.before_commit();
        if (result.has_error()) {
            journal.roll_back();
            return result;
        }
        for (AuditEvent& event : journal.events)
            database->audit.push_back(
                chain_event(kMainStream, std::move(event), database->audit_head));
        return result;
    }

    static Result<> attempt(const Unit& unit, Transaction& tables) {
        try {
            return unit(tables);
        } catch (const std::exception& exception) {
            return Error(Code::internal, std::string("a unit threw: ") + exception.what());
        }
    }
};

MemoryStore::MemoryStore(std::shared_ptr<MemoryDatabase> database, MemoryOptions options)
    : state_(std::make_shared<State>()) {
    state_->database = std::move(database);
    state_->options = std::move(options);
}

MemoryStore::~MemoryStore() { MemoryStore::stop(); }

void MemoryStore::write(Unit unit, Done done) {
    submit(std::move(unit), std::move(done), Access::write);
}

void MemoryStore::read(Unit unit, Done done) {
    submit(std::move(unit), std::move(done), Access::read);
}

Result<> MemoryStore::read_here(const Unit& unit) {
    if (state_->stopped) return Error(Code::unavailable, "the store is stopping");
    return state_->run(unit, Access::read);
}

void MemoryStore::stop() { state_->stopped = true; }

void MemoryStore::submit(Unit unit, Done done, Access access) {
    if (state_->stopped) return done(Error(Code::unavailable, "the store is stopping"));
    auto work = [state = state_, unit = std::move(unit), done = std::move(done), access] {
        done(state->run(unit, access));
    };
    if (state_->options.schedule)
        state_->options.schedule(std::move(work));
    else
        work();
}

}  // namespace rekey::storage
