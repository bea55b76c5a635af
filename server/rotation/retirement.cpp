#include "base/limits.hpp"
#include "server/rotation/coordinator_state.hpp"

// S7, for all that are due, connected or not.
namespace rekey::server::rotation {

namespace {

// One sweep's open ends: the last one to go starts the next page or ends the sweep.
struct Sweep {
    std::vector<std::string> due;
    std::atomic<std::size_t> open{0};
    std::atomic<bool> failed{false};
};

}  // namespace

void Coordinator::State::sweep() {
    if (stopped || sweeping.exchange(true)) return;
    auto page = std::make_shared<Sweep>();
    parts.store.read(
        [self = shared_from_this(), page](storage::Transaction& transaction) -> Result<> {
            REKEY_TRY_ASSIGN(due, transaction.agents().due_for_retirement(self->parts.clock.now(),
                                                                          limits::kPageRows));
            page->due = std::move(due);
            return {};
        },
        [self = shared_from_this(), page](const Result<>& result) {
            if (result.has_error() || page->due.empty()) {
                self->sweeping = false;
                if (result.has_value()) self->forget_old_tombstones();
                return;
            }
            page->open = page->due.size();
            // The analyzer loses sight of what a std::function owns.
            // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
            for (const std::string& agent_id : page->due)
                self->retire(agent_id, [self, page](const Result<>& retired) {
                    if (retired.has_error()) page->failed = true;
                    if (--page->open > 0) return;
                    self->sweeping = false;
                    // What failed is due again at the next sweep; going on here could spin.
                    const bool full = page->due.size() == limits::kPageRows;
                    if (full && !page->failed) return self->sweep();
                    self->forget_old_tombstones();
                });
        });
}

void Coordinator::State::retire(const std::string& agent_id, std::function<void(Result<>)> done) {
    decide<Transition>(
        parts.store, agent_id,
        [self = shared_from_this()](storage::Transaction& transaction,
                                    storage::AgentRow& row) -> Result<Transition> {
            const Time now = self->parts.clock.now();
            Transition transition = rotation::retire(row.credentials, now);
            REKEY_TRY(apply(transaction, row, transition, {.actor = "system"}, now));
            return transition;
        },
        [self = shared_from_this(), agent_id,
         done = std::move(done)](const Result<Transition>& transition) {
            if (transition.has_error()) return done(transition.error());
            close_sessions(self->parts.agents, agent_id, *transition);
            done({});
        });
}

void Coordinator::State::forget_old_tombstones() {
    parts.store.write(
        [self = shared_from_this()](storage::Transaction& transaction) -> Result<> {
            const Time oldest = self->parts.clock.now() - limits::kTombstoneLife;
            REKEY_TRY(transaction.tombstones().remove_older_than(oldest));
            return {};
        },
        [](const Result<>&) {});
}

}  // namespace rekey::server::rotation
