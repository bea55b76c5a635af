#include "tests/model/moves.hpp"

#include <algorithm>

// What the agent makes of messages, and what becomes of its writes.
namespace rekey::model {

using namespace agent::rotation;

namespace {

struct Sends {
    Message message;
    Token token;
};

// A durable write by the agent: what it is for, and what is sent when it succeeds or fails.
struct Write {
    Event event;
    std::string_view words;
    Token token;
    HeldTokens next;
    std::optional<Sends> then;
    std::optional<Sends> on_failure;
    std::string_view broken;
};

// Every way in which a write can end.
void emit_write(const World& world, Weather weather, const Write& write, const Emit<World>& emit) {
    const auto ends = [&](Event event, const File& memory, const File& visible, const File& durable,
                          const std::optional<Sends>& sends, std::string_view tail) {
        World after = world;
        after.agent = {memory, visible, durable};
        if (memory.empty()) forget_refusals(after);
        if (sends) after.network.send(sends->message, sends->token);
        emit({event, write.words, name_of(write.token), after, tail, write.broken});
    };
    const Agent& agent = world.agent;
    const HeldTokens before = agent.memory.held();
    const File next(write.next);
    const File down;
    ends(write.event, next, next, next, write.then, "");
    if (weather == Weather::calm) return;
    const auto kept = [&](WriteOutcome outcome) {
        return File(after_write(before, write.next, outcome));
    };
    ends(Event::killed_after_write, down, next, next, std::nullopt,
         ", and is killed before it says so");
    if (world.left.disk_is_sound()) return;
    ends(Event::torn_write, down, agent.visible, agent.durable, std::nullopt,
         ", and is killed in the middle of the write");
    ends(Event::disk_full, kept(WriteOutcome::failed_before_rename), agent.visible, agent.durable,
         write.on_failure, ": the disk is full");
    ends(Event::error_after_rename, kept(WriteOutcome::failed_after_rename), next, agent.durable,
         write.on_failure, ": an error after the rename");
    ends(Event::killed_before_sync, down, next, agent.durable, std::nullopt,
         ", and is killed between rename and fsync");
}

// I10, and A3's "the older token goes with the next rotation's write": whatever else a write drops.
// A recovery may drop the candidate that was refused as unknown.
bool drops_too_much(const HeldTokens& before, const HeldTokens& next, bool for_an_offer,
                    const std::vector<std::string>& unknown) {
    const auto newest = std::find_if(before.rbegin(), before.rend(), [](const HeldToken& token) {
        return token.state == TokenState::confirmed;
    });
    return std::ranges::any_of(before, [&](const HeldToken& token) {
        if (std::ranges::find(next, token.rotation_id, &HeldToken::rotation_id) != next.end())
            return false;
        if (token.state == TokenState::candidate)
            return std::ranges::find(unknown, token.rotation_id) == unknown.end();
        return !for_an_offer || newest == before.rend() || token.generation >= newest->generation;
    });
}

constexpr std::string_view kDropped = "I10: the agent drops a token that nobody called unknown";

Refusals refusals_told(const World& world) {
    Refusals refusals;
    world.agent.memory.for_each([&](Token token, bool) {
        if (world.told_unknown.has(token)) refusals.unknown.push_back(rotation_of(token));
        if (world.told_expired.has(token)) refusals.expired.push_back(rotation_of(token));
    });
    return refusals;
}

// A candidate that was called expired was promoted: it is as good as confirmed, unless it was
// called unknown as well.
HeldTokens after_refusals(HeldTokens held, const Refusals& refusals) {
    const auto told = [](const std::vector<std::string>& names, const HeldToken& token) {
        return std::ranges::find(names, token.rotation_id) != names.end();
    };
    for (HeldToken& token : held)
        if (told(refusals.expired, token) && !told(refusals.unknown, token))
            token.state = TokenState::confirmed;
    return held;
}

// A refusal of a rotation that is over is looked at by hear_failed (I6), and not remembered.
void say_stale(World& world, Token token, std::uint64_t newest_held) {
    if (token != world.row.pending && token != world.backup.pending) return;
    const Stale said{token, static_cast<std::uint8_t>(newest_held)};
    if (std::ranges::find(world.stale, said) != world.stale.end()) return;
    const auto place = std::ranges::find(world.stale, Stale{});
    REKEY_ASSERT(place != world.stale.end());
    *place = said;
}

}  // namespace

void RotationModel::agent_receives(const World& world, Weather weather, const Next& emit) const {
    agent_hears_refusals(world, weather, emit);
    // Whose connect was refused has no session to hear anything else on: the old socket is closed
    // before a new one is opened (A4), and a welcome makes the refusals forgotten.
    if (was_refused(world)) return agent_hears_recovery(world, weather, emit);
    world.network.sent(Message::offer).for_each([&](Token token) {
        const HeldTokens held = world.agent.memory.held();
        const Offer offer{rotation_of(token), token.generation(), text_of(token)};
        agent_saves_or_refuses(world, token, false, rules_.on_offer(held, offer), weather, emit);
    });
    world.network.sent(Message::commit).for_each([&](Token token) {
        agent_hears_commit(world, token, weather, emit);
    });
    world.network.sent(Message::welcome).for_each([&](Token token) {
        agent_hears_welcome(world, token, weather, emit);
    });
}

// An answer, or a late one to an earlier request, as long as the agent waits for one at all.
void RotationModel::agent_hears_recovery(const World& world, Weather weather,
                                         const Next& emit) const {
    const HeldTokens held = world.agent.memory.held();
    const Refusals refusals = refusals_told(world);
    if (!recovery_due(held, refusals)) return;
    world.network.sent(Message::recovered).for_each([&](Token token) {
        const Offer offer{rotation_of(token), token.generation(), text_of(token)};
        const auto decision = rules_.on_recovered(held, refusals, offer);
        agent_saves_or_refuses(world, token, true, decision, weather, emit);
    });
}

void RotationModel::agent_saves_or_refuses(const World& world, Token token, bool recovered,
                                           const OfferDecision& decision, Weather weather,
                                           const Next& emit) const {
    const HeldTokens held = world.agent.memory.held();
    const Sends complete{Message::complete, token};
    World next = world;
    if (std::holds_alternative<AnswerComplete>(decision)) {
        // Nobody waits for a proof that a recovery's answer is held: the next connect is one.
        if (recovered || next.network.has(Message::complete, token)) return;
        next.network.send(Message::complete, token);
        emit({Event::prove_again, "the agent proves {} again", name_of(token), next});
        return;
    }
    if (const auto* write = std::get_if<WriteCandidate>(&decision)) {
        const auto unknown = recovered ? refusals_told(world).unknown : std::vector<std::string>{};
        const auto before = recovered ? after_refusals(held, refusals_told(world)) : held;
        const auto broken = drops_too_much(before, write->next, true, unknown) ? kDropped : "";
        // Saved or not, the next round begins with the tokens again.
        if (recovered) forget_refusals(next);
        if (recovered)
            return emit_write(next, weather,
                              {Event::save_recovered, "the agent saves {} from its recovery", token,
                               write->next, std::nullopt, std::nullopt, broken},
                              emit);
        return emit_write(world, weather,
                          {Event::save, "the agent saves {}", token, write->next, complete,
                           Sends{Message::failed, token}, broken},
                          emit);
    }
    if (recovered) return;
    const auto& refusal = std::get<RefuseOffer>(decision);
    if (refusal.reason != FailureReason::stale_generation) {
        next.network.send(Message::failed, token);
        emit({Event::refuse_unresolved, "the agent refuses {}: its candidate is unresolved",
              name_of(token), next});
        return;
    }
    // Without storage that goes back in time, only an old offer can be stale.
    const bool honest = world.row.pending == token && !law_gives_way(world);
    say_stale(next, token, *refusal.newest_held);
    emit({Event::refuse_stale, "the agent refuses {} as stale", name_of(token), next, "",
          honest ? "S5: an honest agent calls the pending token stale" : ""});
}

void RotationModel::agent_hears_commit(const World& world, Token token, Weather weather,
                                       const Next& emit) const {
    const HeldTokens held = world.agent.memory.held();
    const CommitDecision decision = rules_.on_commit(held, token.generation(), rotation_of(token));
    const Sends activated{Message::activated, token};
    if (std::holds_alternative<AnswerActivated>(decision)) {
        World next = world;
        next.network.send(activated.message, activated.token);
        emit({Event::activated, "the agent answers that {} is activated", name_of(token), next});
    } else if (const auto* confirm = std::get_if<ConfirmThenAnswer>(&decision)) {
        emit_write(world, weather,
                   {Event::confirm_on_commit, "the agent confirms {} on commit", token,
                    confirm->next, activated, std::nullopt,
                    drops_too_much(held, confirm->next, false, {}) ? kDropped : ""},
                   emit);
    }
}

void RotationModel::agent_hears_welcome(const World& world, Token token, Weather weather,
                                        const Next& emit) const {
    const HeldTokens held = world.agent.memory.held();
    const auto next = on_welcome(held, token.generation(), rotation_of(token));
    if (!next) return;
    emit_write(world, weather,
               {Event::confirm_on_welcome, "the agent confirms {} on welcome", token, *next,
                std::nullopt, std::nullopt, drops_too_much(held, *next, false, {}) ? kDropped : ""},
               emit);
}

void RotationModel::agent_hears_refusals(const World& world, Weather weather,
                                         const Next& emit) const {
    const HeldTokens held = world.agent.memory.held();
    const auto writes = [&](Event event, std::string_view words, Token token,
                            const std::optional<HeldTokens>& next,
                            const std::vector<std::string>& unknown) {
        if (!next) return;
        const auto broken = drops_too_much(held, *next, false, unknown) ? kDropped : "";
        emit_write(world, weather, {event, words, token, *next, std::nullopt, std::nullopt, broken},
                   emit);
    };
    world.told_unknown.for_each([&](Token token) {
        writes(Event::drop_unknown, "the agent drops {}, which is unknown", token,
               on_unknown_credential(held, rotation_of(token)), {rotation_of(token)});
    });
    world.told_expired.for_each([&](Token token) {
        writes(Event::confirm_on_expired, "the agent confirms {}, which is expired", token,
               on_token_expired(held, rotation_of(token)), {});
    });
}

void RotationModel::agent_recovers(const World& world, Weather /*weather*/,
                                   const Next& emit) const {
    const HeldTokens held = world.agent.memory.held();
    const auto request = recovery_due(held, refusals_told(world));
    if (!request) return;
    const Token shown = token_named(request->token->rotation_id);
    const RecoveryAsk ask{static_cast<std::uint8_t>(request->newest_held), shown,
                          world.row.next_generation};
    if (std::ranges::find(world.asked, ask) != world.asked.end()) return;
    World next = world;
    const auto place = std::ranges::find(next.asked, RecoveryAsk{});
    REKEY_ASSERT(place != next.asked.end());
    *place = ask;
    emit({Event::ask_to_recover, "the agent asks to recover, and holds {}", name_of(shown), next});
}

}  // namespace rekey::model
