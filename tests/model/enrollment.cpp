#include "tests/model/enrollment.hpp"

#include <bit>
#include <utility>

namespace rekey::model {

namespace rotation = server::rotation;

namespace {

// Keys of the agent beyond these would only repeat the story; the racer has the last one.
constexpr std::uint8_t kKeys = 3;
constexpr std::uint8_t kRacer = kKeys + 1;

std::uint8_t with(std::uint8_t set, std::uint8_t key) {
    return static_cast<std::uint8_t>(set | 1U << key);
}
bool has(std::uint8_t set, std::uint8_t key) { return (set >> key & 1U) != 0; }

// What the two worlds have in common.
model::World common(const EnrollmentWorld& world) {
    model::World shared;
    shared.row = world.row;
    shared.tombstones = world.tombstones;
    shared.agent = {world.held, world.held, world.held};
    return shared;
}

void apply(EnrollmentWorld& world, const rotation::Transition& transition) {
    model::World shared = common(world);
    model::apply(shared, transition);
    world.row = shared.row;
    world.tombstones = shared.tombstones;
}

// A connect with this token, if it is let in: a pending one is promoted.
void connect(EnrollmentWorld& world, Token token) {
    const Credentials row = world.row.credentials();
    const auto accepted =
        rotation::authenticate(row, hash_of(token), rotation::TombstoneMatch::no, kNow);
    if (accepted.has_error() || accepted->slot != rotation::TokenSlot::pending) return;
    const rotation::Completion proven{accepted->generation, accepted->rotation_id,
                                      rotation::ProofCheck::valid};
    apply(world, rotation::complete(row, proven, policy(), 0, kNow).transition);
}

// The only token that the code was ever answered with.
Token answered_with(const EnrollmentWorld& world) {
    return Token::make(world.row.next_generation - 1U, 0);
}

}  // namespace

std::string_view EnrollmentModel::broken(const World& world) {
    if (std::popcount(world.answers_sent) > 1) return "I2: two keys were answered to one code";
    // The law holds from the agent's first durable write on.
    return world.held.empty() ? "" : broken_invariant(common(world));
}

std::string EnrollmentModel::verdict(const World& world, std::string_view broken) {
    if (broken.starts_with("I7:") && world.held.empty())
        return "STUCK FOR EVER: the code is spent, and the agent holds no token";
    return model::verdict(common(world), broken);
}

EnrollmentWorld EnrollmentModel::calm(World world) {
    world.codes_sent = 0;
    world.answers_sent = 0;
    world.network = {};
    return world;
}

bool EnrollmentModel::settled(const World& world) {
    return world.bound_key == kRacer || is_settled(common(world));
}

void EnrollmentModel::steps(const World& world, Weather weather, const Emit<World>& emit) const {
    agent_enrolls(world, weather, emit);
    door_answers(world, emit);
    first_session(world, emit);
    if (racers_ == 0 || has(world.codes_sent, kRacer)) return;
    World raced = world;
    raced.codes_sent = with(raced.codes_sent, kRacer);
    emit({.words = "another machine sends the code with its own key", .after = raced});
}

void EnrollmentModel::agent_enrolls(const World& world, Weather weather,
                                    const Emit<World>& emit) const {
    if (world.memory_key == 0 && world.keys_made < kKeys) {
        World next = world;
        next.memory_key = ++next.keys_made;
        if (rules_.key_is_durable_before_the_code_is_sent) next.durable_key = next.memory_key;
        emit({.words = "the agent makes key {}",
              .token = std::to_string(next.memory_key),
              .after = next});
    }
    if (weather == Weather::storm && world.memory_key != world.durable_key) {
        World next = world;
        next.memory_key = world.durable_key;
        emit({.words = "the agent is killed and restarts", .after = next});
    }
    if (!world.held.empty() || world.memory_key == 0) return;
    const std::string key = std::to_string(world.memory_key);
    World sent = world;
    sent.codes_sent = with(sent.codes_sent, world.memory_key);
    emit({.words = "the agent sends the code with key {}", .token = key, .after = sent});

    if (!has(world.answers_sent, world.memory_key)) return;
    const Token token = answered_with(world);
    World saved = world;
    saved.held = File(
        agent::rotation::on_enrolled({rotation_of(token), token.generation(), text_of(token)}));
    saved.durable_key = world.memory_key;
    emit({.words = "the agent saves {}", .token = name_of(token), .after = saved});
    if (rules_.token_is_durable_before_the_connect) return;
    World early = world;
    connect(early, token);
    emit({.words = "the agent connects with {}, which it has not saved yet",
          .token = name_of(token),
          .after = early});
}

void EnrollmentModel::door_answers(const World& world, const Emit<World>& emit) const {
    for (std::uint8_t key = 1; key <= kRacer; ++key) {
        if (!has(world.codes_sent, key)) continue;
        const std::string name = std::to_string(key);
        if (world.bound_key == key && world.row.pending.exists()) {
            World next = world;
            next.answers_sent = with(next.answers_sent, key);
            emit({.words = "the code is used with key {} again, and answered alike",
                  .token = name,
                  .after = next});
        }
        if (world.bound_key != 0) continue;
        World next = world;
        apply(next, *rotation::enroll(next.row.credentials()));
        const Credentials row = next.row.credentials();
        const Token token =
            Token::make(*rotation::may_begin(row, storage::RotationCause::enrollment, kNow), 0);
        apply(next, rotation::begin(row,
                                    {.generation = token.generation(),
                                     .rotation_id = rotation_of(token),
                                     .token_hash = hash_of(token)},
                                    kNow));
        next.bound_key = key;
        emit({.words = "the code is used with key {}",
              .token = name,
              .after = next,
              .tail = ", and the server is killed before it answers"});
        next.answers_sent = with(next.answers_sent, key);
        emit({.words = "the code is used with key {}",
              .token = name,
              .after = next,
              .tail = ", and answered"});
    }
}

void EnrollmentModel::first_session(const World& world, const Emit<World>& emit) const {
    if (world.held.empty()) return;
    Token token;
    world.held.for_each([&token](Token held, bool) { token = held; });
    const std::string& id = rotation_of(token);
    const std::string name = name_of(token);
    World connected = world;
    connect(connected, token);
    emit({.words = "the agent connects with {}", .token = name, .after = connected});
    const Credentials row = world.row.credentials();
    if (rotation::commit_outstanding(row)) {
        World next = world;
        next.network.send(Message::commit, token);
        emit({.words = "the server sends commit {}", .token = name, .after = next});
    }
    const auto decision = agent::rotation::on_commit(world.held.held(), token.generation(), id);
    if (world.network.has(Message::commit, token) &&
        std::holds_alternative<agent::rotation::AnswerActivated>(decision)) {
        World next = world;
        next.network.send(Message::activated, token);
        emit({.words = "the agent answers that {} is activated", .token = name, .after = next});
    }
    if (world.network.has(Message::activated, token)) {
        World next = world;
        apply(next, rotation::activate(row, token.generation(), id, policy(), kNow));
        emit({.words = "the server hears that {} is activated", .token = name, .after = next});
    }
}

}  // namespace rekey::model
