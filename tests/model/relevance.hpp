#pragma once

#include "tests/model/rules.hpp"
#include "tests/model/world.hpp"

#include <cstdint>
#include <cstring>
#include <unordered_map>
#include <vector>

// Messages that can change nothing any more are forgotten, so that worlds which differ by them are
// one. Whether one can is asked of the rules themselves: the server ignores what its row does not
// name (I6), the agent what it has left behind. Neither ever comes to heed it again: no generation
// is minted twice, and the newest confirmed one never falls. Where storage may still go back, what
// it would go back to is asked as well.
namespace rekey::model {

class Relevance {
  public:
    explicit Relevance(const Rules& rules) : rules_(rules), agent_(kFiles * kTokens) {}

    void forget_what_is_ignored(World& world) const;

  private:
    static constexpr std::size_t kFiles = 1U << 16U;
    enum class Heeds : std::uint8_t { unknown, no, yes };

    [[nodiscard]] TokenSet heeded_by_server(const World& world) const;
    [[nodiscard]] TokenSet heeded_by(const Row& row) const;
    [[nodiscard]] bool heeded_by_agent(const World& world, Token token) const;
    [[nodiscard]] bool heeded_by(const File& file, Token token) const;

    struct RowHash {
        std::size_t operator()(const Row& row) const {
            return std::hash<std::string_view>{}(
                {reinterpret_cast<const char*>(&row), sizeof(Row)});
        }
    };

    const Rules& rules_;
    // The rules are pure: each is asked once about each row, and about each file and token.
    mutable std::unordered_map<Row, TokenSet, RowHash> server_;
    mutable std::vector<Heeds> agent_;
};

}  // namespace rekey::model
