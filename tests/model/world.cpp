#include "tests/model/world.hpp"

#include "server/rotation/recover.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rekey::model {

using server::rotation::RetiredToken;
using server::rotation::SessionsAfter;
using storage::AgentStatus;

namespace {

Token token_with(const Bytes32& hash) {
    for (std::uint8_t number = 1; number < kTokens; ++number)
        if (hash_of({number}) == hash) return {number};
    REKEY_ASSERT(false);
    return {};
}

std::string set_of(const std::vector<Token>& tokens) {
    std::string text;
    for (const Token token : tokens) text += (text.empty() ? "" : ", ") + name_of(token);
    return "{" + text + "}";
}

// In ascending order; the hashes are production's answer, the tokens their names.
std::vector<Token> accepted_tokens(const Row& row) {
    std::vector<Token> tokens;
    for (const Bytes32& hash : server::rotation::accepted_hashes(row.credentials()))
        tokens.push_back(token_with(hash));
    std::ranges::sort(tokens);
    return tokens;
}

std::vector<Token> tokens_of(const File& file) {
    std::vector<Token> tokens;
    file.for_each([&tokens](Token token, bool) { tokens.push_back(token); });
    return tokens;
}

bool holds_confirmed(const File& file) {
    bool found = false;
    file.for_each([&found](Token, bool confirmed) { found = found || confirmed; });
    return found;
}

bool share_a_token(const std::vector<Token>& accepted, const File& file) {
    bool shared = false;
    file.for_each([&](Token token, bool) {
        shared = shared || std::ranges::find(accepted, token) != accepted.end();
    });
    return shared;
}

// I1r: would the identity key be given a token now? Suspension is an administrator's, and passes.
bool may_recover(const Row& row, const File& file) {
    const std::vector<Token> held = tokens_of(file);
    Credentials credentials = row.credentials();
    credentials.status = AgentStatus::active;
    return server::rotation::plan_recovery(
               credentials,
               {.newest_held = held.back().generation(), .token_hash = hash_of(held.back())},
               {.units_left = row.recoveries_left}, kNow)
        .has_value();
}

std::string_view broken_in_row(const World& world, const std::vector<Token>& accepted) {
    if (accepted.size() > 3) return "I2: more than three tokens are accepted";
    for (std::size_t i = 0; i < accepted.size(); ++i) {
        if (accepted[i].generation() >= world.row.next_generation)
            return "I2: a token is accepted that was never minted";
        for (std::size_t j = 0; j < i; ++j)
            if (accepted[i].generation() == accepted[j].generation())
                return "I3: two tokens of one generation are accepted";
    }
    return "";
}

std::string_view broken_by_revoke(const World& world, const std::vector<Token>& accepted) {
    const bool revoked = world.row.status == AgentStatus::revoked;
    if (revoked && !accepted.empty()) return "I4: a token is accepted after the revoke";
    if (!revoked && world.revoked != 0) return "I4: the revoke is forgotten";
    if (world.closing != 0 || !world.session.exists()) return "";
    if (revoked) return "I4: a revoked agent keeps a session";
    return world.row.status == AgentStatus::suspended ? "S8: a suspended agent keeps a session"
                                                      : "";
}

std::string_view broken_at_the_agent(const World& world, const std::vector<Token>& accepted) {
    const bool lawful = !law_gives_way(world);
    for (const File* file : {&world.agent.memory, &world.agent.visible, &world.agent.durable}) {
        if (file == &world.agent.memory && !world.agent.is_up()) continue;
        if (!share_a_token(accepted, *file)) {
            if (lawful) return "L: no token that the agent holds is accepted";
            if (!may_recover(world.row, *file))
                return "I1r: no token that the agent holds is accepted, and recovery is closed";
        }
        if (!holds_confirmed(*file)) return "I9: the agent holds no confirmed token";
    }
    std::string_view broken;
    world.agent.memory.for_each([&](Token token, bool confirmed) {
        if (lawful && !confirmed && std::ranges::find(accepted, token) == accepted.end())
            broken = "S5: an offered token was taken back, and the agent has saved it";
    });
    return broken;
}

}  // namespace

World settled_world(const Budget& budget) {
    World world;
    const Token first = Token::make(1, 0);
    world.row.next_generation = 2;
    world.row.activated_generation = 1;
    world.row.current = first;
    world.row.recoveries_left = budget.recoveries();
    world.backup = world.row;
    const File held(
        {{1, rotation_of(first), text_of(first), agent::rotation::TokenState::confirmed}});
    world.agent = {held, held, held};
    world.snapshot = held;
    world.left = budget;
    forget_what_is_over(world);
    return world;
}

bool is_settled(const World& world) {
    const Row& row = world.row;
    const Agent& agent = world.agent;
    if (row.status != AgentStatus::active || !row.activated() || row.pending.exists() ||
        row.previous.exists() || row.current_expired != 0 || row.wish != Wish::none)
        return false;
    if (!agent.is_up() || agent.memory != agent.visible || agent.memory != agent.durable)
        return false;
    bool all_confirmed = true;
    Token newest;
    agent.memory.for_each([&](Token token, bool confirmed) {
        all_confirmed = all_confirmed && confirmed;
        newest = token;
    });
    return all_confirmed && newest == row.current;
}

bool could_connect(const World& world) {
    const Credentials row = world.row.credentials();
    bool let_in = false;
    world.agent.memory.for_each([&](Token token, bool) {
        const auto accepted = server::rotation::authenticate(
            row, hash_of(token), server::rotation::TombstoneMatch::no, kNow);
        let_in = let_in || accepted.has_value();
    });
    return let_in;
}

void apply(World& world, const server::rotation::Transition& transition) {
    const bool epoch_moved = transition.after.epoch != 0;
    world.row = Row(transition.after, world.row.recoveries_left);
    for (const RetiredToken& retired : transition.retired) {
        const Token token = token_with(retired.hash);
        REKEY_ASSERT(token.generation() == retired.generation);
        world.tombstones.add(token);
        for (SlowConnect& connect : world.connects)
            if (connect.token == token && connect.arrival != Arrival::none)
                connect.came_before_retirement = 1;
    }
    for (SlowConnect& connect : world.connects)
        if (epoch_moved && connect.arrival != Arrival::none && connect.arrival != Arrival::sent)
            connect.epoch_moved = 1;
    const bool closes = transition.sessions == SessionsAfter::close_suspended ||
                        transition.sessions == SessionsAfter::close_revoked;
    const bool has_some =
        world.session.exists() || std::ranges::any_of(world.connects, [](const auto& connect) {
            return connect.arrival == Arrival::registered;
        });
    if (closes && has_some) world.closing = 1;
}

void forget_what_is_over(World& world) {
    if (!world.left.allows(Misfortune::power_loss)) world.agent.durable = world.agent.visible;
    if (!world.left.allows(Misfortune::rollback)) world.snapshot = {};
    if (!world.left.allows(Misfortune::restore)) world.backup = {};
    // A refusal of a rotation that is over, and cannot come back, changes nothing (I6; decide()
    // looks at it when it is said).
    for (Stale& stale : world.stale)
        if (stale.token != world.row.pending && stale.token != world.backup.pending) stale = {};
    std::ranges::sort(world.stale, std::greater{});
    std::ranges::sort(world.connects, std::greater{});
}

void forget_outdated_challenges(World& world) {
    for (RecoveryAsk& ask : world.asked)
        if (ask.next_generation != world.row.next_generation) ask = {};
    std::ranges::sort(world.asked, std::greater{});
}

void forget_refusals(World& world) {
    world.told_unknown = {};
    world.told_expired = {};
}

std::string_view broken_invariant(const World& world) {
    const std::vector<Token> accepted = accepted_tokens(world.row);
    if (const auto broken = broken_by_revoke(world, accepted); !broken.empty()) return broken;
    if (world.row.status == AgentStatus::revoked) return "";
    if (const auto broken = broken_in_row(world, accepted); !broken.empty()) return broken;
    return broken_at_the_agent(world, accepted);
}

std::string verdict(const World& world, std::string_view broken) {
    const std::string sides = fmt::format(
        "the server accepts {}, the agent holds {}", set_of(accepted_tokens(world.row)),
        set_of(tokens_of(world.agent.is_up() ? world.agent.memory : world.agent.visible)));
    if (broken.starts_with("L:")) return "LOCKED OUT: " + sides;
    if (broken.starts_with("I1r:")) return "LOCKED OUT, and recovery is closed: " + sides;
    if (broken.starts_with("I7:")) return "STUCK FOR EVER: " + sides;
    if (broken.starts_with("I18:")) return "FALSE ALARM: an honest agent is taken for a thief";
    if (broken.starts_with("I4:")) return "BACK AFTER THE REVOKE: " + sides;
    if (broken.starts_with("S5:")) return "TAKEN BACK: " + sides;
    return "BROKEN: " + std::string(broken);
}

}  // namespace rekey::model
