#pragma once

#include "base/clock.hpp"

namespace rekey::server::rotation {

// The settings that transitions need, read once for each.
struct Policy {
    Milliseconds token_life{};
    Milliseconds grace{};
    double rotate_at_fraction_min = 0.7;
    double rotate_at_fraction_max = 0.9;
    Milliseconds backoff_unit{};
};

}  // namespace rekey::server::rotation
