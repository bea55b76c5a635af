#include "tests/model/moves.hpp"

#include <algorithm>
#include <utility>

// What the agent makes of messages, and what becomes of its writes.
namespace rekey::model {

using namespace agent::rotation;

namespace {

struct Sends {
    Message message;
    std::uint64_t generation;
};

// A durable write by the agent: what it is for, and what is sent when it succeeds or fails.
struct Write {
    std::string_view words;
    std::uint64_t generation = 0;
    HeldTokens next;
    std::optional<Sends> then;
    std::optional<Sends> on_failure;
    std::string_view broken;
};

void send(World& world, const std::optional<Sends>& sends) {
    if (sends) world.network.send(sends->message, sends->generation);
}

// Every way in which a write can end. Without power losses to come, what stands in the file stays.
void emit_write(const World& world, Weather weather, const Write& write, const Emit<World>& emit) {
    const auto ends = [&](const HeldTokens& memory, const HeldTokens& visible,
                          const HeldTokens& durable, const std::optional<Sends>& sends,
                          std::string_view tail) {
        World next = world;
        next.agent = {memory, visible, world.budget.power_losses > 0 ? durable : visible};
        send(next, sends);
        emit({write.words, write.generation, std::move(next), tail, write.broken});
    };
    const Agent& agent = world.agent;
    const HeldTokens& next = write.next;
    ends(next, next, next, write.then, "");
    if (weather == Weather::calm) return;
    const auto kept = [&](WriteOutcome outcome) {
        return after_write(agent.memory, next, outcome);
    };
    const HeldTokens down;
    ends(down, next, next, std::nullopt, ", and is killed before it says so");
    ends(kept(WriteOutcome::failed_before_rename), agent.visible, agent.durable, write.on_failure,
         ": the disk is full");
    ends(kept(WriteOutcome::failed_after_rename), next, agent.durable, write.on_failure,
         ": an error after the rename");
    ends(down, next, agent.durable, std::nullopt, ", and is killed between rename and fsync");
}

// I10, and A3's "the older token goes with the next rotation's write": whatever else a write drops.
bool drops_too_much(const HeldTokens& before, const HeldTokens& next, bool for_an_offer) {
    const auto newest = std::find_if(before.rbegin(), before.rend(), [](const HeldToken& token) {
        return token.state == TokenState::confirmed;
    });
    return std::ranges::any_of(before, [&](const HeldToken& token) {
        if (std::ranges::find(next, token.rotation_id, &HeldToken::rotation_id) != next.end())
            return false;
        return !(for_an_offer && token.state == TokenState::confirmed && newest != before.rend() &&
                 token.generation < newest->generation);
    });
}

constexpr std::string_view kDropped = "I10: the agent drops a token that nobody called unknown";

}  // namespace

void RotationModel::agent_connects(const World& world, Weather weather,
                                   const Emit<World>& emit) const {
    std::vector<std::string> unknown;
    for (std::uint64_t generation = 1; generation < world.server.next_generation; ++generation)
        if (world.network.has(Message::unknown, generation))
            unknown.push_back(rotation_of(generation));
    open_connection(world, {}, weather, emit);
    if (!unknown.empty()) open_connection(world, unknown, weather, emit);
}

void RotationModel::open_connection(const World& world, const std::vector<std::string>& refused,
                                    Weather weather, const Emit<World>& emit) const {
    const HeldToken* token = rules_.next_credential(world.agent.memory, refused);
    if (token == nullptr) return;
    World next = world;
    const bool lasts = world.agent.durable == world.agent.visible;
    if (token->state == TokenState::candidate && !lasts && rules_.syncs_before_connect()) {
        next.agent.durable = next.agent.visible;
        if (weather == Weather::storm) {
            std::vector<std::string> passed_over = refused;
            passed_over.push_back(token->rotation_id);
            open_connection(world, passed_over, weather, emit);
        }
    }
    const DelayedConnect connect{token->generation};
    if (bounds_.delayed_connects == 0 || weather == Weather::calm) {
        server_answers_connect(std::move(next), connect, "agent connects with {}", emit);
        return;
    }
    if (next.connects.size() == bounds_.delayed_connects ||
        std::ranges::find(next.connects, connect) != next.connects.end())
        return;
    next.connects.push_back(connect);
    std::ranges::sort(next.connects);
    emit({"agent opens a connection with {}, which is slow", token->generation, std::move(next)});
}

void RotationModel::agent_receives(const World& world, std::uint64_t generation, Weather weather,
                                   const Emit<World>& emit) const {
    const HeldTokens& held = world.agent.memory;
    const std::string& id = rotation_of(generation);
    if (world.network.has(Message::offer, generation))
        agent_hears_offer(world, generation, weather, emit);
    if (world.network.has(Message::commit, generation)) {
        const CommitDecision decision = rules_.on_commit(held, generation, id);
        const Sends activated{Message::activated, generation};
        if (std::holds_alternative<AnswerActivated>(decision)) {
            World next = world;
            send(next, activated);
            emit({"agent answers that {} is activated", generation, std::move(next)});
        } else if (const auto* confirm = std::get_if<ConfirmThenAnswer>(&decision)) {
            emit_write(world, weather,
                       {"agent confirms {} on commit", generation, confirm->next, activated,
                        std::nullopt, drops_too_much(held, confirm->next, false) ? kDropped : ""},
                       emit);
        }
    }
    if (world.network.has(Message::welcome, generation))
        if (const auto next = on_welcome(held, generation, id))
            emit_write(world, weather,
                       {"agent confirms {} on welcome", generation, *next, std::nullopt,
                        std::nullopt, drops_too_much(held, *next, false) ? kDropped : ""},
                       emit);
    if (world.network.has(Message::unknown, generation))
        if (const auto next = on_unknown_credential(held, id)) {
            const bool too_much =
                next->size() + 1 != held.size() || std::ranges::any_of(*next, [](const auto& kept) {
                    return kept.state == TokenState::candidate;
                });
            emit_write(world, weather,
                       {"agent drops {}, which is unknown", generation, *next, std::nullopt,
                        std::nullopt, too_much ? kDropped : ""},
                       emit);
        }
}

void RotationModel::agent_hears_offer(const World& world, std::uint64_t generation, Weather weather,
                                      const Emit<World>& emit) const {
    const HeldTokens& held = world.agent.memory;
    const OfferDecision decision =
        rules_.on_offer(held, {rotation_of(generation), generation, token_of(generation)});
    const Sends complete{Message::complete, generation};
    const Sends failed{Message::failed, generation};
    World next = world;
    if (std::holds_alternative<AnswerComplete>(decision)) {
        send(next, complete);
        emit({"agent proves {} again", generation, std::move(next)});
        return;
    }
    if (const auto* write = std::get_if<WriteCandidate>(&decision)) {
        emit_write(world, weather,
                   {"agent saves {}", generation, write->next, complete, failed,
                    drops_too_much(held, write->next, true) ? kDropped : ""},
                   emit);
        return;
    }
    const auto& refusal = std::get<RefuseOffer>(decision);
    if (refusal.reason != FailureReason::stale_generation) {
        send(next, failed);
        emit({"agent refuses {}: its candidate is unresolved", generation, std::move(next)});
        return;
    }
    // Without a database or a disk that goes back in time, only an old offer can be stale.
    const auto& pending = world.server.pending;
    if (pending && pending->generation == generation)
        emit({"agent refuses {} as stale", generation, std::move(next), "",
              "S5: an honest agent calls the pending token stale"});
}

void RotationModel::disk_acts(const World& world, Weather weather, const Emit<World>& emit) const {
    const Agent& agent = world.agent;
    if (agent.memory != agent.visible) {
        World next = world;
        next.agent.memory = agent.visible;
        if (rules_.syncs_at_start()) next.agent.durable = agent.visible;
        emit({"agent restarts", 0, std::move(next)});
    }
    if (agent.durable == agent.visible || weather == Weather::calm) return;
    World settles = world;
    settles.agent.durable = agent.visible;
    emit({"the agent's disk settles", 0, std::move(settles)});
    World lost = world;
    lost.agent = {{}, agent.durable, agent.durable};
    lost.budget.power_losses -= 1;
    emit({"the agent's machine loses power, and its last write", 0, std::move(lost)});
}

}  // namespace rekey::model
