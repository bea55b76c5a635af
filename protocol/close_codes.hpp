#pragma once

#include <cstdint>
#include <string_view>

// WebSocket close codes (RFC 6455 section 7.4; 4000-4999 are ours) and what an agent does about
// each (docs/protocol.md, "Close codes").
namespace rekey::protocol {

enum class CloseCode : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    bad_utf8 = 1007,
    too_big = 1009,
    internal_error = 1011,
    draining = 4000,
    slow_consumer = 4001,
    superseded = 4002,
    silent = 4003,
    re_authenticate = 4004,
    suspended = 4010,
    contested = 4011,
    revoked = 4500,
    protocol_violation = 4503,
};

enum class ReconnectAdvice : std::uint8_t {
    back_off,      // full jitter from limits::kReconnectBackoffFirst
    wait_a_while,  // superseded: at least limits::kSupersededWait with jitter, unless this process
                   // opened the newer connection itself
    slowly,        // limits::kSlowRetry
    not_as_you_are,
};

// "draining"; "unknown" for any other number.
[[nodiscard]] std::string_view close_name(std::uint16_t code);
// 4500-4999, 1007 and 1009: not as you are; unknown ones: back-off.
[[nodiscard]] ReconnectAdvice reconnect_advice(std::uint16_t code);

}  // namespace rekey::protocol
