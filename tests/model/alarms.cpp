#include "tests/model/alarms.hpp"

#include "base/limits.hpp"
#include "server/rotation/attention.hpp"
#include "tests/model/world.hpp"

#include <algorithm>

namespace rekey::model {

namespace rotation = server::rotation;

namespace {

// More attempts than this decide nothing that this many do not.
constexpr std::uint8_t kMostAttempts = limits::kAlarmAfterAttempts + 2;
constexpr std::string_view kStale = "stale_generation";

Token pending_of(const AlarmWorld& world) { return Token::make(world.generation, 0); }

rotation::Minted minted(Token token) {
    return {.generation = token.generation(),
            .rotation_id = rotation_of(token),
            .token_hash = hash_of(token)};
}

// The row as production reads it.
Credentials row_of(const AlarmWorld& world) {
    Credentials row = settled_world({}).row.credentials();
    row.next_generation = world.generation;
    row = rotation::begin(row, minted(pending_of(world)), kNow).after;
    row.pending->attempts = world.attempts;
    if (world.reason != LastReason::none)
        row.pending->last_reason = world.reason == LastReason::stale ? kStale : "disk_full";
    if (world.suspended != 0) row.status = storage::AgentStatus::suspended;
    return row;
}

// ... and what of it the model keeps.
void keep(AlarmWorld& world, const Credentials& row) {
    const storage::PendingToken& pending = *row.pending;
    world.generation = static_cast<std::uint8_t>(pending.generation);
    world.attempts =
        static_cast<std::uint8_t>(std::min<std::uint32_t>(pending.attempts, kMostAttempts));
    world.reason = LastReason::other;
    if (pending.last_reason.empty()) world.reason = LastReason::none;
    if (pending.last_reason == kStale) world.reason = LastReason::stale;
}

void count_end(AlarmWorld& world) {
    world.ended = std::min<std::uint8_t>(world.ended + 1, kMostAttempts);
}

}  // namespace

AlarmWorld AlarmModel::initial() const {
    const auto next = settled_world({}).row.next_generation;
    return {.generation = next,
            .connected = 1,
            .in_flight = 1,
            .lies_left = lies_,
            .suspensions_left = 1};
}

std::string_view AlarmModel::broken(const World& world) {
    return world.ended >= limits::kAlarmAfterAttempts && world.alarmed == 0
               ? "I8: five offers of one rotation have failed, and nobody was told"
               : "";
}

std::string AlarmModel::verdict(const World& world, std::string_view broken) {
    if (broken.starts_with("I7:")) return "STUCK FOR EVER: the rotation is never confirmed";
    return fmt::format("NO ALARM: {} offers have failed, and the row counts {}", world.ended,
                       world.attempts);
}

void AlarmModel::steps(const World& world, Weather weather, const Emit<World>& emit) const {
    if (world.confirmed != 0) return;
    server_offers(world, emit);
    offer_ends(world, weather, emit);
    session_ends(world, weather, emit);
    administrator(world, weather, emit);
}

void AlarmModel::server_offers(const World& world, const Emit<World>& emit) const {
    const auto offer = [&](const World& from, rotation::Occasion occasion, Time now,
                           std::string_view words) {
        const Credentials row = row_of(from);
        World next = from;
        if (rotation::attention(row, policy(), occasion, 0, now).offer) {
            keep(next, rotation::offer_again(row, now).after);
            World unsent = cut_off(next, next.attempts, rules_.unsent_offers_are_told);
            unsent.connected = 0;
            emit({.words = words,
                  .after = unsent,
                  .tail = ", but the session ends before it is sent"});
            next.in_flight = 1;
        }
        emit({.words = words, .after = next});
    };
    if (world.connected != 0 && world.in_flight == 0)
        offer(world, rotation::Occasion::tick, kNow + limits::kRotationBackoffCap,
              "the back-off is over, and the server offers again");
    if (world.suspended != 0 || world.replaced_call != 0) return;
    World back = world;
    if (world.in_flight != 0) back.replaced_call = world.attempts;
    back.connected = 1;
    back.in_flight = 0;
    offer(back, rotation::Occasion::connect, kNow,
          "the agent connects, and is offered what is pending");
}

AlarmWorld AlarmModel::refused(const World& world, LastReason reason) const {
    World next = world;
    const Credentials row = row_of(world);
    const std::string& id = rotation_of(pending_of(world));
    rotation::Refusal refusal{.rotation_id = id, .reason = "disk_full"};
    if (reason == LastReason::stale) {
        refusal.reason = kStale;
        refusal.newest_held = world.generation;
    }
    if (rotation::alarm_due(row, id) != nullptr) next.alarmed = 1;
    count_end(next);
    next.in_flight = 0;
    const rotation::Transition transition = rotation::refuse(row, refusal);
    if (transition.ended_rotation_id.empty()) {
        keep(next, transition.after);
        return next;
    }
    const auto fresh = minted(Token::make(transition.after.next_generation, 0));
    const rotation::Transition begun =
        rules_.replacements_count_on
            ? rotation::begin_instead(transition.after, *row.pending, fresh, kNow)
            : rotation::begin(transition.after, fresh, kNow);
    keep(next, begun.after);
    const bool offered =
        !rules_.replacements_count_on || begun.after.pending->attempts > row.pending->attempts;
    next.in_flight = offered ? 1 : 0;
    return next;
}

void AlarmModel::offer_ends(const World& world, Weather weather, const Emit<World>& emit) const {
    if (world.in_flight == 0) return;
    emit({.words = "no answer comes in time", .after = refused(world, LastReason::other)});

    const Token token = pending_of(world);
    const rotation::Completion proven{token.generation(), rotation_of(token),
                                      rotation::ProofCheck::valid};
    World done = world;
    const auto result = rotation::complete(row_of(world), proven, policy(), 0, kNow);
    done.confirmed = result.verdict == rotation::CompletionVerdict::promoted ? 1 : 0;
    emit({.words = "the agent proves that it saved the token", .after = done});

    if (weather == Weather::calm) return;
    emit({.words = "the agent refuses, or its proof is wrong",
          .after = refused(world, LastReason::other)});
    if (world.lies_left == 0) return;
    World lied = world;
    --lied.lies_left;
    emit({.words = "the agent says that it is past this generation",
          .after = refused(lied, LastReason::stale)});
}

// The end of a call that was made with so many attempts.
AlarmWorld AlarmModel::cut_off(const World& world, std::uint8_t attempts, bool told) {
    World next = world;
    count_end(next);
    if (told && attempts >= limits::kAlarmAfterAttempts &&
        rotation::alarm_due(row_of(world), rotation_of(pending_of(world))) != nullptr)
        next.alarmed = 1;
    return next;
}

void AlarmModel::session_ends(const World& world, Weather weather, const Emit<World>& emit) const {
    if (world.replaced_call != 0) {
        World next = cut_off(world, world.replaced_call, rules_.ends_of_sessions_are_told);
        next.replaced_call = 0;
        emit({.words = "the end of the older session is noticed", .after = next});
    }
    if (weather == Weather::calm || world.connected == 0) return;
    World next = world.in_flight != 0
                     ? cut_off(world, world.attempts, rules_.ends_of_sessions_are_told)
                     : world;
    next.connected = 0;
    next.in_flight = 0;
    emit({.words = "the session ends", .after = next});
    World killed = world;
    killed.connected = 0;
    killed.in_flight = 0;
    killed.replaced_call = 0;
    emit({.words = "the server is killed, and restarts", .after = killed});
}

void AlarmModel::administrator(const World& world, Weather weather, const Emit<World>& emit) const {
    if (world.suspended != 0) {
        World next = world;
        next.suspended = 0;
        emit({.words = "an administrator reactivates the agent", .after = next});
    } else if (weather == Weather::storm && world.suspensions_left != 0) {
        World next = world.in_flight != 0
                         ? cut_off(world, world.attempts, rules_.ends_of_sessions_are_told)
                         : world;
        next.suspended = 1;
        next.connected = 0;
        next.in_flight = 0;
        --next.suspensions_left;
        emit({.words = "an administrator suspends the agent", .after = next});
    }
}

}  // namespace rekey::model
