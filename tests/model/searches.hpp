#pragma once

#include "tests/model/moves.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

// The searches over production: several small worlds rather than one product of all, each of them
// walked to its end.
namespace rekey::model {

struct NamedSearch {
    std::string name;
    std::string bounds;  // in words
    // For invariants whose names begin so; all of them if it is empty.
    std::function<Report(std::string_view watched)> run;
};

// Depth 0 is what ctest runs; each further step adds to the bounds and takes about ten times as
// long.
[[nodiscard]] std::vector<NamedSearch> searches(unsigned depth);

// The way in, and offers that fail: worlds of their own.
[[nodiscard]] std::vector<NamedSearch> small_searches();

// Every two kinds of misfortune together.
[[nodiscard]] std::vector<NamedSearch> searches_of_pairs(unsigned depth);

[[nodiscard]] std::string line_about(const NamedSearch& search, const Report& report);

using Print = std::function<void(const std::string&)>;

// Those whose name holds this text, for the invariants whose names begin as `watched`. Whether
// there are any, and none finds a violation.
[[nodiscard]] bool run_some(unsigned depth, std::string_view name, std::string_view watched,
                            const Print& print);

// All of them, each printed as it ends, with the matrix of the pairs of events that they executed
// in one story, until one finds a violation. Whether none does, and no pair is missing but those
// that left_out.hpp names.
[[nodiscard]] bool run_all(unsigned depth, const Print& print);

}  // namespace rekey::model
