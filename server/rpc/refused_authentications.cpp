#include "server/rpc/refused_authentications.hpp"

#include "base/limits.hpp"
#include "base/time_format.hpp"
#include "protocol/errors.hpp"
#include "protocol/token.hpp"
#include "server/rpc/failure_limiter.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace rekey::server::rpc {
namespace {

bool is_about_the_credential(Code code) {
    return code == Code::unknown_credential || code == Code::token_expired ||
           code == Code::agent_suspended || code == Code::agent_revoked;
}

// Ids are UUIDs: anything else is text of a stranger, or a secret in the wrong place.
bool is_id(std::string_view text) {
    return text.size() == 36 && text.find_first_not_of("0123456789abcdef-") == text.npos;
}

storage::AuditEvent event_of(Time first, Time last, std::uint64_t times) {
    storage::AuditEvent event;
    event.time = last;
    event.actor = "system";
    event.action = "auth.refused";
    event.details["first"] = to_rfc3339(first);
    event.details["last"] = to_rfc3339(last);
    event.details["count"] = times;
    return event;
}

}  // namespace

std::string_view name_of(EntryDoor door) {
    constexpr std::array<std::string_view, 5> kNames{"agent", "admin", "token", "enroll",
                                                     "recover"};
    return kNames.at(static_cast<std::size_t>(door));
}

std::string claimed_id(std::string_view credential) {
    const auto parsed = protocol::parse_token(credential);
    return parsed ? std::string(parsed->id) : std::string();
}

void RefusedAuthentications::Count::add(Time now) {
    if (times == 0) first = now;
    last = now;
    ++times;
}

void RefusedAuthentications::note(const Attempt& attempt) {
    if (!is_about_the_credential(attempt.outcome)) return;
    const Time now = parts_.clock.now();
    Key key{attempt.door, counted_address(attempt.address),
            std::string(is_id(attempt.claimed_id) ? attempt.claimed_id : std::string_view()),
            attempt.outcome};
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(key);
    if (found != counts_.end()) return found->second.add(now);
    if (counts_.size() >= limits::kRefusalsRemembered) return others_.add(now);
    counts_[std::move(key)].add(now);
}

std::vector<storage::AuditEvent> RefusedAuthentications::take() {
    std::map<Key, Count> counts;
    Count others;
    {
        const std::lock_guard lock(mutex_);
        counts = std::exchange(counts_, {});
        others = std::exchange(others_, {});
    }
    std::vector<storage::AuditEvent> events;
    for (const auto& [key, count] : counts) {
        const auto& [door, address, claimed, outcome] = key;
        storage::AuditEvent event = event_of(count.first, count.last, count.times);
        event.subject = claimed.empty() ? "unknown" : claimed;
        event.outcome = std::string(protocol::error_name(outcome));
        event.details["door"] = std::string(name_of(door));
        event.details["address"] = address;
        events.push_back(std::move(event));
    }
    std::ranges::sort(events, {}, [](const storage::AuditEvent& event) {
        return std::tie(event.time, event.subject);
    });
    if (others.times > 0) {
        storage::AuditEvent event = event_of(others.first, others.last, others.times);
        event.subject = "other";
        event.outcome = std::string(protocol::error_name(Code::unknown_credential));
        events.push_back(std::move(event));
    }
    return events;
}

void RefusedAuthentications::flush() {
    auto events = std::make_shared<const std::vector<storage::AuditEvent>>(take());
    if (events->empty()) return;
    parts_.store.write(
        [events](storage::Transaction& transaction) -> Result<> {
            for (const auto& event : *events) transaction.audit().append(event);
            return {};
        },
        [events, &log = parts_.log](const Result<>& written) {
            if (written.has_error())
                log.error("audit.failed", {{"action", "auth.refused"},
                                           {"rows", events->size()},
                                           {"error", written.error().message()}});
        });
}

void RefusedAuthentications::start(Timers& timers) {
    timer_ = timers.after(Milliseconds(limits::kRefusalsFlush), [this, &timers] {
        flush();
        start(timers);
    });
}

}  // namespace rekey::server::rpc
