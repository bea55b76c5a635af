#pragma once

#include "base/result.hpp"
#include "protocol/audit_chain.hpp"
#include "protocol/methods/audit_chain.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

// An export of the audit chain: lines of JSON, one object each, named by its only member. First
// "header"; then "checkpoint"s and "row"s, each checkpoint before its row; last "end".
namespace rekey::cli {

struct AuditHeader {
    std::string format;
    std::string stream_id;
    Time exported_at{};
    bool part = false;  // its beginning was chosen by --from: rows before it are kept as well
    boost::json::object keys;  // a JSON Web Key Set
    static constexpr auto fields() {
        return std::tuple{
            protocol::field("format", &AuditHeader::format, "kAuditFormat."),
            protocol::field("stream_id", &AuditHeader::stream_id, "The chain."),
            protocol::field("exported_at", &AuditHeader::exported_at, "By the exporter's clock."),
            protocol::field("part", &AuditHeader::part, "Older rows are kept as well."),
            protocol::field("keys", &AuditHeader::keys, "What signed the checkpoints.",
                            protocol::Rule{.max_bytes = limits::kMessageBytes})};
    }
};
inline constexpr std::string_view kAuditFormat = "rekey-audit-export-v1";

struct AuditEnd {
    std::uint64_t rows = 0;
    std::uint64_t last_seq = 0;
    std::string last_hash;
    static constexpr auto fields() {
        return std::tuple{protocol::field("rows", &AuditEnd::rows, "So many."),
                          protocol::field("last_seq", &AuditEnd::last_seq, "Of the last one."),
                          protocol::field("last_hash", &AuditEnd::last_hash, "Of the last one.")};
    }
};

using AuditLine =
    std::variant<AuditHeader, protocol::AuditExportCheckpoint, protocol::AuditExportRow, AuditEnd>;

[[nodiscard]] std::string to_line(const AuditLine& line);  // with its newline
// `parse_error` or `invalid_params` for what is none.
[[nodiscard]] Result<AuditLine> parse_line(std::string_view text);

// What an export says of itself when it is looked through.
struct AuditReport {
    std::optional<protocol::ChainFault> fault;
    std::string stream_id;
    std::uint64_t first_seq = 0;
    protocol::ChainHead head;
    std::uint64_t rows = 0;
    std::uint64_t checkpoints = 0;      // whose signature and place are right
    std::uint64_t last_checkpoint = 0;  // the place of the newest of them
    bool part = false;
};

struct AuditTrust {
    std::optional<std::string> jwks;          // a JSON Web Key Set; none: the export's own
    std::optional<protocol::ChainHead> head;  // noted elsewhere: the export has to reach it
};

// Reads an export to its end or its first fault. `invalid_params` if it is none at all, or the key
// set cannot be read. Needs no server.
[[nodiscard]] Result<AuditReport> verify_export(std::istream& in, const AuditTrust& trust);

// "SEQ:HASH".
[[nodiscard]] std::optional<protocol::ChainHead> parse_head(std::string_view text);
[[nodiscard]] std::string head_text(const protocol::ChainHead& head);

}  // namespace rekey::cli
