#pragma once

#include "tests/model/world.hpp"

#include <cstdint>
#include <string_view>

// All that may happen next in a world: the model that the search walks through.
namespace rekey::model {

struct Bounds {
    std::uint64_t rotations = 2;
    Budget budget;
    // Connects that are under way at once; 0: a connect reaches the server at once, and only its
    // answer travels.
    std::size_t delayed_connects = 0;
};

class RotationModel {
  public:
    using World = model::World;

    RotationModel(const Rules& rules, const Bounds& bounds) : rules_(rules), bounds_(bounds) {}

    [[nodiscard]] World initial() const { return settled_world(bounds_.budget); }
    [[nodiscard]] static Key encode(const World& world) { return model::encode(world); }
    [[nodiscard]] static World decode(const Key& key) { return model::decode(key); }
    [[nodiscard]] static std::string_view broken(const World& world) {
        return broken_invariant(world);
    }
    // A revoked agent is where it will stay.
    [[nodiscard]] static bool settled(const World& world) {
        return world.server.status == storage::AgentStatus::revoked || is_settled(world);
    }
    [[nodiscard]] World calm(World world) const;
    void steps(const World& world, Weather weather, const Emit<World>& emit) const;

  private:
    using Words = std::string_view;

    void server_acts(const World& world, Weather weather, const Emit<World>& emit) const;
    void admin_acts(const World& world, Weather weather, const Emit<World>& emit) const;
    void server_receives(const World& world, std::uint64_t generation, Weather weather,
                         const Emit<World>& emit) const;
    void server_hears_complete(const World& world, std::uint64_t generation, Weather weather,
                               const Emit<World>& emit) const;

    void agent_connects(const World& world, Weather weather, const Emit<World>& emit) const;
    void open_connection(const World& world, const std::vector<std::string>& refused,
                         Weather weather, const Emit<World>& emit) const;
    void server_answers_connect(World world, const DelayedConnect& connect, Words words,
                                const Emit<World>& emit) const;

    void agent_receives(const World& world, std::uint64_t generation, Weather weather,
                        const Emit<World>& emit) const;
    void agent_hears_offer(const World& world, std::uint64_t generation, Weather weather,
                           const Emit<World>& emit) const;
    void disk_acts(const World& world, Weather weather, const Emit<World>& emit) const;

    const Rules& rules_;
    Bounds bounds_;
};

}  // namespace rekey::model
