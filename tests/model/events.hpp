#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The kinds of events that a search knows, and which pairs of them it has seen in one story.
namespace rekey::model {

// Loss, delay, reordering, duplication and replay of messages are not among them: every message
// that was ever sent may arrive in every later state, any number of times, or never.
enum class Event : std::uint8_t {
    // the server and its schedule
    mint,
    offer,
    time_out,
    commit_again,
    retire,
    // what it hears
    promote,
    killed_before_send,  // ... between the commit and the send
    complete_again,
    hear_failed,
    hear_stale,
    hear_activated,
    // the administrator
    emergency,
    wish,
    wish_at_once,
    cancel_wish,
    wish_fulfilled,
    suspend,
    reactivate,
    revoke,
    bar,
    // the agent
    save,
    prove_again,
    refuse_unresolved,
    refuse_stale,
    confirm_on_commit,
    confirm_on_welcome,
    activated,
    drop_unknown,
    confirm_on_expired,
    restart,
    network_error,
    // its disk
    disk_full,
    torn_write,
    error_after_rename,
    killed_before_sync,
    killed_after_write,
    disk_settles,
    power_loss,
    // connects
    connect,
    connect_promotes,
    connect_refused,
    welcome_lost,
    new_round,
    slow_connect,
    slow_admitted,
    slow_registered,
    slow_welcomed,
    sessions_closed,
    // recovery by the identity key
    ask_to_recover,
    recovery_mints,
    recovery_hands_out,
    recovery_refused,
    save_recovered,
    // races between transactions
    transaction_reads,
    transaction_commits,
    transaction_loses,
    // clocks, and storage that goes back in time
    expiry,
    clock_back,
    snapshot,
    rollback,
    backup,
    restore,
    kCount
};
inline constexpr std::size_t kEvents = static_cast<std::size_t>(Event::kCount);
static_assert(kEvents <= 64, "a set of events is one word");

[[nodiscard]] std::string_view name_of(Event event);

class EventSet {
  public:
    void add(Event event) { bits_ |= bit(event); }
    void add(EventSet others) { bits_ |= others.bits_; }
    [[nodiscard]] bool has(Event event) const { return (bits_ & bit(event)) != 0; }

  private:
    static std::uint64_t bit(Event event) {
        return std::uint64_t{1} << static_cast<unsigned>(event);
    }
    std::uint64_t bits_ = 0;
};

// For each event, those that were executed before it in one story.
class EventPairs {
  public:
    void add(EventSet before, EventSet events);
    void add(const EventPairs& others);
    [[nodiscard]] bool happened_in_order(Event first, Event second) const {
        return before_[static_cast<std::size_t>(second)].has(first);
    }
    [[nodiscard]] bool happened_together(Event one, Event other) const {
        return happened_in_order(one, other) || happened_in_order(other, one);
    }
    // Unordered pairs of two different kinds that never happened together.
    [[nodiscard]] std::vector<std::pair<Event, Event>> missing() const;
    // A line an event: # both orders, > only the line's event first, < only second, . neither.
    [[nodiscard]] std::vector<std::string> matrix() const;

  private:
    std::array<EventSet, kEvents> before_{};
};

}  // namespace rekey::model
