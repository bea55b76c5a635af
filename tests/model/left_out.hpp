#pragma once

#include "tests/model/events.hpp"

#include <array>
#include <string_view>

// The pairs of events that no search of ctest executes in one story, by name, with the reason. A
// test holds this list exact: a pair that is missing and is not here fails it, and so does one that
// is here and happens.
namespace rekey::model {

struct LeftOut {
    Event one;
    Event other;
    std::string_view why;
};

inline constexpr std::string_view kTwoRotations =
    "a generation is stale after a restore and two rotations: with the other, tens of millions of "
    "states";
inline constexpr std::string_view kExpiresTwice =
    "a candidate that was promoted has to expire before the agent hears of it, which takes a "
    "rotation beside the recovery: with the other, millions of states";
inline constexpr std::string_view kBothGoBack =
    "each lets the agent recover in its own way: with what goes before it, millions of states";
inline constexpr std::string_view kOneTransaction =
    "one slow transaction a story, which wins or loses";

inline constexpr std::array kLeftOut{
    LeftOut{Event::hear_stale, Event::confirm_on_expired, kTwoRotations},
    LeftOut{Event::hear_stale, Event::disk_settles, kTwoRotations},
    LeftOut{Event::hear_stale, Event::power_loss, kTwoRotations},
    LeftOut{Event::hear_stale, Event::sessions_closed, kTwoRotations},
    LeftOut{Event::hear_stale, Event::transaction_reads, kTwoRotations},
    LeftOut{Event::hear_stale, Event::transaction_commits, kTwoRotations},
    LeftOut{Event::hear_stale, Event::transaction_loses, kTwoRotations},
    LeftOut{Event::hear_stale, Event::clock_back, kTwoRotations},
    LeftOut{Event::hear_stale, Event::snapshot, kTwoRotations},
    LeftOut{Event::bar, Event::clock_back, kBothGoBack},
    LeftOut{Event::bar, Event::snapshot, kBothGoBack},
    LeftOut{Event::bar, Event::backup, kBothGoBack},
    LeftOut{Event::refuse_stale, Event::sessions_closed, kTwoRotations},
    LeftOut{Event::refuse_stale, Event::transaction_reads, kTwoRotations},
    LeftOut{Event::refuse_stale, Event::transaction_commits, kTwoRotations},
    LeftOut{Event::refuse_stale, Event::transaction_loses, kTwoRotations},
    LeftOut{Event::refuse_stale, Event::snapshot, kTwoRotations},
    LeftOut{Event::drop_unknown, Event::confirm_on_expired, kExpiresTwice},
    LeftOut{Event::drop_unknown, Event::clock_back, kBothGoBack},
    LeftOut{Event::confirm_on_expired, Event::slow_connect, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::slow_admitted, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::slow_registered, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::slow_welcomed, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::sessions_closed, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::transaction_reads, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::transaction_commits, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::transaction_loses, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::snapshot, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::rollback, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::backup, kExpiresTwice},
    LeftOut{Event::confirm_on_expired, Event::restore, kExpiresTwice},
    LeftOut{Event::transaction_commits, Event::transaction_loses, kOneTransaction},
    LeftOut{Event::expiry, Event::snapshot, kBothGoBack},
    LeftOut{Event::expiry, Event::backup, kBothGoBack},
    LeftOut{Event::clock_back, Event::snapshot, kBothGoBack},
    LeftOut{Event::clock_back, Event::rollback, kBothGoBack},
    LeftOut{Event::clock_back, Event::backup, kBothGoBack},
    LeftOut{Event::clock_back, Event::restore, kBothGoBack},
    LeftOut{Event::snapshot, Event::backup, kBothGoBack},
    LeftOut{Event::snapshot, Event::restore, kBothGoBack},
    LeftOut{Event::rollback, Event::backup, kBothGoBack},
};

}  // namespace rekey::model
