#pragma once

#include "tests/model/world.hpp"

#include <cstdint>
#include <string_view>

// The way in: an enrollment code, an identity key, the first token and the first connect. The
// transitions are production's; what the door makes of a code is written down here, as protocol.md
// has it: bound to the first key, the same answer to the same key until the first connect.
namespace rekey::model {

// The order of the agent's steps (A0); a mutant swaps one.
struct EnrollmentRules {
    bool key_is_durable_before_the_code_is_sent = true;
    bool token_is_durable_before_the_connect = true;
};

struct EnrollmentWorld {
    Credentials server;
    std::uint8_t tombstones = 0;
    std::uint64_t bound_key = 0;  // the key that the code was used with; 0: none yet
    std::uint64_t keys_made = 0;
    std::uint64_t memory_key = 0;   // the agent's, in its process
    std::uint64_t durable_key = 0;  // ... in its key file
    agent::rotation::HeldTokens held;
    // Sets that only grow, a bit a key or a generation, as in Network.
    std::uint8_t codes_sent = 0;
    std::uint8_t answers_sent = 0;
    Network network;
    friend bool operator==(const EnrollmentWorld&, const EnrollmentWorld&) = default;
};

class EnrollmentModel {
  public:
    using World = EnrollmentWorld;

    // `before` is the agent's row when the code is made.
    EnrollmentModel(const EnrollmentRules& rules, const Credentials& before)
        : rules_(rules), before_(before) {}

    [[nodiscard]] World initial() const { return {.server = before_}; }
    [[nodiscard]] static Key encode(const World& world);
    [[nodiscard]] static World decode(const Key& key);
    [[nodiscard]] static std::string_view broken(const World& world);
    [[nodiscard]] static World calm(World world);
    [[nodiscard]] static bool settled(const World& world);
    void steps(const World& world, Weather weather, const Emit<World>& emit) const;

  private:
    void agent_enrolls(const World& world, Weather weather, const Emit<World>& emit) const;
    void door_answers(const World& world, const Emit<World>& emit) const;
    void first_session(const World& world, const Emit<World>& emit) const;

    EnrollmentRules rules_;
    Credentials before_;
};

}  // namespace rekey::model
