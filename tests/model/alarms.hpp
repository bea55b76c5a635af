#pragma once

#include "tests/model/search.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// I8 as a search of its own: one rotation whose offers are refused, lied about, left without an
// answer or cut off by the end of the session, while the server may be killed. The transitions and
// the question whether an alarm is due are production's; that each end of an offer is told to them
// is written down here, as answers.cpp and refusal.cpp have it.
namespace rekey::model {

// What the daemon does around the transitions; a mutant leaves one out.
struct AlarmRules {
    // A token minted instead of one that the agent called stale counts on where that one stopped.
    bool replacements_count_on = true;
    // An offer whose session ended has failed like any other.
    bool ends_of_sessions_are_told = true;
    // So has one that was counted for a session which was gone when it should have been sent.
    bool unsent_offers_are_told = true;
};

enum class LastReason : std::uint8_t { none, stale, other };

// The generations of the model suffice for as many.
inline constexpr std::uint8_t kMostLies = 5;

struct AlarmWorld {
    std::uint8_t generation = 0;  // of the pending token
    std::uint8_t attempts = 1;    // as the row counts them; no more than kMostAttempts
    LastReason reason = LastReason::none;
    std::uint8_t suspended = 0;
    std::uint8_t connected = 0;
    std::uint8_t in_flight = 0;      // an offer waits for its answer
    std::uint8_t replaced_call = 0;  // the attempts of one whose session was replaced by a newer
    std::uint8_t ended = 0;          // offers that ended without a completion, as the server saw it
    std::uint8_t alarmed = 0;
    std::uint8_t confirmed = 0;
    std::uint8_t lies_left = 0;
    std::uint8_t suspensions_left = 0;
    friend bool operator==(const AlarmWorld&, const AlarmWorld&) = default;
};

class AlarmModel {
  public:
    using World = AlarmWorld;

    // `lies`: how often the agent calls stale what is not.
    AlarmModel(const AlarmRules& rules, std::uint8_t lies) : rules_(rules), lies_(lies) {}

    [[nodiscard]] World initial() const;
    [[nodiscard]] static std::string_view broken(const World& world);
    [[nodiscard]] static std::string verdict(const World& world, std::string_view broken);
    [[nodiscard]] static World calm(const World& world) { return world; }
    [[nodiscard]] static bool settled(const World& world) { return world.confirmed != 0; }
    void steps(const World& world, Weather weather, const Emit<World>& emit) const;

  private:
    void server_offers(const World& world, const Emit<World>& emit) const;
    void offer_ends(const World& world, Weather weather, const Emit<World>& emit) const;
    void session_ends(const World& world, Weather weather, const Emit<World>& emit) const;
    void administrator(const World& world, Weather weather, const Emit<World>& emit) const;
    [[nodiscard]] World refused(const World& world, LastReason reason) const;
    [[nodiscard]] static World cut_off(const World& world, std::uint8_t attempts, bool told);

    AlarmRules rules_;
    std::uint8_t lies_;
};

}  // namespace rekey::model
