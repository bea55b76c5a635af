#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace rekey::protocol {

// The `typ` of a checkpoint's JWS: nothing else that a key of the server signs can be taken for one
// (RFC 8725, section 3.11).
inline constexpr std::string_view kCheckpointTyp = "rekey-audit-checkpoint+jwt";

// A place of the chain, as it is signed.
struct AuditCheckpoint {
    std::string stream_id;
    std::uint64_t seq = 0;
    Bytes32 hash{};
    Time time{};  // of the signature
    // The rows up to here were removed by retention: the chain begins behind it.
    bool beginning = false;
    friend bool operator==(const AuditCheckpoint&, const AuditCheckpoint&) = default;
};

// The payload of its JWS: a JSON object.
[[nodiscard]] std::string to_payload(const AuditCheckpoint& checkpoint);
// `parse_error` or `invalid_params` for anything that is none.
[[nodiscard]] Result<AuditCheckpoint> parse_checkpoint(std::string_view payload);

}  // namespace rekey::protocol
