#pragma once

#include "tests/model/moves.hpp"

#include <memory>
#include <string_view>
#include <vector>

// Rules that are wrong in one way each, taken from designs that look right (docs/rotation.md, "Why
// each piece is there"). A search that calls one of them safe sees nothing.
namespace rekey::model {

struct Mutant {
    std::string_view what;
    std::unique_ptr<Rules> rules;
    Bounds bounds;
    std::string_view breaks;  // the invariant, as broken_invariant and the steps name it
};

[[nodiscard]] std::vector<Mutant> mutants();

}  // namespace rekey::model
