#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// The hash chain over audit rows, as the server keeps it and as anybody can verify it;
// docs/audit.md gives the encoding. Pure functions.
namespace rekey::protocol {

inline constexpr std::string_view kMainStream = "main";

// What `hash` is over; the views must outlive the call.
struct AuditFacts {
    std::string_view stream_id;
    std::uint64_t seq = 0;  // from 1, without gaps
    Time time{};
    std::string_view actor;
    std::string_view action;
    std::string_view subject;
    std::string_view outcome;
    std::string_view details;  // the stored text, byte for byte
    Bytes32 previous_hash{};
};

// SHA-256 over the encoding of all of them.
[[nodiscard]] Bytes32 audit_hash(const AuditFacts& facts);

// A place of a stream: what the next row is chained to. The start of a chain is 0 and zeros.
struct ChainHead {
    std::uint64_t seq = 0;
    Bytes32 hash{};
    friend bool operator==(const ChainHead&, const ChainHead&) = default;
};

enum class ChainFaultKind : std::uint8_t {
    altered,         // the row's fields do not give its hash
    missing,         // one or more rows before this one are gone
    reordered,       // this row stands behind a newer one, or twice
    unlinked,        // the row is whole, but chained to another predecessor
    truncated,       // rows from here on were there once: a checkpoint or a known head says so
    wrong_hash,      // the row is not the one that a checkpoint or a known head names
    bad_checkpoint,  // a checkpoint that its key did not sign, or that says something else
};
constexpr auto names_of(ChainFaultKind) {
    return std::to_array<std::string_view>({"altered", "missing", "reordered", "unlinked",
                                            "truncated", "wrong_hash", "bad_checkpoint"});
}

struct ChainFault {
    ChainFaultKind kind = ChainFaultKind::altered;
    std::uint64_t seq = 0;  // of the first row where the chain breaks
    friend bool operator==(const ChainFault&, const ChainFault&) = default;
};

// The row behind `head`, which then moves to it. A gap is `missing`: whoever has more rows at hand
// can tell whether it is `reordered` instead.
[[nodiscard]] std::optional<ChainFault> follow(const AuditFacts& facts, const Bytes32& hash,
                                               ChainHead& head);

}  // namespace rekey::protocol
