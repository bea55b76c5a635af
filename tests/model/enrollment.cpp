#include "tests/model/enrollment.hpp"

#include <utility>

namespace rekey::model {

namespace rotation = server::rotation;

namespace {

// Keys beyond these would only repeat the story.
constexpr std::uint64_t kKeys = 3;

std::uint8_t bit(std::uint64_t number) { return static_cast<std::uint8_t>(1U << number); }
bool has(std::uint8_t set, std::uint64_t number) { return (set >> number & 1U) != 0; }

// What the two worlds have in common.
model::World common(const EnrollmentWorld& world) {
    model::World shared;
    shared.server = world.server;
    shared.tombstones = world.tombstones;
    shared.agent = {world.held, world.held, world.held};
    shared.network = world.network;
    return shared;
}

void apply(EnrollmentWorld& world, const rotation::Transition& transition) {
    model::World shared = common(world);
    model::apply(shared, transition);
    world.server = shared.server;
    world.tombstones = shared.tombstones;
}

// A connect with this generation's token, if it is let in: a pending one is promoted.
void connect(EnrollmentWorld& world, std::uint64_t generation) {
    const auto accepted = rotation::authenticate(world.server, hash_of(generation),
                                                 rotation::TombstoneMatch::no, kNow);
    if (accepted.has_error() || accepted->slot != rotation::TokenSlot::pending) return;
    apply(world, rotation::complete(
                     world.server,
                     {accepted->generation, accepted->rotation_id, rotation::ProofCheck::valid},
                     policy(), 0, kNow)
                     .transition);
}

}  // namespace

Key EnrollmentModel::encode(const World& world) {
    Key key = model::encode(common(world));
    key[27] = static_cast<std::uint8_t>(world.bound_key);
    key[28] = static_cast<std::uint8_t>(world.memory_key * 16 + world.durable_key);
    key[29] = static_cast<std::uint8_t>(world.keys_made);
    key[30] = world.codes_sent;
    key[31] = world.answers_sent;
    return key;
}

EnrollmentWorld EnrollmentModel::decode(const Key& key) {
    const model::World shared = model::decode(key);
    return {.server = shared.server,
            .tombstones = shared.tombstones,
            .bound_key = key[27],
            .keys_made = key[29],
            .memory_key = key[28] / std::uint64_t{16},
            .durable_key = key[28] % std::uint64_t{16},
            .held = shared.agent.memory,
            .codes_sent = key[30],
            .answers_sent = key[31],
            .network = shared.network};
}

std::string_view EnrollmentModel::broken(const World& world) {
    // The law holds from the agent's first durable write on.
    return world.held.empty() ? "" : broken_invariant(common(world));
}

EnrollmentWorld EnrollmentModel::calm(World world) {
    world.codes_sent = 0;
    world.answers_sent = 0;
    world.network = {};
    return world;
}

bool EnrollmentModel::settled(const World& world) { return is_settled(common(world)); }

void EnrollmentModel::steps(const World& world, Weather weather, const Emit<World>& emit) const {
    agent_enrolls(world, weather, emit);
    door_answers(world, emit);
    first_session(world, emit);
}

void EnrollmentModel::agent_enrolls(const World& world, Weather weather,
                                    const Emit<World>& emit) const {
    if (world.memory_key == 0 && world.keys_made < kKeys) {
        World next = world;
        next.memory_key = ++next.keys_made;
        if (rules_.key_is_durable_before_the_code_is_sent) next.durable_key = next.memory_key;
        emit({"agent makes key {}", next.memory_key, next});
    }
    if (weather == Weather::storm && world.memory_key != world.durable_key) {
        World next = world;
        next.memory_key = world.durable_key;
        emit({"agent is killed and restarts", 0, std::move(next)});
    }
    if (!world.held.empty() || world.memory_key == 0) return;
    World sent = world;
    sent.codes_sent |= bit(world.memory_key);
    emit({"agent sends the code with key {}", world.memory_key, std::move(sent)});

    if (!has(world.answers_sent, world.memory_key)) return;
    // The answer names the only token that the code was ever answered with.
    const std::uint64_t generation = world.server.next_generation - 1;
    World saved = world;
    saved.held =
        agent::rotation::on_enrolled({rotation_of(generation), generation, token_of(generation)});
    saved.durable_key = world.memory_key;
    emit({"agent saves {}", generation, std::move(saved)});
    if (rules_.token_is_durable_before_the_connect) return;
    World early = world;
    connect(early, generation);
    emit({"agent connects with {} before it has saved it", generation, std::move(early)});
}

void EnrollmentModel::door_answers(const World& world, const Emit<World>& emit) const {
    for (std::uint64_t key = 1; key <= kKeys; ++key) {
        if (!has(world.codes_sent, key)) continue;
        if (world.bound_key == key && world.server.pending) {
            World next = world;
            next.answers_sent |= bit(key);
            emit({"the code is used with key {} again and answered alike", key, std::move(next)});
        }
        if (world.bound_key != 0) continue;
        World next = world;
        apply(next, *rotation::enroll(next.server));
        const auto generation =
            *rotation::may_begin(next.server, storage::RotationCause::enrollment, kNow);
        apply(next, rotation::begin(next.server,
                                    {.generation = generation,
                                     .rotation_id = rotation_of(generation),
                                     .token_hash = hash_of(generation)},
                                    kNow));
        next.bound_key = key;
        emit({"the code is used with key {}", key, next, ", and the server is killed"});
        next.answers_sent |= bit(key);
        emit({"the code is used with key {}", key, std::move(next), " and answered"});
    }
}

void EnrollmentModel::first_session(const World& world, const Emit<World>& emit) const {
    if (world.held.empty()) return;
    const std::uint64_t generation = world.held.back().generation;
    const std::string& id = rotation_of(generation);
    World connected = world;
    connect(connected, generation);
    emit({"agent connects with {}", generation, std::move(connected)});
    if (rotation::commit_outstanding(world.server)) {
        World next = world;
        next.network.send(Message::commit, generation);
        emit({"server sends commit {}", generation, std::move(next)});
    }
    const auto decision = agent::rotation::on_commit(world.held, generation, id);
    if (world.network.has(Message::commit, generation) &&
        std::holds_alternative<agent::rotation::AnswerActivated>(decision)) {
        World next = world;
        next.network.send(Message::activated, generation);
        emit({"agent answers that {} is activated", generation, std::move(next)});
    }
    if (world.network.has(Message::activated, generation)) {
        World next = world;
        apply(next, rotation::activate(world.server, generation, id, policy(), kNow));
        emit({"server hears that {} is activated", generation, std::move(next)});
    }
}

}  // namespace rekey::model
