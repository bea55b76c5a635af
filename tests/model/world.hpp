#pragma once

#include "tests/model/rules.hpp"
#include "tests/model/search.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// One agent, its server and the network between them, at one instant.
namespace rekey::model {

inline constexpr Time kNow{std::chrono::days{20000}};
inline constexpr std::uint64_t kGenerations = 8;  // below this; a bit each in a byte
[[nodiscard]] const server::rotation::Policy& policy();

// Generation g is minted with one name, one token and one hash.
[[nodiscard]] const std::string& rotation_of(std::uint64_t generation);
[[nodiscard]] const Secret& token_of(std::uint64_t generation);
[[nodiscard]] const Bytes32& hash_of(std::uint64_t generation);

// What travels. Whatever was sent once may arrive later, never, again and in any order: the network
// is a set that only grows, and a delivery takes nothing out of it.
enum class Message : std::uint8_t {
    offer,      // agent.rotate
    complete,   // rotation_complete with a valid proof
    failed,     // rotation_failed
    commit,     // agent.commit
    activated,  // its answer
    welcome,    // the connect with this generation was let in
    unknown,    // ... was answered unknown_credential
};
inline constexpr std::size_t kMessages = 7;

class Network {
  public:
    [[nodiscard]] bool has(Message message, std::uint64_t generation) const {
        return (sent_[static_cast<std::size_t>(message)] >> generation & 1U) != 0;
    }
    void send(Message message, std::uint64_t generation) {
        sent_[static_cast<std::size_t>(message)] |= static_cast<std::uint8_t>(1U << generation);
    }
    [[nodiscard]] const std::array<std::uint8_t, kMessages>& bytes() const { return sent_; }
    [[nodiscard]] std::array<std::uint8_t, kMessages>& bytes() { return sent_; }
    friend bool operator==(const Network&, const Network&) = default;

  private:
    std::array<std::uint8_t, kMessages> sent_{};
};

// A connect that the server has accepted the TCP connection of, and not yet answered.
struct DelayedConnect {
    std::uint64_t generation = 0;
    bool before_retirement = false;  // its token was live when the connection came
    friend bool operator==(const DelayedConnect&, const DelayedConnect&) = default;
    friend auto operator<=>(const DelayedConnect&, const DelayedConnect&) = default;
};

struct Agent {
    agent::rotation::HeldTokens memory;   // what the process goes by; empty while none is running
    agent::rotation::HeldTokens visible;  // what it would read at a restart
    agent::rotation::HeldTokens durable;  // what a power loss would leave
    [[nodiscard]] bool is_up() const { return !memory.empty(); }
    friend bool operator==(const Agent&, const Agent&) = default;
};

// What may still happen from outside.
struct Budget {
    std::uint8_t emergencies = 0;
    std::uint8_t suspensions = 0;
    std::uint8_t revokes = 0;
    std::uint8_t power_losses = 0;
    friend bool operator==(const Budget&, const Budget&) = default;
};

struct World {
    Credentials server;
    std::uint8_t tombstones = 0;  // a bit a generation
    Agent agent;
    Network network;
    std::vector<DelayedConnect> connects;  // sorted
    Budget budget;
    friend bool operator==(const World&, const World&) = default;
};

// Generation 1 is current, activated, and held.
[[nodiscard]] World settled_world(const Budget& budget);
[[nodiscard]] bool is_settled(const World& world);

[[nodiscard]] Key encode(const World& world);
[[nodiscard]] World decode(const Key& key);

// Takes over a committed transition. Counters and stamps that no guard reads (epoch, attempts,
// offered_at, last_reason) are set back, so that they do not multiply the states.
void apply(World& world, const server::rotation::Transition& transition);

// The law, I2, I3, I4, I9 and S5's promise: the first that does not hold, or empty.
[[nodiscard]] std::string_view broken_invariant(const World& world);

}  // namespace rekey::model
