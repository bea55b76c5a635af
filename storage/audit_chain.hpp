#pragma once

#include "storage/rows.hpp"

#include <optional>
#include <span>
#include <string>

// The hash chain over audit rows; docs/audit.md gives the encoding. Pure functions.
namespace rekey::storage {

inline constexpr std::string_view kMainStream = "main";

// The newest row of a stream: what the next row is chained to. The start of a chain is 0 and zeros.
struct ChainHead {
    std::uint64_t seq = 0;
    Bytes32 hash{};
    friend bool operator==(const ChainHead&, const ChainHead&) = default;
};

// Gives an event its place behind `head` and moves `head` to it.
[[nodiscard]] AuditRow chain_event(std::string_view stream_id, AuditEvent event, ChainHead& head);

// SHA-256 over the encoding of all fields of `row` but `hash`.
[[nodiscard]] Bytes32 audit_hash(const AuditRow& row);

enum class ChainFaultKind : std::uint8_t {
    altered,    // the row's fields do not give its hash
    missing,    // one or more rows before this one are gone
    reordered,  // this row stands behind a newer one, or twice
    unlinked,   // the row is whole, but chained to another predecessor
};

struct ChainFault {
    ChainFaultKind kind;
    std::uint64_t seq;  // of the first row where the chain breaks
};

// Walks rows of one stream in the order given, from the row after `head` on, and moves `head` to
// the last good one, so that a long chain is verified in pages. Empty: the rows are an unbroken
// continuation of `head`. What no chain can tell is whether its newest rows were cut off: compare
// `head` with one that was noted elsewhere.
[[nodiscard]] std::optional<ChainFault> verify_chain(std::span<const AuditRow> rows,
                                                     ChainHead& head);
// A whole chain, from row 1.
[[nodiscard]] std::optional<ChainFault> verify_chain(std::span<const AuditRow> rows);

}  // namespace rekey::storage
