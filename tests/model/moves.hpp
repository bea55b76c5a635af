#pragma once

#include "tests/model/relevance.hpp"
#include "tests/model/rules.hpp"
#include "tests/model/search.hpp"
#include "tests/model/world.hpp"

#include <optional>
#include <string_view>

// All that may happen next in a world: the model that the search walks through.
namespace rekey::model {

class RotationModel {
  public:
    using World = model::World;

    RotationModel(const Rules& rules, const Budget& budget)
        : rules_(rules), budget_(budget), relevance_(rules) {}

    [[nodiscard]] World initial() const { return settled_world(budget_); }
    [[nodiscard]] static std::string_view broken(const World& world) {
        return broken_invariant(world);
    }
    [[nodiscard]] static std::string verdict(const World& world, std::string_view broken) {
        return model::verdict(world, broken);
    }
    // A revoked agent is where it will stay.
    [[nodiscard]] static bool settled(const World& world) {
        return world.row.status == storage::AgentStatus::revoked || is_settled(world);
    }
    [[nodiscard]] static World calm(World world);
    void steps(const World& world, Weather weather, const Emit<World>& emit) const;

  private:
    using Words = std::string_view;
    using Next = Emit<World>;
    // How a transaction ends that others have come between; nothing for one that they have not.
    struct SlowEnd {
        Event event = Event::kCount;
        Words words;
    };

    // server_moves.cpp
    void server_acts(const World& world, Weather weather, const Next& emit) const;
    void server_sends_commit(const World& world, const Next& emit) const;
    void try_decision(const World& world, const Decision& decision, Weather weather,
                      const Next& emit) const;
    void carry_out(const World& world, const Row& as_read, const Decision& decision,
                   Weather weather, const SlowEnd& slow, const Next& emit) const;
    void slow_transaction_writes(const World& world, const Next& emit) const;

    // connect_moves.cpp
    void agent_connects(const World& world, Weather weather, const Next& emit) const;
    void open_connection(const World& world, const std::vector<std::string>& refused,
                         Weather weather, const Next& emit) const;
    void server_answers(World world, const SlowConnect& connect, Words words,
                        const Next& emit) const;
    void slow_connects_go_on(const World& world, const Next& emit) const;
    void welcome(World world, const SlowConnect& connect, const Next& emit) const;

    // agent_moves.cpp
    void agent_receives(const World& world, Weather weather, const Next& emit) const;
    void agent_hears_recovery(const World& world, Weather weather, const Next& emit) const;
    void agent_saves_or_refuses(const World& world, Token token, bool recovered,
                                const agent::rotation::OfferDecision& decision, Weather weather,
                                const Next& emit) const;
    void agent_hears_commit(const World& world, Token token, Weather weather,
                            const Next& emit) const;
    void agent_hears_welcome(const World& world, Token token, Weather weather,
                             const Next& emit) const;
    void agent_hears_refusals(const World& world, Weather weather, const Next& emit) const;
    void agent_recovers(const World& world, Weather weather, const Next& emit) const;

    // storage_moves.cpp
    void disk_acts(const World& world, Weather weather, const Next& emit) const;
    void clocks_jump(const World& world, const Next& emit) const;
    void storage_goes_back(const World& world, const Next& emit) const;

    const Rules& rules_;
    Budget budget_;
    Relevance relevance_;
};

}  // namespace rekey::model
