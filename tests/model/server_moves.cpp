#include "tests/model/decisions.hpp"
#include "tests/model/moves.hpp"

#include <utility>

// What the server decides and sends. Each decision is one transaction, which may be slow: then
// others come between its read and its write.
namespace rekey::model {

using storage::AgentStatus;

World RotationModel::calm(World world) {
    world.network = {};
    world.stale = {};
    world.asked = {};
    world.connects = {};
    world.session = {};
    world.closing = 0;
    world.slow = {};
    world.slow_read = {};
    world.left = Budget();
    world.agent.durable = world.agent.visible;
    forget_what_is_over(world);
    return world;
}

void RotationModel::steps(const World& world, Weather weather, const Emit<World>& emit) const {
    const Next tidy = [&](Step<World>&& step) {
        if (rules_.outdates_challenges()) forget_outdated_challenges(step.after);
        forget_what_is_over(step.after);
        relevance_.forget_what_is_ignored(step.after);
        emit(std::move(step));
    };
    server_acts(world, weather, tidy);
    if (world.agent.is_up()) {
        agent_receives(world, weather, tidy);
        agent_connects(world, weather, tidy);
        agent_recovers(world, weather, tidy);
    }
    slow_connects_go_on(world, tidy);
    disk_acts(world, weather, tidy);
    if (weather == Weather::calm) return;
    clocks_jump(world, tidy);
    storage_goes_back(world, tidy);
}

void RotationModel::server_acts(const World& world, Weather weather, const Next& emit) const {
    // In the calm nothing is taken on trust: what needs a session needs a token that opens one.
    const bool has_session = weather == Weather::storm || could_connect(world);
    if (has_session) server_sends_commit(world, emit);
    for (const Decision& decision : decisions(world, weather, has_session))
        try_decision(world, decision, weather, emit);
    if (world.slow.exists()) slow_transaction_writes(world, emit);
    if (world.closing == 0) return;
    World next = world;
    next.closing = 0;
    next.session = {};
    for (SlowConnect& connect : next.connects)
        if (connect.arrival == Arrival::registered) connect = {};
    emit({Event::sessions_closed, "the server closes the sessions that are registered", "", next});
}

void RotationModel::server_sends_commit(const World& world, const Next& emit) const {
    const Row& row = world.row;
    if (row.status != AgentStatus::active || !row.current.exists() ||
        world.network.has(Message::commit, row.current) ||
        !rules_.commit_outstanding(row.credentials()))
        return;
    World next = world;
    next.network.send(Message::commit, row.current);
    emit({Event::commit_again, "the server sends commit {} again", name_of(row.current), next});
}

void RotationModel::try_decision(const World& world, const Decision& decision, Weather weather,
                                 const Next& emit) const {
    World paid = world;
    pay(paid.left, decision.event, weather);
    carry_out(paid, world.row, decision, weather, {}, emit);

    if (weather == Weather::calm || world.slow.exists() ||
        !paid.left.allows(Misfortune::slow_transaction))
        return;
    const auto decided = decide(rules_, world, world.row, decision);
    if (!decided || !decided->transition.changed()) return;
    paid.left.spend(Misfortune::slow_transaction);
    paid.slow = decision;
    paid.slow_read = world.row;
    emit({Event::transaction_reads, decided->words, name_of(decided->token), paid, "", "",
          "a slow transaction reads the row, so that "});
}

void RotationModel::slow_transaction_writes(const World& world, const Next& emit) const {
    World next = world;
    const Decision decision = std::exchange(next.slow, {});
    const Row read = std::exchange(next.slow_read, {});
    if (read == world.row || !rules_.compares_and_swaps())
        return carry_out(next, read, decision, Weather::storm,
                         {Event::transaction_commits, "the slow transaction commits: "}, emit);
    // It reads again, and decides on what it finds.
    const SlowEnd lost{Event::transaction_loses,
                       "the slow transaction has lost the race and reads again: "};
    if (decide(rules_, next, next.row, decision))
        return carry_out(next, next.row, decision, Weather::storm, lost, emit);
    emit({lost.event, "there is nothing left to do", "", next, "", "", lost.words});
}

void RotationModel::carry_out(const World& world, const Row& as_read, const Decision& decision,
                              Weather weather, const SlowEnd& slow, const Next& emit) const {
    const auto decided = decide(rules_, world, as_read, decision);
    if (!decided) return;
    World next = world;
    apply(next, decided->transition);
    next.row.recoveries_left = static_cast<std::uint8_t>(
        next.row.recoveries_left - decided->units_spent + decided->units_given);
    if (decision.event == Event::revoke) next.revoked = 1;
    if (decision.event == Event::bar) next.barred = 1;
    const std::string token = name_of(decided->token);
    const bool is_slow = slow.event != Event::kCount;
    const bool may_die =
        decided->event == Event::promote || decided->event == Event::recovery_mints;
    if (decided->sends && may_die && weather == Weather::storm)
        emit({is_slow ? slow.event : Event::killed_before_send, decided->words, token, next,
              ", and is killed before it sends anything", decided->broken, slow.words});
    if (decided->sends) next.network.send(decided->sends->message, decided->sends->token);
    const bool commits = decided->sends && decided->sends->message == Message::commit;
    emit({is_slow ? slow.event : decided->event, decided->words, token, next,
          commits ? ", and sends commit" : "", decided->broken, slow.words});
}

}  // namespace rekey::model
