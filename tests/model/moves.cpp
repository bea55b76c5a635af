#include "tests/model/moves.hpp"

#include <algorithm>
#include <utility>

// What the server and its administrator do, and what it makes of messages. The agent's half is in
// agent_moves.cpp.
namespace rekey::model {

namespace rotation = server::rotation;
using rotation::CompletionVerdict;
using storage::AgentStatus;
using storage::RotationCause;

World RotationModel::calm(World world) const {
    world.network = {};
    world.connects.clear();
    world.budget = {};
    world.agent.durable = world.agent.visible;
    return world;
}

void RotationModel::steps(const World& world, Weather weather, const Emit<World>& emit) const {
    server_acts(world, weather, emit);
    admin_acts(world, weather, emit);
    for (std::uint64_t generation = 1; generation < world.server.next_generation; ++generation) {
        server_receives(world, generation, weather, emit);
        if (world.agent.is_up()) agent_receives(world, generation, weather, emit);
    }
    if (world.agent.is_up()) agent_connects(world, weather, emit);
    for (const DelayedConnect& connect : world.connects) {
        World next = world;
        std::erase(next.connects, connect);
        server_answers_connect(std::move(next), connect, "the connect with {} is answered", emit);
    }
    disk_acts(world, weather, emit);
}

void RotationModel::server_acts(const World& world, Weather weather,
                                const Emit<World>& emit) const {
    const Credentials& row = world.server;
    if (row.status == AgentStatus::active && row.pending &&
        !world.network.has(Message::offer, row.pending->generation)) {
        World next = world;
        apply(next, rotation::offer_again(row, kNow));
        next.network.send(Message::offer, row.pending->generation);
        emit({"server offers {}", row.pending->generation, std::move(next)});
    }
    if (row.status == AgentStatus::active && rules_.commit_outstanding(row) &&
        !world.network.has(Message::commit, row.current->generation)) {
        World next = world;
        next.network.send(Message::commit, row.current->generation);
        emit({"server sends commit {} again", row.current->generation, std::move(next)});
    }
    const rotation::Transition retired = rotation::retire(row, kNow + policy().grace);
    if (retired.changed()) {
        World next = world;
        apply(next, retired);
        emit({"the grace of {} is over: retired", row.previous->generation, std::move(next)});
    }
    // In the calm, what was minted already has to come to its end by itself.
    if (weather == Weather::calm || row.next_generation > bounds_.rotations + 1) return;
    const auto mint = [&](RotationCause cause, Words words, std::uint8_t cost) {
        const Result<std::uint64_t> generation = rotation::may_begin(row, cause, kNow);
        if (generation.has_error()) return false;
        World next = world;
        apply(next, rotation::begin(row,
                                    {.generation = *generation,
                                     .rotation_id = rotation_of(*generation),
                                     .token_hash = hash_of(*generation)},
                                    kNow));
        next.budget.emergencies = static_cast<std::uint8_t>(next.budget.emergencies - cost);
        emit({words, *generation, std::move(next)});
        return true;
    };
    if (!mint(RotationCause::schedule, "server mints {}", 0) && world.budget.emergencies > 0)
        mint(RotationCause::emergency, "server mints {} in an emergency", 1);
}

void RotationModel::admin_acts(const World& world, Weather weather, const Emit<World>& emit) const {
    if (const auto transition = rotation::reactivate(world.server)) {
        World next = world;
        apply(next, *transition);
        emit({"admin reactivates the agent", 0, std::move(next)});
    }
    if (weather == Weather::calm) return;
    if (world.budget.suspensions > 0)
        if (const auto transition = rotation::suspend(world.server)) {
            World next = world;
            apply(next, *transition);
            next.budget.suspensions -= 1;
            emit({"admin suspends the agent", 0, std::move(next)});
        }
    if (world.budget.revokes > 0)
        if (const auto transition = rules_.revoke(world.server)) {
            World next = world;
            apply(next, *transition);
            next.budget.revokes -= 1;
            emit({"admin revokes the agent", 0, std::move(next)});
        }
}

void RotationModel::server_receives(const World& world, std::uint64_t generation, Weather weather,
                                    const Emit<World>& emit) const {
    const Credentials& row = world.server;
    const std::string& id = rotation_of(generation);
    if (world.network.has(Message::complete, generation))
        server_hears_complete(world, generation, weather, emit);
    if (world.network.has(Message::failed, generation)) {
        const rotation::Transition transition = rules_.refuse(row, {id, "disk_full", std::nullopt});
        const bool foreign = !row.pending || row.pending->rotation_id != id;
        World next = world;
        apply(next, transition);
        emit({"server hears that {} failed", generation, std::move(next), "",
              foreign && transition.changed() ? "I6: a foreign refusal changed the row" : ""});
    }
    if (world.network.has(Message::activated, generation)) {
        const rotation::Transition transition =
            rotation::activate(row, generation, id, policy(), kNow);
        const bool foreign = !row.current || row.current->rotation_id != id;
        World next = world;
        apply(next, transition);
        emit({"server hears that {} is activated", generation, std::move(next), "",
              foreign && transition.changed() ? "I6: a foreign activation changed the row" : ""});
    }
}

void RotationModel::server_hears_complete(const World& world, std::uint64_t generation,
                                          Weather weather, const Emit<World>& emit) const {
    const Credentials& row = world.server;
    const std::uint64_t before = row.current ? row.current->generation : 0;
    const rotation::CompletionResult result = rules_.complete(
        row, {generation, rotation_of(generation), rotation::ProofCheck::valid}, policy(), kNow);
    World next = world;
    apply(next, result.transition);
    switch (result.verdict) {
        case CompletionVerdict::promoted: {
            const bool again = generation <= before || (world.tombstones >> generation & 1U) != 0;
            const Words broken = again ? "I5: one rotation was promoted twice" : "";
            if (weather == Weather::storm)
                emit({"server promotes {}", generation, next,
                      " and is killed before it sends commit", broken});
            next.network.send(Message::commit, generation);
            emit({"server promotes {}", generation, std::move(next), " and sends commit", broken});
            return;
        }
        case CompletionVerdict::duplicate:
            next.network.send(Message::commit, generation);
            emit({"server hears complete {} again and answers as before", generation,
                  std::move(next), "",
                  result.transition.changed() ? "I5: a duplicate changed the row" : ""});
            return;
        case CompletionVerdict::wrong_proof:
        case CompletionVerdict::unrelated:
            if (result.transition.changed())
                emit({"server hears a completion of {}", generation, std::move(next), "",
                      "I6: a foreign completion changed the row"});
            return;
    }
}

void RotationModel::server_answers_connect(World world, const DelayedConnect& connect, Words words,
                                           const Emit<World>& emit) const {
    const std::uint64_t generation = connect.generation;
    const bool tombstone = (world.tombstones >> generation & 1U) != 0;
    const Result<rotation::Accepted> answer = rotation::authenticate(
        world.server, hash_of(generation),
        tombstone ? rotation::TombstoneMatch::yes : rotation::TombstoneMatch::no, kNow);
    if (answer.has_error()) {
        // Suspended or revoked: the agent keeps all that it holds, whatever it hears.
        if (answer.error().code() != Code::unknown_credential) {
            emit({words, generation, std::move(world), ": refused"});
            return;
        }
        const bool late = connect.before_retirement && rules_.forgives_delayed_connects();
        world.network.send(Message::unknown, generation);
        emit({words, generation, std::move(world), ": unknown_credential",
              tombstone && !late ? "I18: an honest agent raises the reuse alarm" : ""});
        return;
    }
    const Words broken = world.server.status == AgentStatus::revoked
                             ? "I4: a token is accepted after the revoke"
                             : "";
    Words tail = ": let in";
    if (answer->slot == rotation::TokenSlot::pending) {
        apply(world,
              rules_
                  .complete(world.server,
                            {answer->generation, answer->rotation_id, rotation::ProofCheck::valid},
                            policy(), kNow)
                  .transition);
        tail = ": let in, which promotes it";
    }
    world.network.send(Message::welcome, generation);
    emit({words, generation, std::move(world), tail, broken});
}

}  // namespace rekey::model
