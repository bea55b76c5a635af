#include "tests/model/moves.hpp"

#include <algorithm>

// How the agent comes in: which token it tries, and what the server makes of it, at once or slowly.
namespace rekey::model {

namespace rotation = server::rotation;
using agent::rotation::HeldToken;
using agent::rotation::TokenState;

namespace {

SlowConnect* free_place(World& world) {
    const auto place = std::ranges::find(world.connects, Arrival::none, &SlowConnect::arrival);
    return place == world.connects.end() ? nullptr : &*place;
}

// The row is read; what a connect with this token proves is written.
Result<rotation::Accepted> let_in(const Rules& rules, World& world, const SlowConnect& connect) {
    const Credentials row = world.row.credentials();
    const auto match = world.tombstones.has(connect.token) ? rotation::TombstoneMatch::yes
                                                           : rotation::TombstoneMatch::no;
    const auto accepted = rotation::authenticate(row, hash_of(connect.token), match, kNow);
    if (accepted.has_error()) return accepted;
    const auto transition = rules.on_let_in(row, *accepted, policy(), kNow);
    if (transition.changed()) apply(world, transition);
    return accepted;
}

}  // namespace

void RotationModel::agent_connects(const World& world, Weather weather, const Next& emit) const {
    std::vector<std::string> unknown;
    world.told_unknown.for_each([&](Token token) { unknown.push_back(rotation_of(token)); });
    open_connection(world, unknown, weather, emit);
    World next = world;
    forget_refusals(next);
    emit({Event::new_round, "the agent waits, and begins with its tokens again", "", next});
    if (weather == Weather::calm) return;
    next = world;
    if (const auto held = rules_.on_network_error(world.agent.memory.held())) {
        const File file(*held);
        next.agent = {file, file, file};
    }
    emit({Event::network_error, "the agent's connect gets no answer", "", next});
}

void RotationModel::open_connection(const World& world, const std::vector<std::string>& refused,
                                    Weather weather, const Next& emit) const {
    const auto held = world.agent.memory.held();
    const HeldToken* chosen = rules_.next_credential(held, refused);
    if (chosen == nullptr) return;
    World next = world;
    const bool lasts = world.agent.durable == world.agent.visible;
    if (chosen->state == TokenState::candidate && !lasts && rules_.syncs_before_connect()) {
        next.agent.durable = next.agent.visible;
        // As long as the sync fails, the agent passes the candidate over.
        std::vector<std::string> passed_over = refused;
        passed_over.push_back(chosen->rotation_id);
        if (weather == Weather::storm) open_connection(world, passed_over, weather, emit);
    }
    const SlowConnect connect{Arrival::sent, token_named(chosen->rotation_id)};
    World slow = next;
    server_answers(next, connect, "the agent connects with {}", emit);
    if (weather == Weather::calm || !slow.left.allows(Misfortune::slow_connect)) return;
    SlowConnect* const place = free_place(slow);
    if (place == nullptr) return;
    *place = connect;
    slow.left.spend(Misfortune::slow_connect);
    emit({Event::slow_connect, "the agent opens a connection with {}, which is slow",
          name_of(connect.token), slow});
}

void RotationModel::server_answers(World world, const SlowConnect& connect, Words words,
                                   const Next& emit) const {
    const bool was_sent_slowly = connect.came_before_retirement != 0;
    const std::string token = name_of(connect.token);
    const Token current = world.row.current;
    const bool tombstone = world.tombstones.has(connect.token);
    const auto accepted = let_in(rules_, world, connect);
    if (accepted.has_value()) {
        const bool promoted = world.row.current != current;
        emit({Event::welcome_lost, words, token, world, ": let in, but the answer is lost"});
        forget_refusals(world);
        world.network.send(Message::welcome, connect.token);
        emit({promoted ? Event::connect_promotes : Event::connect, words, token, world,
              promoted ? ": let in, which promotes it" : ": let in"});
        return;
    }
    const Code code = accepted.error().code();
    std::string_view tail = ": refused";
    std::string_view broken;
    if (code == Code::unknown_credential) {
        // The model's clock stands: of both instants only the order is told.
        const rotation::ShownToken shown{
            .generation = connect.token.generation(),
            .retired_at = kNow,
            .accepted_at = was_sent_slowly ? kNow : kNow + Milliseconds{1}};
        const bool alarm = tombstone && rules_.judge_reuse(world.row.credentials(), shown) ==
                                            rotation::ReuseVerdict::reuse;
        if (alarm && !law_gives_way(world)) broken = "I18: an honest agent raises the reuse alarm";
        world.told_unknown.add(connect.token);
        tail = ": unknown_credential";
    } else if (code == Code::token_expired) {
        world.told_expired.add(connect.token);
        tail = ": token_expired";
    }
    // Suspended or revoked: the agent keeps all that it holds, whatever it hears.
    emit({Event::connect_refused, words, token, world, tail, broken});
}

void RotationModel::slow_connects_go_on(const World& world, const Next& emit) const {
    for (std::size_t at = 0; at < world.connects.size(); ++at) {
        const SlowConnect place = world.connects[at];
        World next = world;
        SlowConnect& own = next.connects[at];
        const std::string token = name_of(place.token);
        switch (place.arrival) {
            case Arrival::none:
                break;
            case Arrival::sent: {
                World answered = next;
                const auto accepted = let_in(rules_, answered, place);
                if (accepted.has_error()) {
                    own = {};
                    server_answers(next, place, "the slow connect with {} is answered", emit);
                    break;
                }
                answered.connects[at].arrival = Arrival::admitted;
                emit({Event::slow_admitted, "the server lets the slow connect with {} in", token,
                      answered});
                break;
            }
            case Arrival::admitted:
                own.arrival = Arrival::registered;
                emit({Event::slow_registered, "the server registers the slow connect's session",
                      token, next});
                break;
            case Arrival::registered:
                own = {};
                welcome(next, place, emit);
                break;
        }
    }
}

// I4: what a revoke could not see while it closed the registered sessions, this reads.
void RotationModel::welcome(World world, const SlowConnect& connect, const Next& emit) const {
    if (rules_.reads_the_row_again()) {
        const auto still = rotation::authenticate(world.row.credentials(), hash_of(connect.token),
                                                  rotation::TombstoneMatch::yes, kNow);
        if (still.has_error() || connect.epoch_moved != 0) {
            emit({Event::slow_welcomed, "the server reads the row again and closes the session", "",
                  world});
            return;
        }
    }
    world.session = connect.token;
    forget_refusals(world);
    world.network.send(Message::welcome, connect.token);
    emit({Event::slow_welcomed, "the server welcomes the slow connect with {}",
          name_of(connect.token), world});
}

}  // namespace rekey::model
