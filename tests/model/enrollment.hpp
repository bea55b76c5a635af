#pragma once

#include "tests/model/search.hpp"
#include "tests/model/world.hpp"

#include <cstdint>
#include <string>
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
    Row row;
    TokenSet tombstones;
    std::uint8_t bound_key = 0;  // the key that the code was used with; 0: none yet
    std::uint8_t keys_made = 0;
    std::uint8_t memory_key = 0;   // the agent's, in its process
    std::uint8_t durable_key = 0;  // ... in its key file
    File held;
    // Sets that only grow, a bit a key, as in Network.
    std::uint8_t codes_sent = 0;
    std::uint8_t answers_sent = 0;
    Network network;
    friend bool operator==(const EnrollmentWorld&, const EnrollmentWorld&) = default;
};

class EnrollmentModel {
  public:
    using World = EnrollmentWorld;

    // `before` is the agent's row when the code is made. A racer is another machine that has the
    // same code.
    EnrollmentModel(const EnrollmentRules& rules, const Row& before, std::uint8_t racers = 0)
        : rules_(rules), before_(before), racers_(racers) {}

    [[nodiscard]] World initial() const { return {.row = before_}; }
    [[nodiscard]] static std::string_view broken(const World& world);
    [[nodiscard]] static std::string verdict(const World& world, std::string_view broken);
    [[nodiscard]] static World calm(World world);
    // Or lost to a racer, which the agent is told.
    [[nodiscard]] static bool settled(const World& world);
    void steps(const World& world, Weather weather, const Emit<World>& emit) const;

  private:
    void agent_enrolls(const World& world, Weather weather, const Emit<World>& emit) const;
    void door_answers(const World& world, const Emit<World>& emit) const;
    void first_session(const World& world, const Emit<World>& emit) const;

    EnrollmentRules rules_;
    Row before_;
    std::uint8_t racers_;
};

}  // namespace rekey::model
