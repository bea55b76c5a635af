#pragma once

#include "protocol/methods/agents.hpp"

namespace rekey::protocol {

// A row of the hash chain as it is stored; docs/audit.md says what `hash` is over.
struct AuditEntry {
    std::string stream_id;
    std::uint64_t seq = 0;
    Time time{};
    std::string actor;
    std::string action;
    std::string subject;
    std::string outcome;
    boost::json::object details;
    std::string previous_hash;
    std::string hash;
    static constexpr auto fields() {
        return std::tuple{
            field("stream_id", &AuditEntry::stream_id, "The chain it belongs to."),
            field("seq", &AuditEntry::seq, "Its place there, from 1 without gaps.", kGeneration),
            field("time", &AuditEntry::time, "When it happened."),
            field("actor", &AuditEntry::actor, "Who did it: an agent's id, or \"system\"."),
            field("action", &AuditEntry::action, "What, e.g. rotation.promoted."),
            field("subject", &AuditEntry::subject, "To whom or what."),
            field("outcome", &AuditEntry::outcome, "\"ok\" or an error's name."),
            field("details", &AuditEntry::details, "More, without secrets.",
                  Rule{.max_bytes = limits::kMessageBytes}),
            field("previous_hash", &AuditEntry::previous_hash, "Of the entry before.",
                  Rule{.form = Form::hex_32_bytes}),
            field("hash", &AuditEntry::hash, "Of this one.", Rule{.form = Form::hex_32_bytes})};
    }
};

struct AuditQuery {
    static constexpr std::string_view name = "audit.query";
    static constexpr std::string_view summary = "Reads the audit trail, from either end.";
    static constexpr Access access{.capability = "audit:read", .mcp = Mcp::shown};
    static constexpr Rest rest{"GET", "/audit"};
    struct Params {
        std::optional<std::string> agent_id;
        std::optional<std::string> subject;
        std::optional<std::string> actor;
        std::optional<std::string> action;
        std::optional<std::string> outcome;
        std::optional<Time> from;
        std::optional<Time> until;
        AuditOrder order = AuditOrder::oldest_first;
        std::optional<std::string> cursor;
        std::int64_t limit = kDefaultPage;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id,
                      "Only what this agent did, or what happened to it.", kUuid),
                field("subject", &Params::subject, "Only what happened to this one."),
                field("actor", &Params::actor, "Only what this one did."),
                field("action", &Params::action,
                      "Only this action; \"rotation.*\" for all that begin so."),
                field("outcome", &Params::outcome, "Only \"ok\", or this error's name."),
                field("from", &Params::from, "Only what happened then or later."),
                field("until", &Params::until, "Only what happened before."),
                field("order", &Params::order, "Which end comes first.",
                      Rule{.presence = Presence::defaulted}),
                field("cursor", &Params::cursor,
                      "next_cursor of the page before, or the seq of any entry, as text: what "
                      "comes behind it in this order."),
                field("limit", &Params::limit, "Rows a page.", kPageRule)};
        }
    };
    struct Result {
        std::vector<AuditEntry> entries;
        std::optional<std::string> next_cursor;
        static constexpr auto fields() {
            return std::tuple{field("entries", &Result::entries, "In the order that was asked for.",
                                    Rule{.max_items = limits::kPageRows}),
                              field("next_cursor", &Result::next_cursor,
                                    "For the next page; absent on the last. A page that took a "
                                    "long search may have fewer entries than asked for, or none, "
                                    "and still have one.")};
        }
    };
};

}  // namespace rekey::protocol
