#pragma once

#include "tests/model/moves.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

// The table of mutants: production with one rule wrong, or one and the other that covers for it. A
// search that calls one of them safe sees nothing.
namespace rekey::model {

struct Mutant {
    std::string_view what;        // is done instead
    std::string_view covered_by;  // the rule that keeps it harmless; empty: nothing does
    std::string_view breaks;      // how the name of the invariant begins that it breaks
    std::string_view bounds;      // within which it does
    std::function<Report()> search;
    // With the covering rule in force nothing of the kind is found within the same bounds: the
    // table claims no cover that is none. Empty where nothing covers.
    std::function<Report()> search_covered;
};

[[nodiscard]] std::vector<Mutant> mutants();

// The table and the stories, as docs/rotation.md holds them.
[[nodiscard]] std::string table_of_stories();
// Between its markers. False if it has none.
bool write_stories_into(const std::string& path);
// What stands there now.
[[nodiscard]] std::string stories_in(const std::string& path);

}  // namespace rekey::model
