#include "tests/model/world.hpp"

#include "base/hash.hpp"

#include <algorithm>

namespace rekey::model {

using agent::rotation::HeldToken;
using agent::rotation::HeldTokens;
using agent::rotation::TokenState;
using storage::AgentStatus;

namespace {

struct Names {
    std::array<std::string, kGenerations> rotations;
    std::array<Secret, kGenerations> tokens;
    std::array<Bytes32, kGenerations> hashes;
};

const Names& names() {
    static const Names all = [] {
        Names made;
        for (std::size_t g = 0; g < kGenerations; ++g) {
            made.rotations[g] = "r" + std::to_string(g);
            made.tokens[g] = Secret("token " + std::to_string(g));
            made.hashes[g] = sha256(made.tokens[g].expose());
        }
        return made;
    }();
    return all;
}

std::uint8_t byte(std::uint64_t small) {
    REKEY_ASSERT(small < 256);
    return static_cast<std::uint8_t>(small);
}

void put(std::uint8_t* to, const HeldTokens& held) {
    REKEY_ASSERT(held.size() <= 2);
    for (std::size_t i = 0; i < held.size(); ++i)
        to[i] = byte(held[i].generation * 2 + (held[i].state == TokenState::confirmed ? 1 : 0));
}

HeldTokens take_held(const std::uint8_t* from) {
    HeldTokens held;
    for (std::size_t i = 0; i < 2 && from[i] != 0; ++i) {
        const std::uint64_t generation = from[i] / 2;
        held.push_back({generation, rotation_of(generation), token_of(generation),
                        from[i] % 2 == 1 ? TokenState::confirmed : TokenState::candidate});
    }
    return held;
}

storage::CurrentToken current_token(std::uint64_t generation) {
    return {.generation = generation,
            .rotation_id = rotation_of(generation),
            .token_hash = hash_of(generation),
            .issued_at = kNow,
            .expires_at = kNow + policy().token_life};
}

bool accepted(const Credentials& row, std::uint64_t generation) {
    const std::vector<Bytes32> hashes = server::rotation::accepted_hashes(row);
    return std::ranges::find(hashes, hash_of(generation)) != hashes.end();
}

bool opens_something(const Credentials& row, const HeldTokens& held) {
    return std::ranges::any_of(
        held, [&row](const HeldToken& token) { return accepted(row, token.generation); });
}

bool is_confirmed(const HeldToken& token) { return token.state == TokenState::confirmed; }

}  // namespace

const server::rotation::Policy& policy() {
    static const server::rotation::Policy value{.token_life = std::chrono::days{7},
                                                .grace = std::chrono::minutes{5},
                                                .backoff_unit = std::chrono::seconds{60}};
    return value;
}

const std::string& rotation_of(std::uint64_t generation) {
    return names().rotations.at(generation);
}
const Secret& token_of(std::uint64_t generation) { return names().tokens.at(generation); }
const Bytes32& hash_of(std::uint64_t generation) { return names().hashes.at(generation); }

World settled_world(const Budget& budget) {
    World world;
    world.server.next_generation = 2;
    world.server.activated_generation = 1;
    world.server.current = current_token(1);
    world.server.rotate_at = kNow;
    const HeldTokens held{{1, rotation_of(1), token_of(1), TokenState::confirmed}};
    world.agent = {held, held, held};
    world.budget = budget;
    return world;
}

bool is_settled(const World& world) {
    const Credentials& row = world.server;
    const Agent& agent = world.agent;
    return row.status == AgentStatus::active && row.current && !row.pending && !row.previous &&
           row.activated_generation == row.current->generation && agent.is_up() &&
           agent.memory == agent.visible && agent.memory == agent.durable &&
           std::ranges::all_of(agent.memory, is_confirmed) &&
           agent.memory.back().generation == row.current->generation;
}

Key encode(const World& world) {
    Key key{};
    const Credentials& row = world.server;
    key[0] = static_cast<std::uint8_t>(row.status);
    key[1] = byte(row.next_generation);
    key[2] = byte(row.activated_generation);
    if (row.current) key[3] = byte(row.current->generation);
    if (row.pending) key[4] = byte(row.pending->generation);
    if (row.previous) {
        key[5] = byte(row.previous->generation);
        key[6] = row.previous->retire_after ? 1 : 0;
    }
    key[7] = world.tombstones;
    put(&key[8], world.agent.memory);
    put(&key[10], world.agent.visible);
    put(&key[12], world.agent.durable);
    std::ranges::copy(world.network.bytes(), &key[14]);
    REKEY_ASSERT(world.connects.size() <= 2);
    for (std::size_t i = 0; i < world.connects.size(); ++i)
        key[21 + i] =
            byte(world.connects[i].generation * 2 + (world.connects[i].before_retirement ? 1 : 0));
    key[23] = world.budget.emergencies;
    key[24] = world.budget.suspensions;
    key[25] = world.budget.revokes;
    key[26] = world.budget.power_losses;
    return key;
}

World decode(const Key& key) {
    World world;
    Credentials& row = world.server;
    row.status = static_cast<AgentStatus>(key[0]);
    row.next_generation = key[1];
    row.activated_generation = key[2];
    if (key[3] != 0) {
        row.current = current_token(key[3]);
        row.rotate_at = kNow;
    }
    if (key[4] != 0)
        row.pending = storage::PendingToken{.generation = key[4],
                                            .rotation_id = rotation_of(key[4]),
                                            .token_hash = hash_of(key[4])};
    if (key[5] != 0) {
        row.previous = storage::PreviousToken{.generation = key[5],
                                              .rotation_id = rotation_of(key[5]),
                                              .token_hash = hash_of(key[5]),
                                              .expires_at = kNow + policy().token_life};
        if (key[6] != 0) row.previous->retire_after = kNow + policy().grace;
    }
    world.tombstones = key[7];
    world.agent = {take_held(&key[8]), take_held(&key[10]), take_held(&key[12])};
    std::copy_n(&key[14], kMessages, world.network.bytes().begin());
    for (std::size_t i = 21; i < 23 && key[i] != 0; ++i)
        world.connects.push_back({std::uint64_t{key[i]} / 2, key[i] % 2 == 1});
    world.budget = {key[23], key[24], key[25], key[26]};
    return world;
}

void apply(World& world, const server::rotation::Transition& transition) {
    world.server = transition.after;
    world.server.epoch = 0;
    if (world.server.rotate_at) world.server.rotate_at = kNow;
    if (world.server.pending) {
        world.server.pending->attempts = 0;
        world.server.pending->offered_at = {};
        world.server.pending->last_reason.clear();
    }
    for (const server::rotation::RetiredToken& retired : transition.retired) {
        REKEY_ASSERT(retired.hash == hash_of(retired.generation));
        world.tombstones |= static_cast<std::uint8_t>(1U << retired.generation);
        for (DelayedConnect& connect : world.connects)
            if (connect.generation == retired.generation) connect.before_retirement = true;
    }
    std::ranges::sort(world.connects);
}

std::string_view broken_invariant(const World& world) {
    const Credentials& row = world.server;
    const std::vector<Bytes32> hashes = server::rotation::accepted_hashes(row);
    if (row.status == AgentStatus::revoked)
        return hashes.empty() ? "" : "I4: a token is accepted after the revoke";

    const std::uint64_t generations[] = {row.current ? row.current->generation : 0,
                                         row.pending ? row.pending->generation : 0,
                                         row.previous ? row.previous->generation : 0};
    for (std::size_t i = 0; i < 3; ++i) {
        if (generations[i] >= row.next_generation) return "I2: a token that was never minted";
        for (std::size_t j = 0; j < i; ++j)
            if (generations[i] != 0 && generations[i] == generations[j])
                return "I3: two tokens of one generation";
    }
    if (hashes.size() > 3) return "I2: more than three tokens are accepted";

    for (const HeldTokens* held :
         {&world.agent.memory, &world.agent.visible, &world.agent.durable}) {
        if (held == &world.agent.memory && !world.agent.is_up()) continue;
        if (!opens_something(row, *held)) return "L: no token that the agent holds is accepted";
        if (std::ranges::none_of(*held, is_confirmed))
            return "I9: the agent holds no confirmed token";
    }
    for (const HeldToken& token : world.agent.memory)
        if (!is_confirmed(token) && !accepted(row, token.generation))
            return "S5: an offered token was taken back, and the agent has saved it";
    return "";
}

}  // namespace rekey::model
