#pragma once

#include <cstdint>

namespace rekey {

// What can go wrong, as a closed set. The names are those of the wire (docs/protocol.md,
// "Refusals"), so that an error is named once, from the storage boundary to the admin's screen.
// `corrupt` stays inside: a database or file whose content is not what was written. It leaves as
// `internal`. protocol/errors.hpp maps each to its JSON-RPC code, HTTP status, retry advice and log
// level.
enum class Code : std::uint8_t {
    unknown_credential,
    token_expired,
    agent_suspended,
    agent_revoked,
    permission_denied,
    not_found,
    conflict,
    already_exists,
    wrong_state,
    rate_limited,
    agent_offline,
    agent_timeout,
    unavailable,
    overloaded,
    invalid_params,
    invalid_request,
    parse_error,
    method_not_found,
    internal,
    corrupt,
};

}  // namespace rekey
