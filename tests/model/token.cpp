#include "tests/model/token.hpp"

#include "base/contract.hpp"
#include "base/hash.hpp"

namespace rekey::model {

using agent::rotation::HeldTokens;
using agent::rotation::TokenState;

namespace {

struct Names {
    std::array<std::string, kTokens> rotations;
    std::array<Secret, kTokens> texts;
    std::array<Bytes32, kTokens> hashes;
};

const Names& names() {
    static const Names all = [] {
        Names made;
        for (std::size_t number = 0; number < kTokens; ++number) {
            made.rotations[number] = std::string{'r', static_cast<char>('A' + number)};
            made.texts[number] = Secret("token " + std::to_string(number));
            made.hashes[number] = sha256(made.texts[number].expose());
        }
        return made;
    }();
    return all;
}

}  // namespace

const std::string& rotation_of(Token token) { return names().rotations.at(token.number); }
const Secret& text_of(Token token) { return names().texts.at(token.number); }
const Bytes32& hash_of(Token token) { return names().hashes.at(token.number); }

Token token_named(const std::string& rotation_id) {
    const Token token{static_cast<std::uint8_t>(rotation_id.at(1) - 'A')};
    REKEY_ASSERT(token.exists() && rotation_id == rotation_of(token));
    return token;
}

std::string name_of(Token token) {
    const bool after_a_restore = token.number > kNewestGeneration;
    return std::to_string(token.generation()) + (after_a_restore ? "'" : "");
}

File::File(const HeldTokens& held) {
    REKEY_ASSERT(held.size() <= entries_.size());
    for (std::size_t i = 0; i < held.size(); ++i) {
        const Token token = token_named(held[i].rotation_id);
        REKEY_ASSERT(token.generation() == held[i].generation && held[i].token == text_of(token));
        entries_[i] = static_cast<std::uint8_t>(token.number * 2 +
                                                (held[i].state == TokenState::confirmed ? 1 : 0));
    }
}

HeldTokens File::held() const {
    HeldTokens held;
    held.reserve(entries_.size());
    for_each([&held](Token token, bool confirmed) {
        held.push_back({token.generation(), rotation_of(token), text_of(token),
                        confirmed ? TokenState::confirmed : TokenState::candidate});
    });
    return held;
}

}  // namespace rekey::model
