#pragma once

#include "tests/model/budget.hpp"
#include "tests/model/events.hpp"
#include "tests/model/row.hpp"
#include "tests/model/token.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

// One agent, its server and the network between them at one instant: plain bytes, so that a world
// is its own canonical form and the search compares whole states, never their hashes alone.
namespace rekey::model {

// What travels. Whatever was sent once may arrive later, never, again and in any order: the network
// is a set that only grows, and a delivery takes nothing out of it.
enum class Message : std::uint8_t {
    offer,      // agent.rotate
    complete,   // rotation_complete with a valid proof
    failed,     // rotation_failed
    commit,     // agent.commit
    activated,  // its answer
    welcome,    // the connect with this token was let in
    recovered,  // the answer to POST /recover
    kCount
};

class Network {
  public:
    [[nodiscard]] bool has(Message message, Token token) const { return sent(message).has(token); }
    void send(Message message, Token token) { sent_[static_cast<std::size_t>(message)].add(token); }
    [[nodiscard]] const TokenSet& sent(Message message) const {
        return sent_[static_cast<std::size_t>(message)];
    }
    [[nodiscard]] bool anything_about(Token token) const {
        return std::ranges::any_of(sent_, [token](TokenSet set) { return set.has(token); });
    }
    void forget_to_server(Token token) {
        for (const auto message : {Message::complete, Message::failed, Message::activated})
            sent_[static_cast<std::size_t>(message)].remove(token);
    }
    void forget_to_agent(Token token) {
        for (const auto message :
             {Message::offer, Message::commit, Message::welcome, Message::recovered})
            sent_[static_cast<std::size_t>(message)].remove(token);
    }
    friend bool operator==(const Network&, const Network&) = default;

  private:
    std::array<TokenSet, static_cast<std::size_t>(Message::kCount)> sent_{};
};

// rotation_failed with reason stale_generation, about the rotation that is pending.
struct Stale {
    Token token;
    std::uint8_t newest_held = 0;
    friend auto operator<=>(const Stale&, const Stale&) = default;
};

// POST /recover, signed. Its challenge is outdated by any minting.
struct RecoveryAsk {
    std::uint8_t newest_held = 0;
    Token shown;
    std::uint8_t next_generation = 0;  // when the challenge was given
    friend auto operator<=>(const RecoveryAsk&, const RecoveryAsk&) = default;
};

// A connect between the accepted connection and the welcome.
enum class Arrival : std::uint8_t { none, sent, admitted, registered };
struct SlowConnect {
    Arrival arrival = Arrival::none;
    Token token;
    std::uint8_t came_before_retirement = 0;
    std::uint8_t epoch_moved = 0;  // a suspension or a revoke since it was admitted
    friend auto operator<=>(const SlowConnect&, const SlowConnect&) = default;
};

// What the server decides in one transaction.
struct Decision {
    Event event = Event::kCount;  // kCount: none
    Token token;
    std::uint8_t newest_held = 0;  // of hear_stale and recovery
    std::uint8_t challenge = 0;    // of recovery: next_generation when it was given
    [[nodiscard]] bool exists() const { return event != Event::kCount; }
    friend bool operator==(const Decision&, const Decision&) = default;
};

struct Agent {
    File memory;   // what the process goes by; empty while none is running
    File visible;  // what it would read at a restart
    File durable;  // what a power loss would leave
    [[nodiscard]] bool is_up() const { return !memory.empty(); }
    friend bool operator==(const Agent&, const Agent&) = default;
};

struct World {
    TokenSet tombstones;
    // What the agent's process was told since it was last let in. An answer to a connect comes
    // before the next attempt, or never.
    TokenSet told_unknown;
    TokenSet told_expired;
    Network network;
    Row row;
    Row backup;
    Agent agent;
    File snapshot;
    std::array<Stale, 2> stale{};  // said, and not outdated
    std::array<RecoveryAsk, 6> asked{};
    std::array<SlowConnect, 2> connects{};  // sorted, none last
    Token session;                          // that a slow connect has led to
    std::uint8_t closing = 0;               // sessions that the server has still to close
    Decision slow;                          // a transaction between its read and its write, ...
    Row slow_read;                          // ... and what it has read
    std::uint8_t era = 0;                   // how often the database went back
    std::uint8_t rolled_back = 0;           // the agent's machine did
    std::uint8_t barred = 0;                // an administrator ended its tokens, not its key
    std::uint8_t revoked = 0;               // whatever the row says
    Budget left;

    friend bool operator==(const World&, const World&) = default;
};
static_assert(std::is_trivially_copyable_v<World> &&
              std::has_unique_object_representations_v<World>);

// Generation 1 is current, activated, and held.
[[nodiscard]] World settled_world(const Budget& budget);
// Storage went back, or an administrator barred the tokens: the law gives way to I1r.
[[nodiscard]] inline bool law_gives_way(const World& world) {
    return world.era != 0 || world.rolled_back != 0 || world.barred != 0;
}
[[nodiscard]] bool is_settled(const World& world);

// Would any of the agent's tokens open a connection now?
[[nodiscard]] bool could_connect(const World& world);

// Takes over a committed transition, and tells those who are under way.
void apply(World& world, const server::rotation::Transition& transition);

// Forgets what can have no effect any more, so that worlds which differ by it are one.
void forget_what_is_over(World& world);
void forget_outdated_challenges(World& world);
// The agent's process ended, was let in, or begins a new round.
void forget_refusals(World& world);
[[nodiscard]] inline bool was_refused(const World& world) {
    return world.told_unknown != TokenSet() || world.told_expired != TokenSet();
}

// The law and the invariants: the first that does not hold, or empty.
[[nodiscard]] std::string_view broken_invariant(const World& world);
// "LOCKED OUT: the server accepts {1}, the agent holds {2}"
[[nodiscard]] std::string verdict(const World& world, std::string_view broken);

}  // namespace rekey::model
