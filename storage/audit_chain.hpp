#pragma once

#include "protocol/audit_chain.hpp"
#include "storage/rows.hpp"

#include <optional>
#include <span>
#include <string>

// Audit rows as the store holds them on the hash chain of protocol/audit_chain.hpp. Pure functions.
namespace rekey::storage {

using protocol::ChainFault;
using protocol::ChainFaultKind;
using protocol::ChainHead;
using protocol::kMainStream;

// Gives an event its place behind `head` and moves `head` to it.
[[nodiscard]] AuditRow chain_event(std::string_view stream_id, AuditEvent event, ChainHead& head);

// What the row's hash is over; views of `row`.
[[nodiscard]] protocol::AuditFacts facts_of(const AuditRow& row);

// SHA-256 over the encoding of all fields of `row` but `hash`.
[[nodiscard]] Bytes32 audit_hash(const AuditRow& row);

// Walks rows of one stream in the order given, from the row after `head` on, and moves `head` to
// the last good one, so that a long chain is verified in pages. Empty: the rows are an unbroken
// continuation of `head`. What no chain can tell is whether its newest rows were cut off: that is
// what checkpoints are for.
[[nodiscard]] std::optional<ChainFault> verify_chain(std::span<const AuditRow> rows,
                                                     ChainHead& head);
// A whole chain, from row 1.
[[nodiscard]] std::optional<ChainFault> verify_chain(std::span<const AuditRow> rows);

}  // namespace rekey::storage
