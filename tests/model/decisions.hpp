#pragma once

#include "tests/model/rules.hpp"
#include "tests/model/search.hpp"
#include "tests/model/world.hpp"

#include <optional>
#include <string_view>
#include <vector>

// What the server may decide about an agent: each a production transition on one row.
namespace rekey::model {

struct Sends {
    Message message;
    Token token;
};

struct Decided {
    Event event = Event::kCount;  // as it turned out
    server::rotation::Transition transition;
    std::string_view words;
    Token token;                 // that they tell of
    std::optional<Sends> sends;  // once it is committed
    std::string_view broken;
    std::uint8_t units_spent = 0;  // of the recovery budget
    std::uint8_t units_given = 0;
};

// What the schedule, the administrator and the messages in flight may ask for now.
[[nodiscard]] std::vector<Decision> decisions(const World& world, Weather weather,
                                              bool has_session);

// Empty if the row, as it was read, leads to nothing that anybody could see. `world` is only asked
// how its storage went back.
[[nodiscard]] std::optional<Decided> decide(const Rules& rules, const World& world,
                                            const Row& as_read, const Decision& decision);

// Takes what it costs from the bounds.
void pay(Budget& budget, Event event, Weather weather);

}  // namespace rekey::model
