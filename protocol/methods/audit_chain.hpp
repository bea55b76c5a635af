#pragma once

#include "protocol/audit_chain.hpp"
#include "protocol/methods/agents.hpp"

namespace rekey::protocol {

struct AuditFaultView {
    ChainFaultKind kind = ChainFaultKind::altered;
    std::uint64_t seq = 0;
    static constexpr auto fields() {
        return std::tuple{
            field("kind", &AuditFaultView::kind, "What is wrong there."),
            field("seq", &AuditFaultView::seq, "The first row that does not fit.", kGeneration)};
    }
};

struct AuditVerify {
    static constexpr std::string_view name = "audit.verify";
    static constexpr std::string_view summary =
        "Verifies the audit chain against its signed checkpoints, up to 1,000,000 rows a call.";
    static constexpr Access access{.capability = "audit:read", .mcp = Mcp::shown};
    struct Params {
        std::optional<std::string> cursor;
        static constexpr auto fields() {
            return std::tuple{field("cursor", &Params::cursor,
                                    "next_cursor of the call before: SEQ:HASH of a row that was "
                                    "verified, or noted elsewhere; what comes behind it.")};
        }
    };
    struct Result {
        bool verified = false;
        std::uint64_t rows = 0;
        std::uint64_t first_seq = 0;
        std::uint64_t last_seq = 0;
        std::string head_hash;
        std::uint64_t checkpoints = 0;
        std::optional<AuditFaultView> fault;
        std::optional<std::string> next_cursor;
        static constexpr auto fields() {
            return std::tuple{
                field("verified", &Result::verified, "Nothing was found to be wrong."),
                field("rows", &Result::rows, "Looked at and right."),
                field("first_seq", &Result::first_seq, "The first of them; 0: none."),
                field("last_seq", &Result::last_seq, "The last row that is right."),
                field("head_hash", &Result::head_hash, "Its hash: worth noting elsewhere.",
                      Rule{.form = Form::hex_32_bytes}),
                field("checkpoints", &Result::checkpoints, "Signed places that were passed."),
                field("fault", &Result::fault, "The first thing that is wrong."),
                field("next_cursor", &Result::next_cursor,
                      "There are more rows: call again with it.")};
        }
    };
};

// As it is stored, for a program that verifies it elsewhere.
struct AuditExportRow {
    std::uint64_t seq = 0;
    Time time{};
    std::string actor;
    std::string action;
    std::string subject;
    std::string outcome;
    std::string details;
    std::string previous_hash;
    std::string hash;
    static constexpr auto fields() {
        return std::tuple{
            field("seq", &AuditExportRow::seq, "Its place.", kGeneration),
            field("time", &AuditExportRow::time, "When it happened."),
            field("actor", &AuditExportRow::actor, "Who did it."),
            field("action", &AuditExportRow::action, "What."),
            field("subject", &AuditExportRow::subject, "To whom or what."),
            field("outcome", &AuditExportRow::outcome, "\"ok\" or an error's name."),
            field("details", &AuditExportRow::details, "A JSON object, as the text that is hashed.",
                  Rule{.max_bytes = limits::kAuditLineBytes}),
            field("previous_hash", &AuditExportRow::previous_hash, "Of the row before.",
                  Rule{.form = Form::hex_32_bytes}),
            field("hash", &AuditExportRow::hash, "Of this one.", Rule{.form = Form::hex_32_bytes})};
    }
};

struct AuditExportCheckpoint {
    std::uint64_t seq = 0;
    std::string hash;
    std::string signature;
    static constexpr auto fields() {
        return std::tuple{
            field("seq", &AuditExportCheckpoint::seq, "The place.", kGeneration),
            field("hash", &AuditExportCheckpoint::hash, "Of the row there.",
                  Rule{.form = Form::hex_32_bytes}),
            field("signature", &AuditExportCheckpoint::signature, "A compact JWS over both.",
                  Rule{.max_bytes = limits::kCheckpointBytes})};
    }
};

struct AuditExport {
    static constexpr std::string_view name = "audit.export";
    static constexpr std::string_view summary =
        "Reads the audit chain as it is stored, with its checkpoints and the keys to them.";
    static constexpr Access access{.capability = "audit:read"};
    struct Params {
        std::optional<Time> from;
        std::optional<Time> until;
        std::optional<std::string> cursor;
        std::int64_t limit = kDefaultPage;
        static constexpr auto fields() {
            return std::tuple{
                field("from", &Params::from,
                      "From the last checkpoint before this time, so that it can be verified; "
                      "absent: from the beginning."),
                field("until", &Params::until,
                      "To the first checkpoint behind this time, or the end; absent: to the end."),
                field("cursor", &Params::cursor, "next_cursor of the page before."),
                field("limit", &Params::limit, "Rows a page.", kPageRule)};
        }
    };
    struct Result {
        std::string stream_id;
        std::vector<AuditExportRow> rows;
        std::vector<AuditExportCheckpoint> checkpoints;
        boost::json::object keys;
        std::optional<std::string> next_cursor;
        static constexpr auto fields() {
            return std::tuple{
                field("stream_id", &Result::stream_id, "The chain."),
                field("rows", &Result::rows, "In the order of their places.",
                      Rule{.max_items = limits::kPageRows}),
                field("checkpoints", &Result::checkpoints,
                      "Signed places among the rows; on the first page also the one that the rows "
                      "begin behind.",
                      Rule{.max_items = limits::kCheckpointsAnAnswer}),
                field("keys", &Result::keys, "A JSON Web Key Set: what signed the checkpoints.",
                      Rule{.max_bytes = limits::kMessageBytes}),
                field("next_cursor", &Result::next_cursor,
                      "For the next page; absent on the last.")};
        }
    };
};

}  // namespace rekey::protocol
