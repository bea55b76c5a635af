#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/http_message.hpp"

namespace rekey::agent {

// What the server's HTTP answer refuses, by Rekey's name (docs/protocol.md, "Refusals"), with the
// time that it asks to wait. What would drop a token or stop the
// agent for good must come with the status that belongs to it: anything else is not our server's
// word and reads as `unavailable`.
[[nodiscard]] Error read_refusal(const net::HttpResponse& answer);

// At most limits::kRetryAfterCap; zero when nothing was told.
[[nodiscard]] Milliseconds wait_told_by(const Error& refusal);

}  // namespace rekey::agent
