#include "tests/model/events.hpp"

#include <fmt/format.h>

namespace rekey::model {

namespace {

constexpr std::array<std::string_view, kEvents> kNames{
    "mint (scheduled)",
    "offer",
    "time-out of an offer",
    "commit sent again",
    "retire",
    "promote",
    "server killed before the send",
    "complete, a second time",
    "failed arrives",
    "stale_generation arrives",
    "activated arrives",
    "emergency rotation",
    "manual rotation asked for",
    "manual emergency asked for",
    "manual rotation taken back",
    "manual rotation begins",
    "suspend",
    "reactivate",
    "revoke",
    "tokens barred",
    "agent saves an offer",
    "agent proves again",
    "agent refuses: unresolved",
    "agent refuses: stale",
    "agent confirms on commit",
    "agent confirms on welcome",
    "agent answers activated",
    "agent drops a candidate",
    "agent confirms an expired one",
    "agent restarts",
    "connect gets no answer",
    "disk full",
    "torn write",
    "directory fsync fails",
    "killed before the fsync",
    "killed after the write",
    "disk settles",
    "power loss",
    "connect",
    "connect promotes",
    "connect refused",
    "let in, answer lost",
    "agent begins a new round",
    "slow connect: accepted",
    "slow connect: row read",
    "slow connect: registered",
    "slow connect: read again",
    "sessions closed",
    "recovery: asked for",
    "recovery: mints",
    "recovery: hands out again",
    "recovery: refused",
    "recovery: agent saves",
    "race: the row is read",
    "race: the write wins",
    "race: the write loses",
    "token expires",
    "clock set back",
    "machine: snapshot",
    "machine: rolled back",
    "database: backup",
    "database: restored",
};

}  // namespace

std::string_view name_of(Event event) { return kNames.at(static_cast<std::size_t>(event)); }

void EventPairs::add(EventSet before, EventSet events) {
    for (std::size_t i = 0; i < kEvents; ++i)
        if (events.has(static_cast<Event>(i))) before_[i].add(before);
}

void EventPairs::add(const EventPairs& others) {
    for (std::size_t i = 0; i < kEvents; ++i) before_[i].add(others.before_[i]);
}

std::vector<std::pair<Event, Event>> EventPairs::missing() const {
    std::vector<std::pair<Event, Event>> pairs;
    for (std::size_t i = 0; i < kEvents; ++i)
        for (std::size_t j = i + 1; j < kEvents; ++j)
            if (!happened_together(static_cast<Event>(i), static_cast<Event>(j)))
                pairs.emplace_back(static_cast<Event>(i), static_cast<Event>(j));
    return pairs;
}

std::vector<std::string> EventPairs::matrix() const {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < kEvents; ++i) {
        std::string line = fmt::format("{:2} {:31}", i + 1, name_of(static_cast<Event>(i)));
        for (std::size_t j = 0; j < kEvents; ++j) {
            const auto one = static_cast<Event>(i);
            const auto other = static_cast<Event>(j);
            const bool first = happened_in_order(one, other);
            const bool second = happened_in_order(other, one);
            line += first && second ? '#' : first ? '>' : second ? '<' : '.';
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace rekey::model
