#pragma once

#include "agent/rotation/transitions.hpp"
#include "base/clock.hpp"
#include "base/encoding.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <string>

// The tokens of a world, small enough to be counted: a number for each, and sets of them.
namespace rekey::model {

inline constexpr std::uint64_t kNewestGeneration = 7;

// Generation, and how often the database had gone back in time when it was minted: two tokens of
// one generation and different bytes are two numbers. 0 is no token.
struct Token {
    std::uint8_t number = 0;

    static Token make(std::uint64_t generation, std::uint8_t era) {
        return {static_cast<std::uint8_t>(generation + (kNewestGeneration + 1) * era)};
    }
    [[nodiscard]] std::uint64_t generation() const { return number % (kNewestGeneration + 1); }
    [[nodiscard]] bool exists() const { return number != 0; }
    friend auto operator<=>(const Token&, const Token&) = default;
};
inline constexpr std::size_t kTokens = 2 * (kNewestGeneration + 1);

// How a token is called on the wire and in a row: one name, one text and one hash each.
[[nodiscard]] const std::string& rotation_of(Token token);
[[nodiscard]] const Secret& text_of(Token token);
[[nodiscard]] const Bytes32& hash_of(Token token);
[[nodiscard]] Token token_named(const std::string& rotation_id);
// For a story: "2"; "2'" if it was minted after the database went back.
[[nodiscard]] std::string name_of(Token token);

class TokenSet {
  public:
    [[nodiscard]] bool has(Token token) const {
        return (bits_[token.number / 8U] >> (token.number % 8U) & 1U) != 0;
    }
    void add(Token token) {
        std::uint8_t& bits = bits_[token.number / 8U];
        bits = static_cast<std::uint8_t>(bits | 1U << (token.number % 8U));
    }
    void remove(Token token) {
        std::uint8_t& bits = bits_[token.number / 8U];
        bits = static_cast<std::uint8_t>(bits & ~(1U << (token.number % 8U)));
    }
    void add(const TokenSet& others) {
        for (std::size_t i = 0; i < bits_.size(); ++i)
            bits_[i] = static_cast<std::uint8_t>(bits_[i] | others.bits_[i]);
    }
    template <class Visit>
    void for_each(const Visit& visit) const {
        if (*this == TokenSet()) return;
        for (std::uint8_t number = 1; number < kTokens; ++number)
            if (has({number})) visit(Token{number});
    }
    friend bool operator==(const TokenSet&, const TokenSet&) = default;

  private:
    std::array<std::uint8_t, kTokens / 8> bits_{};
};

// A state file: what the agent holds, in two bytes. Empty: nothing, or no process is running.
class File {
  public:
    File() = default;
    explicit File(const agent::rotation::HeldTokens& held);
    [[nodiscard]] agent::rotation::HeldTokens held() const;
    [[nodiscard]] bool empty() const { return entries_[0] == 0; }
    [[nodiscard]] std::size_t bytes() const { return entries_[0] + std::size_t{256} * entries_[1]; }
    template <class Visit>
    void for_each(const Visit& visit) const {  // (Token, confirmed)
        for (const std::uint8_t entry : entries_)
            if (entry != 0) visit(Token{static_cast<std::uint8_t>(entry / 2)}, entry % 2 == 1);
    }
    friend bool operator==(const File&, const File&) = default;

  private:
    std::array<std::uint8_t, 2> entries_{};  // token's number x 2, + 1 if it is confirmed
};

}  // namespace rekey::model
