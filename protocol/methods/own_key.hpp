#pragma once

#include "protocol/methods/keys.hpp"

#include <optional>
#include <string>

// What the holder of an API key may do with that key, at the routes of AIM's clients: its key and
// nothing else, so that it needs no capability.
namespace rekey::protocol {

struct SelfKeyStatus {
    static constexpr std::string_view name = "self.key_status";
    static constexpr std::string_view summary = "How old the API key is that this call came with.";
    static constexpr Access access{.caller = Caller::self, .unknown_params = UnknownFields::ignore};
    static constexpr Rest rest{"GET", "/api/v1/agents/{agent_id}/key-status"};
    struct Params {
        std::string agent_id;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "The API key's own agent.", kUuid)};
        }
    };
    struct Result {
        std::string key_id;
        Time created_at{};
        Time issued_at{};
        std::optional<Time> expires_at;
        std::optional<std::int64_t> days_until_expiration;
        bool should_rotate = false;
        bool in_grace_period = false;
        std::optional<Time> previous_valid_until;
        std::uint64_t rotation_count = 0;
        static constexpr auto fields() {
            return std::tuple{
                field("key_id", &Result::key_id, "Names the key.", kUuid),
                field("created_at", &Result::created_at, "When it was made."),
                field("issued_at", &Result::issued_at, "The same, as agent.key_status calls it."),
                field("expires_at", &Result::expires_at,
                      "When this key stops: its expiry, or the end of its grace once it was "
                      "rotated. Absent: it does not."),
                field("days_until_expiration", &Result::days_until_expiration, "Whole days left.",
                      Rule{.min = -limits::kDaysOfTime, .max = limits::kDaysOfTime}),
                field("should_rotate", &Result::should_rotate,
                      "It stops within five days, or was rotated and nobody has used the new key."),
                field(
                    "in_grace_period", &Result::in_grace_period,
                    "Two keys work: this one and its predecessor, or this one and its successor."),
                field("previous_valid_until", &Result::previous_valid_until,
                      "Until when the older of the two works."),
                field("rotation_count", &Result::rotation_count,
                      "Rotations that led to this key, as far back as keys are remembered.")};
        }
    };
};

struct SelfRotateKey {
    static constexpr std::string_view name = "self.rotate_key";
    static constexpr std::string_view summary =
        "Makes the successor of the API key that this call came with.";
    static constexpr Access access{
        .caller = Caller::self, .audited = Audited::yes, .unknown_params = UnknownFields::ignore};
    static constexpr Rest rest{"POST", "/api/v1/agents/{agent_id}/rotate-key"};
    struct Params {
        std::string agent_id;
        std::optional<std::string> idempotency_key;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "The API key's own agent.", kUuid),
                field("idempotency_key", &Params::idempotency_key, kIdempotencySummary,
                      kIdempotencyRule)};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            return check_idempotency_key(idempotency_key);
        }
    };
    using Result = RotatedKey;
};

}  // namespace rekey::protocol
