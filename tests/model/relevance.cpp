#include "tests/model/relevance.hpp"

#include <variant>

namespace rekey::model {

namespace rotation = server::rotation;
using namespace agent::rotation;

namespace {

bool heeds(const Rules& rules, const Credentials& row, Token token) {
    const std::string& id = rotation_of(token);
    const auto completion =
        rules.complete(row, {token.generation(), id, rotation::ProofCheck::valid}, policy(), kNow);
    return completion.verdict == rotation::CompletionVerdict::promoted ||
           completion.verdict == rotation::CompletionVerdict::duplicate ||
           completion.transition.changed() ||
           rules.refuse(row, {id, "disk_full", std::nullopt}).changed() ||
           rotation::activate(row, token.generation(), id, policy(), kNow).changed();
}

bool heeds(const Rules& rules, const HeldTokens& held, Token token) {
    const std::string& id = rotation_of(token);
    const Offer offer{id, token.generation(), text_of(token)};
    for (const HeldToken& own : held)
        if (own.rotation_id == id) return true;
    const auto stale = [](const OfferDecision& decision) {
        const auto* refusal = std::get_if<RefuseOffer>(&decision);
        return refusal != nullptr && refusal->reason == FailureReason::stale_generation;
    };
    return !stale(rules.on_offer(held, offer)) || !stale(rules.on_recovered(held, {}, offer)) ||
           !std::holds_alternative<NotHeld>(rules.on_commit(held, token.generation(), id)) ||
           on_welcome(held, token.generation(), id) || on_unknown_credential(held, id) ||
           on_token_expired(held, id);
}

}  // namespace

void Relevance::forget_what_is_ignored(World& world) const {
    const TokenSet by_server = heeded_by_server(world);
    for (std::uint8_t number = 1; number < kTokens; ++number) {
        const Token token{number};
        if (!world.network.anything_about(token)) continue;
        if (!by_server.has(token)) world.network.forget_to_server(token);
        if (!heeded_by_agent(world, token)) world.network.forget_to_agent(token);
    }
}

TokenSet Relevance::heeded_by_server(const World& world) const {
    TokenSet tokens = heeded_by(world.row);
    if (world.left.allows(Misfortune::restore)) tokens.add(heeded_by(world.backup));
    if (world.slow.exists()) tokens.add(heeded_by(world.slow_read));
    return tokens;
}

TokenSet Relevance::heeded_by(const Row& row) const {
    const auto known = server_.find(row);
    if (known != server_.end()) return known->second;
    const Credentials credentials = row.credentials();
    TokenSet tokens;
    for (std::uint8_t number = 1; number < kTokens; ++number) {
        const Token token{number};
        // What is not minted yet may be named tomorrow.
        if (token.generation() == 0) continue;
        if (token.generation() >= row.next_generation || heeds(rules_, credentials, token))
            tokens.add(token);
    }
    server_.emplace(row, tokens);
    return tokens;
}

bool Relevance::heeded_by_agent(const World& world, Token token) const {
    // What is pending is answered, if only as stale.
    if (token == world.row.pending || token == world.backup.pending) return true;
    const Agent& agent = world.agent;
    for (const File* file : {&agent.memory, &agent.visible, &agent.durable, &world.snapshot})
        if (!file->empty() && heeded_by(*file, token)) return true;
    return false;
}

bool Relevance::heeded_by(const File& file, Token token) const {
    Heeds& known = agent_[file.bytes() * kTokens + token.number];
    if (known == Heeds::unknown) known = heeds(rules_, file.held(), token) ? Heeds::yes : Heeds::no;
    return known == Heeds::yes;
}

}  // namespace rekey::model
