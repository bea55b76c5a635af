#pragma once

#include "protocol/method.hpp"

// What lists share.
namespace rekey::protocol {

inline constexpr Rule kPageRule{
    .presence = Presence::defaulted, .min = 1, .max = static_cast<std::int64_t>(limits::kPageRows)};
inline constexpr std::int64_t kDefaultPage = 100;

}  // namespace rekey::protocol
