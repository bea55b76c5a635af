#pragma once

#include "base/clock.hpp"
#include "server/rotation/transitions.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace rekey::server::rotation {

// What a row asks to be done for a connected agent; pure, as the transitions are.
struct Attention {
    struct Commit {
        std::string rotation_id;
        std::uint64_t generation = 0;
    };
    std::optional<Commit> commit;        // agent.commit was not answered yet
    std::optional<std::uint64_t> offer;  // generation of the pending token: offer it (S2)
    std::optional<RotationCause> begin;  // a rotation is due (S1)
    Time attend_at = Time::max();        // when to look again
};

// `connect` offers a pending token at once, `tick` when its back-off is over.
enum class Occasion : std::uint8_t { connect, tick };

[[nodiscard]] Attention attention(const Credentials& credentials, const Policy& policy,
                                  Occasion occasion, double jitter, Time now);

// When a session with these credentials has something due; Time::max() if never by itself.
[[nodiscard]] Time attend_at(const Credentials& credentials, const Policy& policy, double jitter);

}  // namespace rekey::server::rotation
