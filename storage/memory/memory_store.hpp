#pragma once

#include "storage/memory/memory_database.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace rekey::storage {

namespace memory {
enum class Access : std::uint8_t { read, write };
}  // namespace memory

// Where and when units run, and what fails: a simulation puts its event queue and its faults here.
struct MemoryOptions {
    // Gets each unit with its answer as one callable, in the order of the calls, and runs it then
    // or later, on any thread; dropping it is a crash before the commit. Empty: at once, inside
    // write() and read(), so that `done` runs before they return.
    std::function<void(std::function<void()>)> schedule;
    // Called when a unit is about to be kept; an error rolls it back and is its answer, as a failed
    // COMMIT does. Empty: never fails.
    std::function<Result<>()> before_commit;
};

// The Store without a disk: passes the same conformance suite as SQLite and is deterministic, one
// unit a commit. Safe from any thread; units run one at a time, `done` outside of the lock.
class MemoryStore final : public Store {
  public:
    explicit MemoryStore(std::shared_ptr<MemoryDatabase> database, MemoryOptions options = {});
    ~MemoryStore() override;

    void write(Unit unit, Done done) override;
    void read(Unit unit, Done done) override;
    // Whatever `schedule` holds.
    [[nodiscard]] Result<> read_here(const Unit& unit) override;
    // What `schedule` holds is finished when it runs it, also after this.
    void stop() override;

  private:
    struct State;
    void submit(Unit unit, Done done, memory::Access access);

    std::shared_ptr<State> state_;
};

}  // namespace rekey::storage
