#include "tests/kill/schedules.hpp"

#include "tests/kill/fail_points.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace rekey::testing {
namespace {

using fail_point::names_of;
using fail_point::Side;

// Of a point that is reached often, so many hits are struck one by one.
constexpr unsigned kHitsStruck = 6;
// Longer than the silence after which either side gives up the other (2.5 heartbeats of 5 s), and
// much longer than rotation_timeout_seconds.
constexpr std::chrono::milliseconds kLongStop{14000};
// Just beyond kHelloTimeout: the server's close frame waits for the agent when it goes on.
constexpr std::chrono::milliseconds kBeyondHello{11000};
constexpr std::uint64_t kMostBlows = 3;
constexpr std::uint64_t kStopsInAHundred = 15;

unsigned times(const Reached& reached, const std::string& name) {
    const auto found = reached.find(name);
    return found == reached.end() ? 1 : found->second;
}

Order drawn_hit(const Reached& reached, const std::string& name, Random& random) {
    const auto hit = static_cast<unsigned>(random.between(1, times(reached, name)));
    return {.point = name, .hit = hit};
}

Schedule of_one(Side side, Order order) {
    Schedule schedule;
    (side == Side::agent ? schedule.agent : schedule.server).push_back(std::move(order));
    return schedule;
}

std::deque<Order> draw_blows(const Reached& reached, Side side, std::uint64_t count,
                             Random& random) {
    const auto names = names_of(side);
    std::deque<Order> orders;
    for (std::uint64_t i = 0; i < count; ++i) {
        orders.push_back(drawn_hit(reached, names[random.between(0, names.size() - 1)], random));
        if (random.between(1, 100) <= kStopsInAHundred) orders.back().blow = Blow::stop;
    }
    return orders;
}

}  // namespace

std::vector<Schedule> singles(const Reached& reached) {
    std::vector<Schedule> all;
    for (const Side side : {Side::agent, Side::server})
        for (const std::string& name : names_of(side)) {
            const unsigned count = times(reached, name);
            std::set<unsigned> hits;
            for (unsigned i = 0; i < kHitsStruck; ++i)
                hits.insert(1 + i * (count - 1) / (kHitsStruck - 1));
            for (const unsigned hit : hits)
                all.push_back(of_one(side, {.point = name, .hit = hit}));
        }
    return all;
}

std::vector<Schedule> all_pairs(const Reached& reached, Random& random) {
    std::vector<Schedule> all;
    for (const std::string& agent : names_of(Side::agent))
        for (const std::string& server : names_of(Side::server)) {
            Schedule pair;
            pair.agent.push_back(drawn_hit(reached, agent, random));
            pair.server.push_back(drawn_hit(reached, server, random));
            all.push_back(std::move(pair));
        }
    return all;
}

std::vector<Schedule> covering_pairs(const Reached& reached, Random& random) {
    const auto agent = names_of(Side::agent);
    const auto server = names_of(Side::server);
    const std::size_t shift = random.between(0, agent.size() - 1);
    std::vector<Schedule> some;
    for (std::size_t i = 0; i < std::max(agent.size(), server.size()); ++i) {
        Schedule pair;
        pair.agent.push_back(drawn_hit(reached, agent[(i + shift) % agent.size()], random));
        pair.server.push_back(drawn_hit(reached, server[i % server.size()], random));
        some.push_back(std::move(pair));
    }
    return some;
}

std::vector<Schedule> long_stops() {
    std::vector<Schedule> all;
    const auto add = [&](Side side, const char* point, unsigned hit) {
        all.push_back(of_one(side, {.point = point, .hit = hit, .blow = Blow::stop}));
        all.back().stop_for = kLongStop;
    };
    add(Side::agent, "agent.send.hello", 1);
    all.back().stop_for = kBeyondHello;
    add(Side::agent, "agent.receive.rotate", 1);
    add(Side::agent, "agent.state.fsync", 1);
    add(Side::agent, "agent.send.rotation_complete", 1);
    add(Side::agent, "agent.receive.commit", 2);
    add(Side::server, "server.send.welcome", 1);
    add(Side::server, "server.send.rotate", 1);
    add(Side::server, "server.receive.rotation_complete", 1);
    add(Side::server, "server.send.commit", 2);
    add(Side::server, "server.receive.activated", 2);
    return all;
}

Schedule drawn(const Reached& reached, Random& random) {
    Schedule schedule;
    std::uint64_t to_agent = 0;
    std::uint64_t to_server = 0;
    while (to_agent + to_server == 0) {
        to_agent = random.between(0, kMostBlows);
        to_server = random.between(0, kMostBlows);
    }
    schedule.agent = draw_blows(reached, Side::agent, to_agent, random);
    schedule.server = draw_blows(reached, Side::server, to_server, random);
    schedule.stop_for = std::chrono::milliseconds(random.between(200, 4000));
    return schedule;
}

}  // namespace rekey::testing
