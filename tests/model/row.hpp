#pragma once

#include "server/rotation/transitions.hpp"
#include "tests/model/token.hpp"

#include <cstdint>

// The server's row, in twelve bytes. Times are told as what a guard can see of them: the clock of
// the model stands still, and a token is either expired or not, a predecessor's grace either begun
// or not. Counters and stamps that no guard reads (epoch, attempts, offered_at, last_reason) are
// left out, so that they do not multiply the states.
namespace rekey::model {

using storage::Credentials;

inline constexpr Time kNow{std::chrono::days{20000}};
[[nodiscard]] const server::rotation::Policy& policy();
// When a grace that began at kNow is over.
[[nodiscard]] Time after_the_grace();

enum class Wish : std::uint8_t { none, admin, emergency };

struct Row {
    storage::AgentStatus status = storage::AgentStatus::active;
    std::uint8_t next_generation = 1;
    std::uint8_t activated_generation = 0;
    Token current;
    Token pending;
    Token previous;
    std::uint8_t current_expired = 0;
    std::uint8_t previous_expired = 0;
    std::uint8_t in_grace = 0;  // activation has begun the grace of previous
    Wish wish = Wish::none;
    std::uint8_t reuse_floor = 0;
    std::uint8_t recoveries_left = 0;  // beside the credentials, and in the same database

    Row() = default;
    Row(const Credentials& credentials, std::uint8_t units);
    [[nodiscard]] Credentials credentials() const;
    [[nodiscard]] bool activated() const {
        return current.exists() && activated_generation == current.generation();
    }
    friend bool operator==(const Row&, const Row&) = default;
};

}  // namespace rekey::model
