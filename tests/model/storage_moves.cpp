#include "tests/model/moves.hpp"

// What becomes of disks and clocks, and storage that goes back in time.
namespace rekey::model {

void RotationModel::disk_acts(const World& world, Weather weather, const Next& emit) const {
    const Agent& agent = world.agent;
    if (agent.memory != agent.visible) {
        World next = world;
        next.agent.memory = agent.visible;
        forget_refusals(next);
        if (rules_.syncs_at_start()) next.agent.durable = agent.visible;
        emit({Event::restart, "the agent restarts", "", next});
    }
    if (agent.durable == agent.visible || weather == Weather::calm) return;
    World settles = world;
    settles.agent.durable = agent.visible;
    emit({Event::disk_settles, "the agent's disk settles", "", settles});
    if (!world.left.allows(Misfortune::power_loss)) return;
    World lost = world;
    lost.agent = {{}, agent.durable, agent.durable};
    forget_refusals(lost);
    lost.left.spend(Misfortune::power_loss);
    emit({Event::power_loss, "the agent's machine loses power, and its last write", "", lost});
}

// I13. The agent's transitions see no clock.
void RotationModel::clocks_jump(const World& world, const Next& emit) const {
    const auto jump = [&](Event event, Misfortune kind, std::uint8_t expired, Words words) {
        if (!world.left.allows(kind)) return;
        World next = world;
        if (next.row.current.exists()) next.row.current_expired = expired;
        if (next.row.previous.exists()) next.row.previous_expired = expired;
        if (next.row == world.row) return;
        next.left.spend(kind);
        emit({event, words, "", next});
    };
    jump(Event::expiry, Misfortune::expiry, 1, "the clock passes the end of every token's life");
    jump(Event::clock_back, Misfortune::clock_back, 0, "the server's clock is set back");
}

void RotationModel::storage_goes_back(const World& world, const Next& emit) const {
    const Budget& left = world.left;
    if (left.allows(Misfortune::snapshot) && world.agent.visible != world.snapshot) {
        World next = world;
        next.left.spend(Misfortune::snapshot);
        next.snapshot = next.agent.visible;
        emit({Event::snapshot, "a snapshot is taken of the agent's machine", "", next});
    }
    if (left.allows(Misfortune::rollback) && world.agent.visible != world.snapshot) {
        World next = world;
        next.left.spend(Misfortune::rollback);
        next.agent = {next.snapshot, next.snapshot, next.snapshot};
        next.rolled_back = 1;
        forget_refusals(next);
        emit({Event::rollback, "the agent's machine is rolled back to the snapshot", "", next});
    }
    if (left.allows(Misfortune::backup) && world.row != world.backup) {
        World next = world;
        next.left.spend(Misfortune::backup);
        next.backup = next.row;
        emit({Event::backup, "a backup is taken of the database", "", next});
    }
    if (!left.allows(Misfortune::restore) || world.era != 0 || world.row == world.backup) return;
    World next = world;
    next.left.spend(Misfortune::restore);
    next.era = 1;
    next.row = next.backup;
    // The server was stopped: nobody is connected, no transaction is under way, and a challenge
    // lives for a minute.
    next.asked = {};
    next.connects = {};
    next.session = {};
    next.closing = 0;
    next.slow = {};
    next.slow_read = {};
    if (next.revoked != 0 && rules_.keeps_revocations_outside())
        if (const auto again = rules_.revoke(next.row.credentials())) apply(next, *again);
    emit({Event::restore, "the database is restored from the backup", "", next});
}

}  // namespace rekey::model
